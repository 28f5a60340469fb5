//! Late-binding and materialized views of a table. The catalog does not say that they depend on the
//! table, so their definitions are searched for its name.

use loader_model::error::Result;
use loader_model::names::TableName;

use crate::dependents::details::MAX_DEFINITION_BYTES;
use crate::rows::{FromRow, ResultRows, Row};
use crate::sql::text;
use crate::sql_text::{create_view, mentions, mentions_unqualified};

/// The query for views whose definition has the target's name somewhere in its text.
// The pattern may match too much, since `ByText::read` looks at each text again, but never too
// little. In ILIKE `_` matches any one character, so it stands in for `%`, which would match any
// text, and for a backslash, which would escape. (For example, `50%` is searched for as `50_`.)
pub(super) fn query(target: &TableName) -> String {
    let name = target.table.replace(['%', '\\'], "_").replace('"', "\"\"");
    format!(
        "SELECT schemaname, viewname, CASE WHEN octet_length(definition) <= {MAX_DEFINITION_BYTES} \
         THEN definition END AS definition FROM pg_views WHERE (definition ILIKE '%no schema \
         binding%' OR definition ILIKE '%materialized view%') AND definition ILIKE {} ORDER BY \
         schemaname, viewname",
        text(&format!("%{name}%"))
    )
}

struct ViewText {
    name: TableName,
    /// `None` when the definition is too long to be read.
    definition: Option<String>,
}

impl FromRow for ViewText {
    fn from_row(row: Row<'_>) -> Result<ViewText> {
        Ok(ViewText {
            name: row.relation("schemaname", "viewname")?,
            definition: row.optional_text("definition")?,
        })
    }
}

/// The views whose definitions name the target, without those whose definition is too long to be
/// read.
pub(super) struct ByText {
    pub(super) late_binding: Vec<TableName>,
    pub(super) materialized: Vec<TableName>,
}

impl ByText {
    pub(super) fn read(rows: &ResultRows, target: &TableName) -> Result<ByText> {
        let mut found = ByText { late_binding: Vec::new(), materialized: Vec::new() };
        for ViewText { name, definition } in rows.decode()? {
            let Some(definition) = definition else { continue };
            // Only a materialized view may name the target without its schema.
            let qualified = mentions(&definition, target);
            if !create_view(&definition).is_some_and(|create| create.materialized) {
                found.late_binding.extend(qualified.then_some(name));
            } else if qualified || mentions_unqualified(&definition, target) {
                found.materialized.push(name);
            }
        }
        Ok(found)
    }
}
