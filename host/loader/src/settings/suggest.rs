//! What somebody may have meant who wrote a name that does not exist.

/// A message about a key that does not exist, with the key that was meant in the place of a long
/// list of all keys. Other messages stay as they are.
///
/// For example, ``unknown field `databse`, expected one of `database`, …`` becomes
/// ``unknown key `databse`; did you mean `database`?``
pub(super) fn with_suggestion(message: &str) -> String {
    let Some((unknown, known)) = unknown_key(message) else { return message.to_owned() };
    match nearest(unknown, known.iter().copied()) {
        Some(meant) => format!("unknown key `{unknown}`; did you mean `{meant}`?"),
        None => format!("unknown key `{unknown}`; the keys are {}", known.join(", ")),
    }
}

/// The unknown key of serde's message, and the keys that it lists.
fn unknown_key(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (unknown, rest) = rest.split_once("`, expected ")?;
    let known = rest.split('`').skip(1).step_by(2);
    Some((unknown, known.collect()))
}

/// The name that is nearest to what was written, if one is near.
pub(crate) fn nearest<'a>(
    written: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let written = written.to_ascii_lowercase().replace('_', "-");
    let distances = names.into_iter().map(|name| {
        let other = name.to_ascii_lowercase().replace('_', "-");
        (strsim::damerau_levenshtein(&written, &other), name)
    });
    // A letter in three may be wrong: of `tabel` two are.
    let most = (written.chars().count() / 3).max(1);
    distances.filter(|(distance, _)| *distance <= most).min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_is_not() {
        let names = ["database", "delimiter", "src-bucket", "upsert-keys"];
        let check = |written: &str, expected: Option<&str>| {
            assert_eq!(nearest(written, names), expected, "{written}");
        };
        check("databse", Some("database"));
        check("delimeter", Some("delimiter"));
        check("SRC_BUCKET", Some("src-bucket"));
        check("upsertkeys", Some("upsert-keys"));
        check("base", None);
        let message = "unknown field `delimeter`, expected one of `delimiter`, `quote`";
        let expected = "unknown key `delimeter`; did you mean `delimiter`?";
        assert_eq!(with_suggestion(message), expected);
        let message = "unknown field `x`, expected `path` or `sha256`";
        assert_eq!(with_suggestion(message), "unknown key `x`; the keys are path, sha256");
        assert_eq!(with_suggestion("invalid type"), "invalid type");
    }
}
