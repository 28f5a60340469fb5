//! How saved views come back where they are missing: which of them exist, and which come back in
//! one transaction.

use loader_model::error::Result;
use loader_model::names::TableName;

use crate::dependents::conditions::{is_object, lists};
use crate::rows::{FromRow, Row};
use crate::saved_view::SavedView;
use crate::sql::fit_one_batch;

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

/// Views that come back in one transaction.
pub struct Pack<'a> {
    pub views: Vec<&'a SavedView>,
    pub statements: Vec<String>,
}

impl Pack<'_> {
    /// The names of the pack's views.
    pub fn names(&self) -> impl Iterator<Item = TableName> {
        self.views.iter().map(|view| view.name.clone())
    }
}

/// Packs as many views into one transaction as it has room for. All statements of a view stay in
/// one pack. A view that alone has more than a batch takes gets a pack of its own, which the program
/// sends in several transactions.
pub fn packs<'a>(views: &[&'a SavedView], user: &str) -> Vec<Pack<'a>> {
    let mut packs: Vec<Pack<'a>> = Vec::new();
    for &view in views {
        let statements = view.restore_sql(user);
        match packs.last_mut() {
            Some(pack) if fit_one_batch(pack.statements.iter().chain(&statements)) => {
                pack.views.push(view);
                pack.statements.extend(statements);
            }
            // Only the last pack takes more views, even if an earlier one has room: the views come
            // in the order of creation, and no view may come before a view that it reads.
            _ => packs.push(Pack { views: vec![view], statements }),
        }
    }
    packs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saved_view::ViewKind;

    #[test]
    fn a_view_is_whole_in_its_transaction() {
        let view = |table: &str, comments: usize, bytes: usize| SavedView {
            name: TableName { schema: "s".into(), table: table.into() },
            kind: ViewKind::Bound,
            create: "x".repeat(bytes),
            owner: "us".into(),
            grants: Vec::new(),
            comment: None,
            column_comments: vec![Default::default(); comments],
        };
        let small = [("a", 19), ("b", 19), ("c", 0), ("d", 60), ("e", 0)];
        let long = ["f", "g", "h"].map(|table| view(table, 0, 50_000));
        let small = small.map(|(table, comments)| view(table, comments, 0));
        let views: Vec<SavedView> = small.into_iter().chain(long).collect();
        let views: Vec<&SavedView> = views.iter().collect();
        let packs = packs(&views, "us");
        let names =
            |pack: &Pack<'_>| pack.names().map(|name| name.table).collect::<Vec<_>>().join("");
        let packed: Vec<(String, usize)> =
            packs.iter().map(|pack| (names(pack), pack.statements.len())).collect();
        let expected =
            [("ab", 40), ("c", 1), ("d", 61), ("efg", 3), ("h", 1)].map(|(n, c)| (n.to_owned(), c));
        assert_eq!(packed, expected);
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
