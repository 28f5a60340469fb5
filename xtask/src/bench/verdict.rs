//! What the figures of a row come to, what they should come to, and whether they do.
//!
//! All targets are here.

use super::figures::{Spread, cpu, memory, requests, wall};
use super::measure::Run;
use super::record::Record;
use super::{growth, sandbox, throttle};

/// Our seconds, and those of our processors, in those of the least of the others.
const STAGE: f64 = 0.8;
const TRANSFORM: f64 = 0.9;
const SHAPES: f64 = 1.0;
/// The time that ten times the file takes, in multiples.
const TENFOLD_TIME: f64 = 10.3;
/// The most memory of a load in MiB, and how much more the larger file may take.
const MEMORY_MIB: f64 = 256.0;
const MEMORY_GROWTH: f64 = 0.10;
/// The time with a slow S3, in multiples of that with a fast one.
const THROTTLED_TIME: f64 = 1.15;
/// A load of a small file.
const SMALL_MILLISECONDS: f64 = 60.0;
const SMALL_REQUESTS: f64 = 8.0;
/// A plugin's calls, and the whole path with them, in multiples of the same without a sandbox.
const PLUGIN: f64 = 1.8;
const PATH: f64 = 1.05;

/// One figure of a row, held against its target.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Verdict {
    /// What the figure is of; empty where the row has one figure only.
    pub(super) of: &'static str,
    pub(super) measured: String,
    pub(super) target: String,
    pub(super) is_met: bool,
}

/// Ours in multiples of the least of the others, each by its own measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ratios {
    pub(super) wall: f64,
    pub(super) cpu: f64,
    pub(super) memory: f64,
}

/// How ours compares with the others; `None` where a row has no others.
pub(super) fn ratios(record: &Record) -> Option<Ratios> {
    let (own, peers) = record.series.split_first().filter(|(own, _)| own.name == "loader")?;
    let ratio = |spread: fn(&[Run]) -> Option<Spread>| {
        let medians = peers.iter().filter_map(|peer| Some(spread(&peer.runs)?.median));
        Some(spread(&own.runs)?.median / medians.reduce(f64::min)?)
    };
    Some(Ratios { wall: ratio(wall)?, cpu: ratio(cpu)?, memory: ratio(memory)? })
}

/// The verdicts on a row.
pub(super) fn verdicts(record: &Record) -> Vec<Verdict> {
    match record.row.as_str() {
        "growth" => of_growth(record),
        "throttle" => of_throttle(record),
        "small" => of_small(record),
        "sandbox" => of_sandbox(record),
        "stage" => of_contest(record, STAGE),
        "transform" => of_contest(record, TRANSFORM),
        _ => of_contest(record, SHAPES),
    }
}

/// Both ratios of a row are held against one target.
fn of_contest(record: &Record, target: f64) -> Vec<Verdict> {
    let verdict = |Ratios { wall, cpu, .. }: Ratios| Verdict {
        measured: format!("{}, {}", times(wall), times(cpu)),
        ..at_most("", wall.max(cpu), target, times)
    };
    ratios(record).map(verdict).into_iter().collect()
}

fn of_growth(record: &Record) -> Vec<Verdict> {
    let [once, tenfold] = [growth::ONCE, growth::TENFOLD].map(|name| record.runs(name));
    let mut verdicts = Vec::new();
    if let (Some(once), Some(tenfold)) = (wall(once), wall(tenfold)) {
        let ratio = tenfold.median / once.median;
        let mut verdict = at_most("time", ratio, TENFOLD_TIME, times);
        let seconds = format!("{:.1} s, then {:.1} s", once.median, tenfold.median);
        verdict.measured = format!("{} ({seconds})", verdict.measured);
        verdicts.push(verdict);
    }
    if let (Some(once), Some(tenfold)) = (memory(once), memory(tenfold)) {
        let growth = tenfold.median / once.median - 1.0;
        let is_bounded = once.most.max(tenfold.most) <= MEMORY_MIB;
        verdicts.push(Verdict {
            of: "memory",
            measured: format!(
                "{:.0} MiB, then {:.0} MiB ({:+.0} %)",
                once.median,
                tenfold.median,
                growth * 100.0
            ),
            target: format!("≤ {MEMORY_MIB:.0} MiB, equal within {:.0} %", MEMORY_GROWTH * 100.0),
            is_met: is_bounded && growth.abs() <= MEMORY_GROWTH,
        });
    }
    verdicts
}

fn of_throttle(record: &Record) -> Vec<Verdict> {
    let [fast, slow] = [throttle::FAST, throttle::SLOW].map(|name| wall(record.runs(name)));
    let verdict = |(fast, slow): (Spread, Spread)| {
        let mut verdict = at_most("time", slow.median / fast.median, THROTTLED_TIME, times);
        let seconds = format!("{:.2} s, throttled {:.2} s", fast.median, slow.median);
        verdict.measured = format!("{} ({seconds})", verdict.measured);
        verdict
    };
    fast.zip(slow).map(verdict).into_iter().collect()
}

fn of_small(record: &Record) -> Vec<Verdict> {
    let runs = record.runs("loader");
    let of_time = wall(runs).map(|wall| {
        let Spread { median, least, most } = wall;
        let mut verdict = at_most("time", median * 1e3, SMALL_MILLISECONDS, milliseconds);
        let (least, most) = (least * 1e3, most * 1e3);
        verdict.measured = format!("{} ({least:.0}–{most:.0})", verdict.measured);
        verdict
    });
    let of_requests = requests(runs).map(|requests| {
        at_most("requests to S3", requests.median, SMALL_REQUESTS, |number| format!("{number:.0}"))
    });
    of_time.into_iter().chain(of_requests).collect()
}

fn of_sandbox(record: &Record) -> Vec<Verdict> {
    let value = |name: &str| {
        let found = record.figures.iter().find(|figure| figure.name == name);
        found.map(|figure| figure.value)
    };
    let verdict = |of: &'static str, target| Some(at_most(of, value(of)?, target, times));
    let mut of_plugin = verdict(sandbox::OF_PLUGIN, PLUGIN);
    if let (Some(verdict), Some(ours), Some(native)) =
        (&mut of_plugin, value(sandbox::SANDBOX), value(sandbox::NATIVE))
    {
        let times = &verdict.measured;
        verdict.measured = format!("{times} ({ours:.0} ns a row, native {native:.0} ns)");
    }
    of_plugin.into_iter().chain(verdict(sandbox::OF_PATH, PATH)).collect()
}

// The figure itself is held against the target, and not what is shown of it: 1.004 is missed.
fn at_most(of: &'static str, value: f64, target: f64, shown: impl Fn(f64) -> String) -> Verdict {
    let is_met = value <= target;
    let (measured, target) = (shown(value), format!("≤ {}", shown(target)));
    Verdict { of, measured, target, is_met }
}

fn times(ratio: f64) -> String {
    format!("{ratio:.2}x")
}

fn milliseconds(number: f64) -> String {
    format!("{number:.0} ms")
}

#[cfg(test)]
mod tests {
    use super::super::record::Series;
    use super::*;

    fn series(name: &str, wall_seconds: f64, mebibytes: u64) -> Series {
        let (cpu_seconds, peak_bytes) = (2.0 * wall_seconds, mebibytes << 20);
        let run = Run { wall_seconds, cpu_seconds, peak_bytes, s3_requests: Some(9) };
        Series { name: name.to_owned(), runs: vec![run] }
    }

    fn record(row: &str, series: Vec<Series>) -> Record {
        Record { row: row.to_owned(), series, ..Record::default() }
    }

    fn check(record: &Record, expected: &[(&str, bool)]) {
        let found = verdicts(record);
        let found: Vec<(&str, bool)> =
            found.iter().map(|verdict| (&*verdict.measured, verdict.is_met)).collect();
        assert_eq!(found, expected, "{}", record.row);
    }

    #[test]
    fn ours_is_held_against_the_least_of_the_others() {
        let others = [series("duckdb", 2.0, 400), series("polars", 4.0, 100)];
        let with = |own| [vec![own], others.to_vec()].concat();
        let slower = record("stage", with(series("loader", 3.0, 200)));
        let expected = Ratios { wall: 1.5, cpu: 1.5, memory: 2.0 };
        assert_eq!(ratios(&slower), Some(expected));
        check(&slower, &[("1.50x, 1.50x", false)]);
        check(&record("wide", with(series("loader", 2.0, 200))), &[("1.00x, 1.00x", true)]);
        check(&record("wide", vec![series("loader", 2.0, 200)]), &[]);
    }

    #[test]
    fn each_row_has_its_own_targets() {
        let growth = |mebibytes| {
            record("growth", vec![series("once", 5.0, 200), series("tenfold", 52.5, mebibytes)])
        };
        let time = ("10.50x (5.0 s, then 52.5 s)", false);
        check(&growth(210), &[time, ("200 MiB, then 210 MiB (+5 %)", true)]);
        check(&growth(230), &[time, ("200 MiB, then 230 MiB (+15 %)", false)]);
        let throttle = vec![series("unthrottled", 4.0, 1), series("throttled", 4.4, 1)];
        let expected = ("1.10x (4.00 s, throttled 4.40 s)", true);
        check(&record("throttle", throttle), &[expected]);
        let small = record("small", vec![series("loader", 0.05, 1)]);
        check(&small, &[("50 ms (50–50)", true), ("9", false)]);
    }
}
