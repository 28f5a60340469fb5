//! The table that a statement writes to. In: a statement that was rewritten for PostgreSQL. Out: the
//! table's name as PostgreSQL text, for the lock that the statement takes.

use sqlparser::ast::{
    Delete, FromTable, ObjectName, Statement, TableFactor, TableObject, TableWithJoins,
};

use crate::sql::helper::HELPER_SCHEMA;

/// The table of an INSERT, UPDATE, DELETE or MERGE. `None` also for a system view: writing to one
/// is refused, and a lock would lock the catalog behind it.
pub(super) fn table(statement: &Statement) -> Option<String> {
    let name = match statement {
        Statement::Insert(insert) => match &insert.table {
            TableObject::TableName(name) => Some(name),
            _ => None,
        },
        Statement::Update(update) => named(&update.table.relation),
        Statement::Delete(delete) => deleted_from(delete).and_then(|table| named(&table.relation)),
        Statement::Merge(merge) => named(&merge.table),
        _ => None,
    };
    name.map(ToString::to_string).filter(|name| !name.starts_with(HELPER_SCHEMA))
}

fn deleted_from(delete: &Delete) -> Option<&TableWithJoins> {
    let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = &delete.from;
    tables.first()
}

fn named(table: &TableFactor) -> Option<&ObjectName> {
    match table {
        TableFactor::Table { name, .. } => Some(name),
        _ => None,
    }
}
