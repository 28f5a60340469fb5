//! Late-binding views in statements that read them. In: the PostgreSQL text of a statement. Out:
//! the text to run, with the views' queries in place of their names. For example, after
//! `CREATE VIEW v AS SELECT a FROM t WITH NO SCHEMA BINDING`, the statement `SELECT * FROM v`
//! becomes `SELECT * FROM (SELECT a FROM t) AS v`. A statement that reads no such view is left as
//! it is.
//!
//! The query runs with the rights of the statement's user, who therefore needs SELECT on the view
//! and on its tables; in Redshift the view's owner needs the rights on the tables.

use std::collections::HashMap;

use tokio_postgres::SimpleQueryMessage;

use crate::session::Session;
use crate::sql::{LateBindingView, Reader, engine_error, literal};

/// The text to run for `sql`. An error is the statement's `Error`.
pub(super) async fn resolve(session: &Session, sql: String) -> Result<String, String> {
    // What sqlparser cannot read is not a statement that reads views; PostgreSQL judges it.
    let Some(mut reader) = Reader::parse(&sql) else { return Ok(sql) };
    let views = views_behind(session, reader.relations()).await?;
    if views.is_empty() {
        return Ok(sql);
    }
    reader.inline(views).map_err(|error| error.to_string())
}

/// The late-binding views among `names`, among the relations that these views read, and so on.
// Each round looks up the names that the round before has found. `asked` holds every name that was
// ever looked up, so views that read each other (v reads w, w reads v) end the loop; `inline` then
// refuses them.
async fn views_behind(
    session: &Session,
    names: Vec<String>,
) -> Result<HashMap<String, LateBindingView>, String> {
    let mut asked = names.clone();
    let mut wanted = names;
    let mut views = HashMap::new();
    while !wanted.is_empty() {
        let mut next = Vec::new();
        for (name, query) in look_up(session, &wanted).await? {
            let mut view = LateBindingView::parse(&query).ok_or_else(|| {
                format!("ERROR: cannot read the definition of late-binding view {name}")
            })?;
            next.extend(view.relations());
            views.insert(name, view);
        }
        next.sort();
        next.dedup();
        next.retain(|name| !asked.contains(name));
        asked.extend(next.iter().cloned());
        wanted = next;
    }
    Ok(views)
}

/// Those of `names` that are late-binding views, each with its query.
async fn look_up(session: &Session, names: &[String]) -> Result<Vec<(String, String)>, String> {
    let sql = look_up_sql(names);
    let messages = session.client.simple_query(&sql).await.map_err(|error| engine_error(&error))?;
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some((row.get(0)?.to_owned(), row.get(1)?.to_owned())),
        _ => None,
    });
    Ok(rows.collect())
}

fn look_up_sql(names: &[String]) -> String {
    let values: Vec<String> = names.iter().map(|name| format!("({})", literal(name))).collect();
    format!(
        "SELECT name, query FROM (SELECT name, loader_local.late_binding_query(name) AS query FROM \
         (VALUES {}) AS given (name)) AS found WHERE query IS NOT NULL",
        values.join(", ")
    )
}
