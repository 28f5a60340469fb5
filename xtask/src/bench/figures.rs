//! What several runs come to: medians, with the least and the most beside them.

use super::measure::Run;

/// The figures of several runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

/// The spread of some numbers; `None` without numbers. Of an even number of them the median lies
/// between the two in the middle.
pub(super) fn spread(numbers: impl IntoIterator<Item = f64>) -> Option<Spread> {
    let mut numbers: Vec<f64> = numbers.into_iter().collect();
    numbers.sort_by(f64::total_cmp);
    let (least, most) = (*numbers.first()?, *numbers.last()?);
    let (low, high) = (numbers.get((numbers.len() - 1) / 2)?, numbers.get(numbers.len() / 2)?);
    Some(Spread { median: (low + high) / 2.0, least, most })
}

pub(super) fn wall(runs: &[Run]) -> Option<Spread> {
    spread(runs.iter().map(|run| run.wall_seconds))
}

pub(super) fn cpu(runs: &[Run]) -> Option<Spread> {
    spread(runs.iter().map(|run| run.cpu_seconds))
}

/// Peak memory, in MiB.
pub(super) fn memory(runs: &[Run]) -> Option<Spread> {
    spread(runs.iter().map(|run| run.peak_bytes as f64 / f64::from(1 << 20)))
}

/// Requests to S3 of a run; `None` where a run did not count them.
pub(super) fn requests(runs: &[Run]) -> Option<Spread> {
    let counted: Option<Vec<f64>> =
        runs.iter().map(|run| run.s3_requests.map(|requests| requests as f64)).collect();
    spread(counted?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_has_as_many_numbers_below_as_above() {
        let check = |numbers: &[f64], median: f64| {
            let found = spread(numbers.iter().copied()).unwrap();
            assert_eq!((found.median, found.least, found.most), (median, 1.0, 9.0), "{numbers:?}");
        };
        check(&[9.0, 1.0, 2.0], 2.0);
        check(&[9.0, 1.0], 5.0);
        check(&[3.0, 9.0, 1.0, 4.0], 3.5);
        assert_eq!(spread([]), None);
    }

    #[test]
    fn requests_count_only_where_each_run_counted_them() {
        let counted = |s3_requests| Run { s3_requests, ..Run::default() };
        let of = |runs: &[Run]| requests(runs).map(|spread| spread.median);
        assert_eq!(of(&[counted(Some(8)), counted(Some(16))]), Some(12.0));
        assert_eq!(of(&[counted(Some(8)), counted(None)]), None);
        assert_eq!(of(&[]), None);
    }
}
