//! How saved views come back where they are missing: which of them exist, and which come back in
//! one transaction.

use loader_model::error::Result;
use loader_model::names::TableName;

use crate::bookkeeping::lock_fence;
use crate::dependents::conditions::{is_object, lists};
use crate::evolution::journal::JournalKey;
use crate::rows::{FromRow, Row};
use crate::saved_view::{SavedView, VIEW_STATEMENTS, fit_together};

/// The queries that tell which of the views exist: one query, or several when the names are too
/// long for one statement.
pub fn existing_sql(views: &[SavedView]) -> Vec<String> {
    let conditions = lists(views.iter().map(|view| is_object(&view.name)), " OR ");
    let select = |condition| {
        format!(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = \
             c.relnamespace WHERE {condition}"
        )
    };
    conditions.into_iter().map(select).collect()
}

/// A relation that exists.
pub struct Existing {
    pub name: TableName,
}

impl FromRow for Existing {
    fn from_row(row: Row<'_>) -> Result<Existing> {
        Ok(Existing { name: row.relation("nspname", "relname")? })
    }
}

/// Views that come back in one transaction, which takes them out of the journal.
pub struct Pack<'a> {
    pub views: Vec<&'a SavedView>,
    /// The statements that make the views.
    makes: Vec<String>,
}

impl Pack<'_> {
    /// The names of the pack's views.
    pub fn names(&self) -> Vec<TableName> {
        self.views.iter().map(|view| view.name.clone()).collect()
    }

    /// The statements of the transaction. The guard keeps it from making a view that is none of the
    /// journal's any more, because another run has brought it back.
    pub fn statements(&self, journal: &JournalKey) -> Vec<String> {
        let names = self.names();
        let mut statements = vec![lock_fence(&journal.target)];
        statements.extend(journal.guard(&names));
        statements.extend(self.makes.iter().cloned());
        statements.push(journal.delete(&names));
        statements
    }

    /// Whether one transaction takes the pack. A view that the loader has dropped always fits.
    pub fn fits(&self) -> bool {
        self.makes.len() <= VIEW_STATEMENTS
    }
}

/// Packs as many views into one transaction as it has room for. All statements of a view stay in
/// one pack.
pub fn packs<'a>(views: &[&'a SavedView], user: &str) -> Vec<Pack<'a>> {
    let mut packs: Vec<Pack<'a>> = Vec::new();
    for &view in views {
        let makes = view.restore_sql(user);
        match packs.last_mut() {
            Some(pack) if fit_together(pack.makes.iter().chain(&makes)) => {
                pack.views.push(view);
                pack.makes.extend(makes);
            }
            // Only the last pack takes more views, even if an earlier one has room: the views come
            // in the order of creation, and no view may come before a view that it reads.
            _ => packs.push(Pack { views: vec![view], makes }),
        }
    }
    packs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saved_view::ViewKind;
    use crate::sql::MAX_STATEMENT_BYTES;

    #[test]
    fn a_view_is_whole_in_its_transaction() {
        let view = |table: &str, comments: usize| SavedView {
            name: TableName { schema: "s".into(), table: table.into() },
            kind: ViewKind::Bound,
            create: "CREATE VIEW …".into(),
            owner: "us".into(),
            grants: Vec::new(),
            comment: None,
            column_comments: vec![Default::default(); comments],
        };
        let mut views = [view("a", 17), view("b", 16), view("c", 0), view("d", 60), view("e", 0)];
        views[4].create = "x".repeat(MAX_STATEMENT_BYTES);
        let views: Vec<&SavedView> = views.iter().chain([&views[2]]).collect();
        let packs = packs(&views, "us");
        let packed: Vec<(String, usize, bool)> = packs
            .iter()
            .map(|pack| {
                let names = pack.names().into_iter().map(|name| name.table).collect();
                (names, pack.makes.len(), pack.fits())
            })
            .collect();
        let expected =
            [("ab", 35, true), ("c", 1, true), ("d", 61, false), ("e", 1, true), ("c", 1, true)];
        assert_eq!(packed, expected.map(|(names, count, fits)| (names.into(), count, fits)));
        let target = TableName { schema: "s".into(), table: "t".into() };
        let journal = JournalKey { target, run_id: "r1".into() };
        insta::assert_snapshot!(packs[1].statements(&journal).join("\n"), @r#"
        LOCK "s"."loader_fence_t"
        SET enable_result_cache_for_session TO off
        SELECT 1 / (CASE WHEN COUNT(*) = 1 THEN 1 ELSE 0 END) AS still_in_journal FROM "s"."loader_dropped_views" WHERE part = 1 AND target_table = 's.t' AND run_id = 'r1' AND ((view_schema = 's' AND view_name = 'c'))
        CREATE VIEW …
        DELETE FROM "s"."loader_dropped_views" WHERE target_table = 's.t' AND run_id = 'r1' AND ((view_schema = 's' AND view_name = 'c'))
        "#);
    }

    #[test]
    fn one_query_asks_for_all() {
        let name = TableName { schema: "s".into(), table: "it's".into() };
        let view = SavedView {
            kind: ViewKind::Bound,
            create: String::new(),
            owner: String::new(),
            grants: Vec::new(),
            comment: None,
            column_comments: Vec::new(),
            name,
        };
        insta::assert_snapshot!(existing_sql(&[view.clone(), view]).join("\n"), @"SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE (n.nspname = 's' AND c.relname = 'it''s') OR (n.nspname = 's' AND c.relname = 'it''s')");
        assert!(existing_sql(&[]).is_empty());
    }
}
