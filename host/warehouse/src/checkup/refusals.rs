//! Statements that a warehouse refuses, and what the loader must read from its words: everything
//! that a load decides by a refusal rests on these texts.

use loader_model::names::TableName;

use crate::guard::guard;
use crate::refusal::Refusal;
use crate::sql::{ident, table};

/// A statement that is refused.
#[derive(Clone)]
pub struct Provocation {
    pub name: &'static str,
    pub statement: String,
    is_right: fn(Refusal) -> bool,
    /// What the loader decides by it.
    pub decides: &'static str,
}

impl Provocation {
    /// Whether a refusal is read as it should be.
    pub fn is_read(&self, refusal: Refusal) -> bool {
        (self.is_right)(refusal)
    }
}

/// The statements that [`provocations`] need before: a table, and a view that reads it.
pub fn prepare(name: &TableName) -> Vec<String> {
    let view = name.sibling(&view_of(name));
    let (name, view) = (table(name), table(&view));
    vec![
        format!("CREATE TABLE {name} (id INTEGER, note VARCHAR(20), free VARCHAR(20))"),
        format!("CREATE VIEW {view} AS SELECT note FROM {name}"),
    ]
}

fn view_of(name: &TableName) -> String {
    format!("{}_view", name.table)
}

/// Every refusal that can be provoked on the table of [`prepare`].
pub fn provocations(name: &TableName) -> Vec<Provocation> {
    [missing_things(name), other_refusals(name)].concat()
}

fn missing_things(name: &TableName) -> Vec<Provocation> {
    let missing = name.sibling(&format!("{}_missing", name.table));
    let (whole, gone) = (table(name), table(&missing));
    let nowhere = format!("{}.{}", ident(&missing.table), ident("t"));
    let select = |what: &str, from: &str| format!("SELECT {what} FROM {from}");
    let provocation =
        |name, statement, decides| Provocation { name, statement, is_right: is_missing, decides };
    vec![
        provocation("missing table", select("1", &gone), "that the ledger has to be made"),
        provocation("missing schema", select("1", &nowhere), "that --schema-name names no schema"),
        provocation("missing column", select("missing", &whole), "that the table was changed"),
    ]
}

fn other_refusals(name: &TableName) -> Vec<Provocation> {
    let whole = table(name);
    let alter = |column: &str| format!("ALTER TABLE {whole} ALTER COLUMN {column}");
    vec![
        Provocation {
            name: "guard",
            statement: guard("1 = 0", "held", &format!("(SELECT COUNT(*) AS n FROM {whole}) AS c")),
            is_right: |refusal| refusal == Refusal::Guard,
            decides: "that a file was loaded before, or that a load would break a promise",
        },
        Provocation {
            name: "already exists",
            statement: format!("CREATE TABLE {whole} (n INTEGER)"),
            is_right: |refusal| refusal == Refusal::AlreadyExists,
            decides: "that another load made the table",
        },
        Provocation {
            name: "wide already",
            statement: format!("{} TYPE VARCHAR(20)", alter("free")),
            is_right: |refusal| refusal == Refusal::WideAlready,
            decides: "that another load widened the column",
        },
        Provocation {
            name: "held by a view",
            statement: format!("{} TYPE VARCHAR(40)", alter("note")),
            is_right: |refusal| refusal == Refusal::HeldByViews,
            decides: "that a new view has to be dropped and made again",
        },
    ]
}

/// Refused to all users but superusers.
pub fn denied() -> Provocation {
    Provocation {
        name: "permission denied",
        statement: "SELECT COUNT(*) AS n FROM pg_shadow".to_owned(),
        is_right: |refusal| refusal == Refusal::Denied,
        decides: "that the user lacks a right",
    }
}

/// Ends at its timeout while another session holds the table.
pub fn waits_too_long(name: &TableName) -> Vec<String> {
    let patience = "SET statement_timeout TO 1000".to_owned();
    vec![patience, format!("SELECT COUNT(*) AS n FROM {}", table(name))]
}

fn is_missing(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::Missing(_))
}
