//! Whether a moment is told in another zone than UTC.

/// Whether a moment, such as `2024-01-31 19:00:00-05`, has an offset that is not zero. Such a midnight
/// is no day: in UTC it is the midnight of another one.
// No sign of a date stands behind its eighth character (`2024-1-31`).
pub(crate) fn is_elsewhere(moment: &[u8]) -> bool {
    let clock = moment.get(8..).unwrap_or_default();
    let mut behind_sign = clock.iter().skip_while(|byte| !matches!(byte, b'+' | b'-'));
    behind_sign.any(|byte| matches!(byte, b'1'..=b'9'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_of_zero_is_utc() {
        let here = ["2024-01-31", "2024-1-5", "2024-01-31 00:00:00", "2024-01-31T00:00Z"];
        let here = here.into_iter().chain(["2024-01-31 00:00+00:00", "20240131", "x", ""]);
        for moment in here {
            assert!(!is_elsewhere(moment.as_bytes()), "{moment}");
        }
        for moment in ["2024-01-31 19:00:00-05", "2024-01-31 05:30 +0530", "2024-1-5 1:00+01"] {
            assert!(is_elsewhere(moment.as_bytes()), "{moment}");
        }
    }
}
