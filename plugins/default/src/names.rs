//! Column names that a warehouse takes without quotes, made from the headers of a file.

use std::collections::{HashMap, HashSet};

use loader_names::clean;
use loader_sdk::Error;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The length of the longest identifier in Redshift.
const MAX_NAME_BYTES: usize = 127;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnCollision {
    /// Refuse the file.
    Error,
    /// Number the second and later ones: _2, _3.
    Suffix,
}

/// The clean names of all headers, in order. No name is empty or too long, and no two are the same.
pub(crate) fn clean_all(headers: &[&str], on_collision: OnCollision) -> Result<Vec<String>, Error> {
    let mut names: Vec<String> =
        headers.iter().enumerate().map(|(index, header)| named(index, header)).collect();
    match on_collision {
        OnCollision::Error => refuse_collisions(headers, &names)?,
        OnCollision::Suffix => number_collisions(&mut names),
    }
    // After the numbering, since a `_2` may make a name of 126 bytes too long.
    check_lengths(headers, &names)?;
    Ok(names)
}

fn check_lengths(headers: &[&str], names: &[String]) -> Result<(), Error> {
    match names.iter().enumerate().find(|(_, name)| name.len() > MAX_NAME_BYTES) {
        None => Ok(()),
        Some((index, name)) => {
            let message = format!(
                "column {}: its name has {} bytes once it is cleaned; Redshift allows \
                 {MAX_NAME_BYTES}; shorten the header",
                index + 1,
                name.len()
            );
            Err(Error::new("name-too-long", message).column(headers[index]))
        }
    }
}

// The file may also have a header `column_2` of its own. That is a collision like any other, and is
// found with them.
fn named(index: usize, header: &str) -> String {
    let name = clean(header);
    if name.is_empty() { format!("column_{}", index + 1) } else { name }
}

fn refuse_collisions(headers: &[&str], names: &[String]) -> Result<(), Error> {
    let mut seen = HashMap::new();
    for (index, name) in names.iter().enumerate() {
        if let Some(first) = seen.insert(name.as_str(), index) {
            let message = format!(
                "headers {:?} (column {}) and {:?} (column {}) both become {name}; rename one in \
                 the file, or set \"on_collision\": \"suffix\"",
                headers[first],
                first + 1,
                headers[index],
                index + 1
            );
            return Err(Error::new("name-collision", message).column(headers[index]));
        }
    }
    Ok(())
}

/// The first column keeps the name; the others take the next number that no column has.
// `taken` starts with all names, also those further right: of the headers a, A and a_2 the second
// must become a_3, because a_2 is a real header and keeps its name. `count` remembers the last
// number, so that a thousand columns of one name do not each count up from 2.
fn number_collisions(names: &mut [String]) {
    let mut taken: HashSet<String> = names.iter().cloned().collect();
    let mut seen = HashMap::new();
    for name in names {
        let count = seen.entry(name.clone()).or_insert(0_usize);
        *count += 1;
        if *count == 1 {
            continue;
        }
        let mut number = *count;
        while !taken.insert(format!("{name}_{number}")) {
            number += 1;
        }
        *count = number;
        *name = format!("{name}_{number}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suffixed(headers: &[&str]) -> Vec<String> {
        clean_all(headers, OnCollision::Suffix).expect("are numbered")
    }

    #[test]
    fn nameless_columns_are_called_by_their_position() {
        assert_eq!(suffixed(&["id", "", "!!"]), ["id", "column_2", "column_3"]);
    }

    #[test]
    fn numbers_never_take_the_name_of_another_column() {
        assert_eq!(suffixed(&["a", "A", "a_2", "a!"]), ["a", "a_3", "a_2", "a_4"]);
        assert_eq!(suffixed(&["a", "a", "a"]), ["a", "a_2", "a_3"]);
    }

    #[test]
    fn what_cannot_be_named_is_refused() {
        let message = |headers: &[&str]| {
            clean_all(headers, OnCollision::Error).expect_err("is refused").message
        };
        insta::assert_snapshot!(message(&["Unit Price", "id", "unit_price"]), @r#"headers "Unit Price" (column 1) and "unit_price" (column 3) both become unit_price; rename one in the file, or set "on_collision": "suffix""#);
        insta::assert_snapshot!(message(&["id", &"x".repeat(200)]), @"column 2: its name has 200 bytes once it is cleaned; Redshift allows 127; shorten the header");
    }
}
