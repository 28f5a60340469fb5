//! The changes of a table's schema: found by comparing the wanted columns with the catalog, and
//! spelt as SQL.

use loader_model::catalog_column::{CatalogColumn, ColumnDefault};
use loader_model::column_type::{ColumnType, UNTYPED};
use loader_model::names::TableName;
use loader_model::target_column::TargetColumn;
use loader_model::widening::wider;

use crate::catalog::spelling;
use crate::evolution::table_keys::TableKeys;
use crate::guard::{guard, same_columns};
use crate::saved_view::{Grant, grant_sql};
use crate::sql::{ident, table, text};

/// The name of the column that takes another one's place, until the old column is dropped.
const WIDENED: &str = "_loader_widened";

/// One change of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaChange {
    CreateTable {
        columns: Vec<TargetColumn>,
        keys: TableKeys,
    },
    /// The rows that are there get NULL.
    AddColumn {
        name: String,
        column_type: ColumnType,
    },
    /// In place. Redshift does this outside of transactions only, and by its documentation not for a
    /// column with a DEFAULT.
    /// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html>
    WidenVarchar {
        name: String,
        from: ColumnType,
        to: ColumnType,
    },
    /// An integer, or a VARCHAR with a DEFAULT, made wider by a new column in the old one's place,
    /// which moves the column to the end of the table.
    ReplaceColumn {
        name: String,
        from: ColumnType,
        to: ColumnType,
        not_null: bool,
        default: Option<String>,
    },
    /// A column that was made without a type, and has no value yet, gives its place to one of the
    /// type that the file's values have.
    GiveType {
        name: String,
        to: ColumnType,
    },
}

/// The changes after which all wanted columns fit into the table, in the order in which they are
/// made. `Err`: the columns that can never fit, each with the reason.
///
/// `keys`: of a table that is made. No column is narrowed or dropped. A column that is wider than
/// wanted, or not wanted at all, stays. (For example, a wanted VARCHAR(256) leaves a VARCHAR(1024)
/// as it is.)
pub fn changes(
    wanted: &[TargetColumn],
    existing: Option<&[CatalogColumn]>,
    keys: &TableKeys,
) -> Result<Vec<SchemaChange>, Vec<String>> {
    let Some(existing) = existing else {
        let (columns, keys) = (wanted.to_vec(), keys.clone());
        return Ok(vec![SchemaChange::CreateTable { columns, keys }]);
    };
    let (mut found, mut impossible) = (Vec::new(), Vec::new());
    for column in wanted {
        let change = match existing.iter().find(|other| other.name == column.name) {
            None => Ok(Some(addition(column))),
            Some(other) => widening(column, other),
        };
        match change {
            Ok(change) => found.extend(change),
            Err(reason) => impossible.push(reason),
        }
    }
    // `false` sorts before `true`: a VARCHAR is widened outside of transactions and comes first, so
    // that all other changes can be one transaction.
    found.sort_by_key(SchemaChange::is_transactional);
    if impossible.is_empty() { Ok(found) } else { Err(impossible) }
}

fn addition(wanted: &TargetColumn) -> SchemaChange {
    let (name, column_type) = (wanted.name.clone(), wanted.column_type.clone());
    SchemaChange::AddColumn { name, column_type }
}

/// The change that makes a column wide enough. `None` when it is wide enough, `Err` with the reason
/// when it can never be.
fn widening(
    wanted: &TargetColumn,
    existing: &CatalogColumn,
) -> Result<Option<SchemaChange>, String> {
    let (name, from) = (wanted.name.clone(), existing.column_type.clone());
    let Some(to) = wider(&from, &wanted.column_type) else {
        if existing.is_untyped() {
            return Ok(Some(SchemaChange::GiveType { name, to: wanted.column_type.clone() }));
        }
        return Err(format!(
            "column `{name}` is {from}, which cannot become {}",
            wanted.column_type
        ));
    };
    if to == from {
        return Ok(None);
    }
    // Some say that a VARCHAR with a DEFAULT grows in place, and the documentation says that it
    // does not. Replacing it works either way.
    if matches!(to, ColumnType::Varchar { .. }) && existing.default == ColumnDefault::None {
        return Ok(Some(SchemaChange::WidenVarchar { name, from, to }));
    }
    let default = kept_default(existing)?;
    Ok(Some(SchemaChange::ReplaceColumn { name, from, to, not_null: !existing.nullable, default }))
}

/// The default that the new column takes over from the old one.
fn kept_default(existing: &CatalogColumn) -> Result<Option<String>, String> {
    let CatalogColumn { name, column_type, default, .. } = existing;
    match default {
        ColumnDefault::None => Ok(None),
        ColumnDefault::Expression(expression) => Ok(Some(expression.clone())),
        // ADD COLUMN takes no IDENTITY, so the new column could not go on numbering.
        ColumnDefault::Identity { .. } => {
            Err(format!("column `{name}` is an IDENTITY column of {column_type}"))
        }
    }
}

impl SchemaChange {
    /// Whether the change may be part of a transaction.
    pub(crate) fn is_transactional(&self) -> bool {
        !matches!(self, SchemaChange::WidenVarchar { .. })
    }

    /// The column that a bound view keeps from changing; `None` for changes that no view blocks.
    pub fn altered_column(&self) -> Option<&str> {
        match self {
            SchemaChange::WidenVarchar { name, .. }
            | SchemaChange::ReplaceColumn { name, .. }
            | SchemaChange::GiveType { name, .. } => Some(name),
            SchemaChange::CreateTable { .. } | SchemaChange::AddColumn { .. } => None,
        }
    }

    /// Whether `SELECT *` has more columns afterwards.
    pub fn adds_columns(&self) -> bool {
        matches!(self, SchemaChange::CreateTable { .. } | SchemaChange::AddColumn { .. })
    }

    /// The statements, in order. `kept`: comments and grants of the target's columns, which a
    /// replaced column loses.
    pub(crate) fn statements(&self, target: &TableName, kept: &ColumnExtras) -> Vec<String> {
        let alter = format!("ALTER TABLE {}", table(target));
        match self {
            SchemaChange::CreateTable { columns, keys } => {
                vec![create_table(target, columns, keys)]
            }
            SchemaChange::AddColumn { name, column_type } => {
                vec![format!("{alter} ADD COLUMN {} {column_type}", ident(name))]
            }
            SchemaChange::WidenVarchar { name, to, .. } => {
                vec![format!("{alter} ALTER COLUMN {} TYPE {to}", ident(name))]
            }
            SchemaChange::ReplaceColumn { name, to, not_null, default, .. } => {
                // Redshift adds a NOT NULL column only with a default. It never stands in for a
                // NULL of the file, since such a row has been rejected before.
                let default = default.as_deref().or(not_null.then_some("0"));
                let default =
                    default.map_or(String::new(), |default| format!(" DEFAULT {default}"));
                let not_null = if *not_null { " NOT NULL" } else { "" };
                let new = format!("{to}{default}{not_null}");
                let [add, copy, drop, rename] = replace_column(target, &ident(name), &new);
                [vec![add, copy, drop, rename], kept.restore(target, &ident(name))].concat()
            }
            // There is no value to copy.
            SchemaChange::GiveType { name, to } => {
                let [add, _, drop, rename] = replace_column(target, &ident(name), &to.to_string());
                let (kept, guards) = (kept.restore(target, &ident(name)), self.guards(target));
                guards.into_iter().chain([add, drop, rename]).chain(kept).collect()
            }
        }
    }

    /// The guards that a column which is given a type has neither a value nor a type by now; none
    /// for other changes.
    // They stand behind the LOCK of the table, so they see what others have done before, and nobody
    // does anything between them and the change. Another load may have made the column a TIMESTAMP,
    // and not have loaded its rows yet: a count alone would let this one make a DATE of it.
    pub(crate) fn guards(&self, target: &TableName) -> Vec<String> {
        let SchemaChange::GiveType { name, .. } = self else { return Vec::new() };
        let spelt = spelling::of_type(&UNTYPED).into_iter().map(|spelt| format!("{name} {spelt}"));
        let none = format!("COUNT({}) = 0", ident(name));
        vec![
            same_columns(target, &spelt.collect::<Vec<_>>(), 1),
            guard(&none, "no_value_yet", &table(target)),
        ]
    }

    /// The change as people read it, such as ``widen `n` from INTEGER to BIGINT``.
    pub fn sentence(&self) -> String {
        match self {
            SchemaChange::CreateTable { columns, .. } => {
                format!("create the table with {} columns", columns.len())
            }
            SchemaChange::AddColumn { name, column_type } => format!("add `{name}` {column_type}"),
            SchemaChange::WidenVarchar { name, from, to } => {
                format!("widen `{name}` from {from} to {to}")
            }
            SchemaChange::ReplaceColumn { name, from, to, not_null, default } => {
                let default = if *not_null && default.is_none() { ", with DEFAULT 0" } else { "" };
                format!(
                    "widen `{name}` from {from} to {to}; it moves to the end of the table{default}"
                )
            }
            SchemaChange::GiveType { name, to } => {
                format!(
                    "make `{name}`, which has no value yet, {to}; it moves to the end of the table"
                )
            }
        }
    }
}

/// Comments and grants on the target's columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct ColumnExtras {
    pub(crate) grants: Vec<Grant>,
    /// Columns that have a comment, each with its comment.
    pub(crate) comments: Vec<(String, String)>,
}

impl ColumnExtras {
    /// The statements that give a replaced column its grants and comment back. `column`: quoted.
    // A grant may name several columns. The others were not replaced and have it still, so it is
    // given for this one alone.
    fn restore(&self, target: &TableName, column: &str) -> Vec<String> {
        let on_column = |name: &String| ident(name) == column;
        let grants = self.grants.iter().filter_map(|grant| {
            let columns: Vec<String> =
                grant.columns.iter().filter(|name| on_column(name)).cloned().collect();
            (!columns.is_empty()).then(|| Grant { columns, ..grant.clone() })
        });
        let mut statements = grant_sql(target, &grants.collect::<Vec<_>>());
        let comments = self.comments.iter().filter(|(name, _)| on_column(name));
        statements.extend(comments.map(|(_, comment)| {
            format!("COMMENT ON COLUMN {}.{column} IS {}", table(target), text(comment))
        }));
        statements
    }
}

/// Puts a new column with the old one's values and name into its place. `column`: quoted.
// The order matters. The values are copied while the old column is there, and the new column can
// take the name only when the old one is gone. All four run in one transaction behind a LOCK, so no
// other program sees the table in between or writes rows that the UPDATE misses.
fn replace_column(target: &TableName, column: &str, definition: &str) -> [String; 4] {
    let (table, widened) = (table(target), ident(WIDENED));
    [
        format!("ALTER TABLE {table} ADD COLUMN {widened} {definition}"),
        format!("UPDATE {table} SET {widened} = {column}"),
        format!("ALTER TABLE {table} DROP COLUMN {column}"),
        format!("ALTER TABLE {table} RENAME COLUMN {widened} TO {column}"),
    ]
}

fn create_table(target: &TableName, columns: &[TargetColumn], keys: &TableKeys) -> String {
    let definitions: Vec<String> = columns
        .iter()
        .map(|column| {
            let not_null = if column.not_null { " NOT NULL" } else { "" };
            format!("{} {}{not_null}", ident(&column.name), column.column_type)
        })
        .collect();
    format!("CREATE TABLE {} ({}){}", table(target), definitions.join(", "), keys.clauses())
}

#[cfg(test)]
mod tests;
