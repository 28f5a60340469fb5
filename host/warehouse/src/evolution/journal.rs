//! The journal of a schema change that cannot be one transaction: the views that the change drops,
//! as rows of the table `loader_dropped_views`.
//!
//! A view has a row (several, when it is long) from before its DROP until the transaction that
//! brings it back. Every transaction about these rows begins with LOCK of the target's fence, so
//! that they come one after the other:
//!
//! - rows are inserted before the first DROP;
//! - a transaction that drops views, or makes them again, goes on only while the journal has them;
//! - a transaction that makes views again deletes their rows.
//!
//! So a DROP that arrives late, when the view is back, finds no row and does nothing. This module
//! has the statements and reads the rows. The program decides when.

mod read;

use loader_model::error::{Context, Kind, Result};
use loader_model::names::TableName;
use serde::Serialize;

use crate::bookkeeping::{DROPPED_VIEWS, MAX_PART_BYTES, lock_fence};
use crate::dependents::conditions::{is, is_object};
use crate::guard::guard;
use crate::saved_view::SavedView;
use crate::session::{NO_CACHED_RESULTS, UTC};
use crate::sql::{MAX_BATCH_STATEMENTS, MAX_STATEMENT_BYTES, cut, table, text};

pub use read::{ALIVE_MINUTES, LeftJournal, LeftViews, Listed, query};

/// The version of a row's content. A later version may add what this one would not bring back.
const VERSION: u32 = 1;
/// The most views that one transaction forgets. Their names stand in it three times.
const MAX_FORGOTTEN: usize = 50;

/// What a run drops and must bring back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    pub key: JournalKey,
    /// In the order in which they can be created.
    pub views: Vec<SavedView>,
}

/// Whose rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalKey {
    /// The table that the run changes.
    pub target: TableName,
    pub run_id: String,
}

/// The content of a view's rows, joined.
#[derive(Serialize)]
struct Content<'a> {
    version: u32,
    #[serde(flatten)]
    view: &'a SavedView,
}

impl Journal {
    /// The transactions that write the rows: mostly one.
    // No source says whether 100 KB is the limit of a statement or of a batch, so the statements of
    // a transaction have no more in sum.
    pub fn write_sql(&self) -> Result<Vec<Vec<String>>> {
        let begin = [lock_fence(&self.key.target), UTC.to_owned(), self.key.try_delete()];
        let (mut transactions, mut bytes): (Vec<Vec<String>>, usize) = (Vec::new(), 0);
        for insert in self.inserts()? {
            let room = transactions.last().is_some_and(|last| {
                last.len() < MAX_BATCH_STATEMENTS && bytes + insert.len() <= MAX_STATEMENT_BYTES
            });
            if !room {
                bytes = begin.iter().map(String::len).sum();
                transactions.push(begin.to_vec());
            }
            bytes += insert.len();
            transactions.last_mut().into_iter().for_each(|last| last.push(insert.clone()));
        }
        Ok(transactions)
    }

    fn inserts(&self) -> Result<Vec<String>> {
        let mut inserts = Vec::new();
        for (place, view) in self.views.iter().enumerate() {
            let content = serde_json::to_string(&Content { version: VERSION, view })
                .context(Kind::Internal, "a view cannot be written as JSON")?;
            let parts = parts(&content);
            let count = parts.len();
            let rows =
                (1..).zip(parts).map(|(part, text)| self.insert(view, place, part, count, text));
            inserts.extend(rows);
        }
        Ok(inserts)
    }

    fn insert(
        &self,
        view: &SavedView,
        place: usize,
        part: usize,
        parts: usize,
        piece: &str,
    ) -> String {
        format!(
            "INSERT INTO {} (target_table, run_id, view_schema, view_name, place, part, parts, \
             content, written_at) VALUES ({}, {}, {}, {}, {place}, {part}, {parts}, {}, GETDATE())",
            self.key.table(),
            text(&self.key.target.to_string()),
            text(&self.key.run_id),
            text(&view.name.schema),
            text(&view.name.table),
            text(piece),
        )
    }
}

/// Cuts a text to pieces that fit their column, at character boundaries.
fn parts(mut content: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    while !content.is_empty() {
        let (part, rest) = content.split_at(cut(content, MAX_PART_BYTES).len());
        parts.push(part);
        content = rest;
    }
    parts
}

impl JournalKey {
    /// The guard that the journal has these views. It stands behind the LOCK of the fence.
    pub fn guard(&self, views: &[TableName]) -> Vec<String> {
        let from = format!("{} WHERE part = 1 AND {}", self.table(), self.are(views));
        let guard = guard(&format!("COUNT(*) = {}", views.len()), "still_in_journal", &from);
        vec![NO_CACHED_RESULTS.to_owned(), guard]
    }

    /// Deletes the rows of these views.
    pub fn delete(&self, views: &[TableName]) -> String {
        format!("DELETE FROM {} WHERE {}", self.table(), self.are(views))
    }

    /// Deletes no row, and fails where the user may not delete any. Then no view must be dropped,
    /// since the transaction that brings it back deletes its row.
    fn try_delete(&self) -> String {
        format!("DELETE FROM {} WHERE 1 = 0", self.table())
    }

    /// The query for the views that the journal still has; its rows are [`Listed`].
    pub fn listed_sql(&self) -> String {
        format!(
            "SELECT view_schema, view_name FROM {} WHERE part = 1 AND {}",
            self.table(),
            self.is_it()
        )
    }

    /// The transactions that delete the rows of views which exist.
    // What a look at the catalog has shown before is not enough, since a DROP may have been on its
    // way. Behind the LOCK no DROP of this target is, and later ones find no row.
    pub fn forget_sql(&self, views: &[TableName]) -> Vec<Vec<String>> {
        let forget = |views: &[TableName]| {
            let exist: Vec<String> = views.iter().map(is_object).collect();
            let from = format!(
                "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {}",
                exist.join(" OR ")
            );
            let exist = guard(&format!("COUNT(*) = {}", views.len()), "views_exist", &from);
            let (lock, delete) = (vec![lock_fence(&self.target)], vec![exist, self.delete(views)]);
            [lock, self.guard(views), delete].concat()
        };
        views.chunks(MAX_FORGOTTEN).map(forget).collect()
    }

    /// The transaction that deletes all rows of a run which has dropped no view.
    pub fn discard_sql(&self) -> Vec<String> {
        let delete = format!("DELETE FROM {} WHERE {}", self.table(), self.is_it());
        vec![lock_fence(&self.target), delete]
    }

    fn table(&self) -> String {
        table(&self.target.sibling(DROPPED_VIEWS))
    }

    fn is_it(&self) -> String {
        let (target, run_id) = (text(&self.target.to_string()), text(&self.run_id));
        format!("target_table = {target} AND run_id = {run_id}")
    }

    fn are(&self, views: &[TableName]) -> String {
        let views: Vec<String> =
            views.iter().map(|view| is("view_schema", "view_name", view)).collect();
        format!("{} AND ({})", self.is_it(), views.join(" OR "))
    }
}

#[cfg(test)]
mod tests;
