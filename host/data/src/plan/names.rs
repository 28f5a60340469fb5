//! Names of the target's columns: folded to lower case as Redshift does, and refused where Redshift
//! would refuse them. In: the chain's output. Out: a name for each of its columns.
//!
//! Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_names.html>

use arrow::datatypes::Schema;
use loader_model::error::{Error, Kind, Result};
use loader_model::target_column::ROW_COLUMN;

const MAX_NAME_BYTES: usize = 127;
const SYSTEM: [&str; 9] =
    ["oid", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid", "deletexid", "insertxid"];

/// The columns' names, with ASCII letters in lower case. For example, `OrderId` becomes `orderid`,
/// so a file with both `OrderId` and `orderid` is refused. Redshift leaves other letters as they
/// are: `Änderung` stays `Änderung`, and `änderung` is another column.
///
/// Errors: `Data`, with the name of the column.
pub(super) fn folded(output: &Schema) -> Result<Vec<String>> {
    let mut folded: Vec<String> = Vec::with_capacity(output.fields().len());
    for field in output.fields() {
        let name = field.name().to_ascii_lowercase();
        if let Some(fact) = unusable(&name) {
            return Err(Error::new(Kind::Data, fact));
        }
        if folded.contains(&name) {
            let fact = format!(
                "two columns are named `{name}` (Redshift does not tell case apart); rename one in \
                 the header"
            );
            return Err(Error::new(Kind::Data, fact));
        }
        folded.push(name);
    }
    Ok(folded)
}

fn unusable(name: &str) -> Option<String> {
    if name.trim().is_empty() {
        Some(
            "a column has no name; name it in the header, or use the default plugin, which names it"
                .into(),
        )
    } else if name.len() > MAX_NAME_BYTES {
        let start: String = name.chars().take(20).collect();
        let bytes = name.len();
        Some(format!(
            "the column name `{start}…` has {bytes} bytes, Redshift takes {MAX_NAME_BYTES}; \
             shorten it in the header"
        ))
    } else if SYSTEM.contains(&name) || name == ROW_COLUMN {
        Some(format!(
            "`{name}` is a name that Redshift or loader keeps for itself; rename the column in the \
             header"
        ))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field};

    use super::*;

    fn check(names: &[&str]) -> std::result::Result<Vec<String>, String> {
        let fields: Vec<Field> =
            names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
        folded(&Schema::new(fields)).map_err(|error| error.to_string())
    }

    #[test]
    fn names_fold_and_clashes_are_the_files_fault() {
        assert_eq!(check(&["Id", "ÄB"]), Ok(vec!["id".into(), "Äb".into()]));
        insta::assert_snapshot!(check(&["a", "A"]).unwrap_err(), @"two columns are named `a` (Redshift does not tell case apart); rename one in the header");
        insta::assert_snapshot!(check(&["ctid"]).unwrap_err(), @"`ctid` is a name that Redshift or loader keeps for itself; rename the column in the header");
        insta::assert_snapshot!(check(&[" "]).unwrap_err(), @"a column has no name; name it in the header, or use the default plugin, which names it");
    }
}
