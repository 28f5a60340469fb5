//! The changes of a table's schema: found by holding the wanted columns against the catalog, and
//! spelt as SQL.

use loader_model::catalog_column::{CatalogColumn, ColumnDefault};
use loader_model::column_type::ColumnType;
use loader_model::names::TableName;
use loader_model::target_column::TargetColumn;
use loader_model::widening::wider;

use crate::saved_view::{Grant, grant_sql};
use crate::sql::{ident, table, text};

/// The column that takes a widened column's place before it gets its name.
const WIDENED: &str = "_loader_widened";

/// One change of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaChange {
    CreateTable {
        columns: Vec<TargetColumn>,
    },
    /// NULL in all rows that are there.
    AddColumn {
        name: String,
        column_type: ColumnType,
    },
    /// In place; Redshift does it outside of transactions only.
    WidenVarchar {
        name: String,
        from: ColumnType,
        to: ColumnType,
    },
    /// By a new column in the old one's place, which moves it to the end of the table.
    WidenInteger {
        name: String,
        from: ColumnType,
        to: ColumnType,
        not_null: bool,
        default: Option<String>,
    },
}

/// The changes that bring the table to where all wanted columns fit, in the order in which they are
/// made. `Err`: columns that never can, each with the reason.
///
/// Nothing is ever narrowed or dropped: columns that are wider than wanted, or not wanted at all,
/// stay.
pub fn changes(
    wanted: &[TargetColumn],
    existing: Option<&[CatalogColumn]>,
) -> Result<Vec<SchemaChange>, Vec<String>> {
    let Some(existing) = existing else {
        return Ok(vec![SchemaChange::CreateTable { columns: wanted.to_vec() }]);
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
    // What stands alone comes first, so that the rest can be one transaction.
    found.sort_by_key(SchemaChange::is_transactional);
    if impossible.is_empty() { Ok(found) } else { Err(impossible) }
}

fn addition(wanted: &TargetColumn) -> SchemaChange {
    let (name, column_type) = (wanted.name.clone(), wanted.column_type.clone());
    SchemaChange::AddColumn { name, column_type }
}

/// `None`: it is wide enough. `Err`: it can never be.
fn widening(
    wanted: &TargetColumn,
    existing: &CatalogColumn,
) -> Result<Option<SchemaChange>, String> {
    let (name, from) = (wanted.name.clone(), existing.column_type.clone());
    let Some(to) = wider(&from, &wanted.column_type) else {
        return Err(format!(
            "column `{name}` is {from}, which cannot become {}",
            wanted.column_type
        ));
    };
    if to == from {
        return Ok(None);
    }
    if matches!(to, ColumnType::Varchar { .. }) {
        return Ok(Some(SchemaChange::WidenVarchar { name, from, to }));
    }
    let default = kept_default(existing)?;
    Ok(Some(SchemaChange::WidenInteger { name, from, to, not_null: !existing.nullable, default }))
}

/// The default that a new column takes over.
fn kept_default(existing: &CatalogColumn) -> Result<Option<String>, String> {
    let CatalogColumn { name, column_type, default, .. } = existing;
    match default {
        ColumnDefault::None => Ok(None),
        ColumnDefault::Expression(expression) => Ok(Some(expression.clone())),
        ColumnDefault::Identity { .. } => {
            Err(format!("column `{name}` is an IDENTITY column of {column_type}"))
        }
    }
}

impl SchemaChange {
    /// Whether it may stand in a transaction.
    pub(crate) fn is_transactional(&self) -> bool {
        !matches!(self, SchemaChange::WidenVarchar { .. })
    }

    /// The column that bound views hold fast; `None` for changes that no view is in the way of.
    pub fn altered_column(&self) -> Option<&str> {
        match self {
            SchemaChange::WidenVarchar { name, .. } | SchemaChange::WidenInteger { name, .. } => {
                Some(name)
            }
            SchemaChange::CreateTable { .. } | SchemaChange::AddColumn { .. } => None,
        }
    }

    /// Whether `SELECT *` means more than before.
    pub fn adds_columns(&self) -> bool {
        matches!(self, SchemaChange::CreateTable { .. } | SchemaChange::AddColumn { .. })
    }

    /// The statements, in order. `kept`: what hangs on the target's columns and goes with a dropped
    /// one.
    pub(crate) fn statements(&self, target: &TableName, kept: &ColumnExtras) -> Vec<String> {
        let alter = format!("ALTER TABLE {}", table(target));
        match self {
            SchemaChange::CreateTable { columns } => vec![create_table(target, columns)],
            SchemaChange::AddColumn { name, column_type } => {
                vec![format!("{alter} ADD COLUMN {} {column_type}", ident(name))]
            }
            SchemaChange::WidenVarchar { name, to, .. } => {
                vec![format!("{alter} ALTER COLUMN {} TYPE {to}", ident(name))]
            }
            SchemaChange::WidenInteger { name, to, not_null, default, .. } => {
                // A NOT NULL column can only be added with a default; the file's own NULLs are
                // refused before.
                let default = default.as_deref().or(not_null.then_some("0"));
                let default =
                    default.map_or(String::new(), |default| format!(" DEFAULT {default}"));
                let not_null = if *not_null { " NOT NULL" } else { "" };
                let mut statements =
                    replace_column(target, &ident(name), &format!("{to}{default}{not_null}"));
                statements.extend(kept.restore(target, &ident(name)));
                statements
            }
        }
    }

    /// For people: what becomes of which column.
    pub fn sentence(&self) -> String {
        match self {
            SchemaChange::CreateTable { columns } => {
                format!("create the table with {} columns", columns.len())
            }
            SchemaChange::AddColumn { name, column_type } => format!("add `{name}` {column_type}"),
            SchemaChange::WidenVarchar { name, from, to } => {
                format!("widen `{name}` from {from} to {to}")
            }
            SchemaChange::WidenInteger { name, from, to, not_null, default } => {
                let default = if *not_null && default.is_none() { ", with DEFAULT 0" } else { "" };
                format!(
                    "widen `{name}` from {from} to {to}; it moves to the end of the table{default}"
                )
            }
        }
    }
}

/// Comments and column grants of the target.
#[derive(Clone, Debug, Default)]
pub(crate) struct ColumnExtras {
    pub(crate) grants: Vec<Grant>,
    /// By column.
    pub(crate) comments: Vec<(String, String)>,
}

impl ColumnExtras {
    /// `column`: quoted.
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
fn replace_column(target: &TableName, column: &str, definition: &str) -> Vec<String> {
    let (table, widened) = (table(target), ident(WIDENED));
    vec![
        format!("ALTER TABLE {table} ADD COLUMN {widened} {definition}"),
        format!("UPDATE {table} SET {widened} = {column}"),
        format!("ALTER TABLE {table} DROP COLUMN {column}"),
        format!("ALTER TABLE {table} RENAME COLUMN {widened} TO {column}"),
    ]
}

fn create_table(target: &TableName, columns: &[TargetColumn]) -> String {
    let definitions: Vec<String> = columns
        .iter()
        .map(|column| {
            let not_null = if column.not_null { " NOT NULL" } else { "" };
            format!("{} {}{not_null}", ident(&column.name), column.column_type)
        })
        .collect();
    format!("CREATE TABLE {} ({})", table(target), definitions.join(", "))
}

#[cfg(test)]
mod tests;
