//! Conditions that pick relations, and lists of them that are short enough for a statement.

use loader_model::names::TableName;

use crate::sql::text;

/// The most bytes of one list. The whole statement may have 100 KB.
const MAX_LIST_BYTES: usize = 60_000;

/// The condition for a relation in pg_class (`c`) and pg_namespace (`n`), such as
/// `(n.nspname = 'public' AND c.relname = 'orders')`.
pub(crate) fn is_object(name: &TableName) -> String {
    is("n.nspname", "c.relname", name)
}

/// The condition for a relation. `schema`, `relation`: the columns with its schema and its name.
pub(crate) fn is(schema: &str, relation: &str, name: &TableName) -> String {
    format!("({schema} = {} AND {relation} = {})", text(&name.schema), text(&name.table))
}

/// Joins items into as few lists as fit into statements. No items make no list.
pub fn lists(items: impl Iterator<Item = String>, separator: &str) -> Vec<String> {
    let mut lists: Vec<String> = Vec::new();
    for item in items {
        match lists.last_mut() {
            Some(list) if list.len() + separator.len() + item.len() <= MAX_LIST_BYTES => {
                list.push_str(separator);
                list.push_str(&item);
            }
            _ => lists.push(item),
        }
    }
    lists
}
