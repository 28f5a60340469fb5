//! Another program that merges into a table while a load does: what each of the two sends.
//!
//! Both have a row of a key that the table does not have. The other program has written its row and
//! not yet committed when the load begins, and commits while the load is at its DELETE.

use loader_model::names::TableName;

use crate::bookkeeping::lock;
use crate::rows::{FromRow, Row};
use crate::sql::table;
use loader_model::error::Result;

/// The key that both write.
const KEY: i32 = 7;

/// Makes the table that both merge into.
pub fn table_statements(name: &TableName) -> Vec<String> {
    let name = table(name);
    vec![
        format!("CREATE TABLE {name} (id INTEGER, writer VARCHAR(20))"),
        format!("INSERT INTO {name} VALUES (1, 'before')"),
    ]
}

/// What the other program has done when the load begins. Each statement is sent by itself, in one
/// session.
pub fn others_begin(name: &TableName) -> Vec<String> {
    let name = table(name);
    vec![
        "BEGIN".to_owned(),
        format!("DELETE FROM {name} WHERE id = {KEY}"),
        format!("INSERT INTO {name} VALUES ({KEY}, 'another program')"),
    ]
}

/// The transaction of the load: it reads the table, as it reads its fence, and then merges. With
/// `locked` it locks the table first, as `--lock-target` does.
pub fn load(name: &TableName, locked: bool) -> Vec<String> {
    let lock = locked.then(|| lock(name));
    let name = table(name);
    let merge = vec![
        format!("SELECT COUNT(*) AS n FROM {name}"),
        format!("DELETE FROM {name} WHERE id = {KEY}"),
        format!("INSERT INTO {name} VALUES ({KEY}, 'the load')"),
    ];
    lock.into_iter().chain(merge).collect()
}

/// The query for the rows of the key.
pub fn rows_query(name: &TableName) -> String {
    format!("SELECT COUNT(*) AS n FROM {} WHERE id = {KEY}", table(name))
}

/// The answer to [`rows_query`].
pub struct RowsOfKey(pub i64);

impl FromRow for RowsOfKey {
    fn from_row(row: Row<'_>) -> Result<RowsOfKey> {
        row.integer("n").map(RowsOfKey)
    }
}
