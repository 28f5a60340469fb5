//! Names that a table cannot have, all at once.
//!
//! Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_names.html>

use std::collections::HashMap;

/// The length of the longest identifier in Redshift.
const MAX_NAME_BYTES: usize = 127;
/// The columns that every table has already.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html>
const SYSTEM: [&str; 9] =
    ["oid", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid", "deletexid", "insertxid"];
/// How many sentences a message has. A file may have 1600 headers, and be wrong in each.
const MOST: usize = 20;

/// A name that is taken, and by what.
pub struct Reserved<'a> {
    pub name: &'a str,
    /// What the name belongs to, such as `a column that the loader adds`.
    pub owner: &'a str,
}

/// What is wrong with the names of a table's columns, a sentence for each: names that are empty,
/// too long, twice there, or taken. Empty when all can be used. `called` says where a name comes
/// from, as [`called`] does.
///
/// Names are as Redshift folds them: `ID` must be `id` already.
pub fn refused(
    names: &[String],
    called: impl Fn(usize) -> String,
    reserved: &[Reserved<'_>],
) -> Vec<String> {
    let mut facts = Vec::new();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (place, name) in names.iter().enumerate() {
        let first = *seen.entry(name).or_insert(place);
        let fact = match name.trim().is_empty() {
            true => Some("has no name".to_owned()),
            false if first < place => {
                Some(format!("has the name {}, as {} has", shortened(name), called(first)))
            }
            false => unusable(name, reserved),
        };
        facts.extend(fact.map(|fact| format!("{} {fact}", called(place))));
    }
    let more = facts.len().saturating_sub(MOST);
    if more > 0 {
        facts.truncate(MOST);
        facts.push(format!("and so on, {more} more"));
    }
    facts
}

fn unusable(name: &str, reserved: &[Reserved<'_>]) -> Option<String> {
    if name.len() > MAX_NAME_BYTES {
        let bytes = name.len();
        return Some(format!("has a name of {bytes} bytes, and Redshift takes {MAX_NAME_BYTES}"));
    }
    if SYSTEM.contains(&name) {
        return Some(format!("has the name {name}, which Redshift keeps for its own columns"));
    }
    let taken = reserved.iter().find(|reserved| reserved.name == name)?;
    Some(format!("has the name {name}, which is {}", taken.owner))
}

/// How a message calls a column of a file: `header "XMin" (column 3)`.
pub fn called(header: &str, place: usize) -> String {
    match header {
        "" => format!("column {}", place + 1),
        header => format!("header {:?} (column {})", shortened(header), place + 1),
    }
}

/// A name as a message quotes it.
fn shortened(header: &str) -> String {
    const SHOWN: usize = 60;
    match header.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &header[..end]),
        None => header.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_named_at_once() {
        let names = ["id", "xmin", "", "id", "x", "xmax", " ", "run_date", "id"];
        let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        names.push("n".repeat(128));
        let called = |place: usize| format!("column {}", place + 1);
        let owner = "a column that the plugin adds";
        let facts = refused(&names, called, &[Reserved { name: "run_date", owner }]);
        insta::assert_snapshot!(facts.join("; "), @"column 2 has the name xmin, which Redshift keeps for its own columns; column 3 has no name; column 4 has the name id, as column 1 has; column 6 has the name xmax, which Redshift keeps for its own columns; column 7 has no name; column 8 has the name run_date, which is a column that the plugin adds; column 9 has the name id, as column 1 has; column 10 has a name of 128 bytes, and Redshift takes 127");
        assert_eq!(refused(&names[..2], called, &[]).len(), 1);
        let many = vec!["oid".to_owned(); 30];
        insta::assert_snapshot!(refused(&many, called, &[])[20], @"and so on, 10 more");
    }
}
