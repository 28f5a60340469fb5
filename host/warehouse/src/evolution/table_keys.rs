//! By which columns a new table is distributed over the nodes, and sorted on them.
//!
//! Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html>

use loader_model::column_type::ColumnType;
use loader_model::target_column::TargetColumn;

use crate::sql::{ident, idents};

/// The most columns of a sort key.
const MAX_SORT_COLUMNS: usize = 400;

/// The keys of a new table, in lower case. What is empty is left to Redshift.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableKeys {
    pub distkey: Option<String>,
    pub sortkey: Vec<String>,
}

impl TableKeys {
    /// Why a table with these columns cannot have the keys; `None` when it can.
    pub fn unfit(&self, columns: &[TargetColumn]) -> Option<String> {
        if self.sortkey.len() > MAX_SORT_COLUMNS {
            let given = self.sortkey.len();
            return Some(format!(
                "--sortkey names {given} columns; Redshift takes {MAX_SORT_COLUMNS}"
            ));
        }
        let distkey = self.distkey.iter().map(|name| ("--distkey", name));
        let named = distkey.chain(self.sortkey.iter().map(|name| ("--sortkey", name)));
        named.into_iter().find_map(|(flag, name)| unfit(flag, name, columns))
    }

    /// The clauses behind the columns of CREATE TABLE, each with a blank before it.
    pub(super) fn clauses(&self) -> String {
        let distkey = self.distkey.as_ref().map(|name| format!(" DISTKEY({})", ident(name)));
        let sortkey =
            (!self.sortkey.is_empty()).then(|| format!(" SORTKEY({})", idents(&self.sortkey)));
        [distkey, sortkey].into_iter().flatten().collect()
    }
}

fn unfit(flag: &str, name: &str, columns: &[TargetColumn]) -> Option<String> {
    match columns.iter().find(|column| column.name == *name) {
        None => {
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            let names = names.join(", ");
            Some(format!("{flag} names `{name}`, which is no column of the new table: {names}"))
        }
        Some(column) if column.column_type == ColumnType::Super => Some(format!(
            "{flag} names `{name}`, a SUPER, by which Redshift can neither distribute nor sort"
        )),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(distkey: Option<&str>, sortkey: &[&str]) -> TableKeys {
        TableKeys {
            distkey: distkey.map(str::to_owned),
            sortkey: sortkey.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn keys_are_columns_that_can_be_keys() {
        let column = |name: &str, column_type| TargetColumn {
            name: name.to_owned(),
            column_type,
            not_null: false,
            staged_as_text: false,
        };
        let columns = [column("id", ColumnType::Integer), column("doc", ColumnType::Super)];
        assert_eq!(keys(Some("id"), &["id"]).unfit(&columns), None);
        assert_eq!(
            keys(Some("id"), &["id", "a\"b"]).clauses(),
            " DISTKEY(\"id\") SORTKEY(\"id\", \"a\"\"b\")"
        );
        assert_eq!(keys(None, &[]).clauses(), "");
        let check = |keys: TableKeys, expected: &str| {
            assert_eq!(keys.unfit(&columns).as_deref(), Some(expected));
        };
        check(
            keys(Some("x"), &[]),
            "--distkey names `x`, which is no column of the new table: id, doc",
        );
        check(
            keys(None, &["id", "doc"]),
            "--sortkey names `doc`, a SUPER, by which Redshift can neither distribute nor sort",
        );
        assert_eq!(keys(None, &["id"; 400]).unfit(&columns), None);
        check(keys(None, &["id"; 401]), "--sortkey names 401 columns; Redshift takes 400");
    }
}
