//! DATEFORMAT and TIMEFORMAT patterns: the parts that Redshift documents for loads. In: a pattern.
//! Out: its parts, or the refusal of a pattern with other letters.

/// The parts of patterns.
// `part_at` takes the first match, so a part stands before every part that it begins with: HH24
// before HH. Otherwise `HH24` would be read as HH and the text `24`.
const PARTS: [&str; 13] =
    ["YYYY", "HH24", "HH12", "MON", "YY", "MM", "DD", "HH", "MI", "SS", "OF", "AM", "PM"];

/// The part that a pattern starts with.
pub(crate) fn part_at(pattern: &str) -> Option<&'static str> {
    PARTS
        .iter()
        .find(|part| {
            pattern.get(..part.len()).is_some_and(|start| start.eq_ignore_ascii_case(part))
        })
        .copied()
}

/// Checks that every letter of the pattern belongs to a part that we read.
pub(crate) fn check(pattern: &str) -> Result<(), String> {
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if let Some(part) = part_at(rest) {
            rest = &rest[part.len()..];
        // A T between date and time (`YYYY-MM-DDTHH:MI:SS`) stands for itself.
        } else if first.is_ascii_alphabetic() && first != 'T' {
            return Err(format!("unknown part at '{rest}'"));
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_belong_to_known_parts() {
        assert_eq!(check("YYYY-MM-DD HH:MI:SS"), Ok(()));
        assert!(check("DD Q").is_err());
    }
}
