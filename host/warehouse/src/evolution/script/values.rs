//! The values around a script: what it is written from, and what it consists of (executions, views,
//! notices).

use loader_model::names::TableName;
use serde::{Deserialize, Serialize};

use crate::catalog::ColumnAttributes;
use crate::dependents::Dependents;
use crate::evolution::change::SchemaChange;
use crate::evolution::journal::JournalKey;
use crate::evolution::view_config::ConfiguredView;
use crate::guard::guard;
use crate::saved_view::SavedView;

/// What the loader knows of the target when it writes a script.
pub struct Situation<'a> {
    pub target: &'a TableName,
    pub attributes: &'a [ColumnAttributes],
    pub dependents: &'a Dependents,
    pub configured: &'a [ConfiguredView],
}

/// An evolution that can be shown or run.
#[derive(Clone, Debug, Default)]
pub struct EvolutionPlan {
    pub changes: Vec<SchemaChange>,
    pub views: Vec<ViewChange>,
    pub executions: Vec<Execution>,
    /// Views that are missing between two executions, in the order of creation. They must be in the
    /// journal before the first execution.
    pub journal: Vec<SavedView>,
    /// The statements that come from `view_config.json`. If Redshift refuses one of them, that file
    /// is to blame and not the table.
    pub configured: Vec<String>,
    /// What may surprise the user later, as sentences.
    pub notices: Vec<String>,
}

/// One request to the Data API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Execution {
    /// Everything or nothing.
    Transaction(Transaction),
    /// A statement that Redshift refuses in a transaction, such as
    /// `ALTER TABLE "public"."orders" ALTER COLUMN "note" TYPE VARCHAR(1024)`.
    Alone(String),
}

/// The statements of a transaction, and what it has to do with the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    /// The LOCKs, and then the rest.
    pub(super) statements: Vec<String>,
    pub(super) locks: usize,
    /// Object ids of the views that the transaction drops, as they were read.
    pub(super) dropped: Vec<i64>,
    /// Views of the journal that the transaction drops or makes again.
    pub(super) views: Vec<TableName>,
    /// Whether it makes them again, and so deletes their rows.
    pub(super) makes: bool,
}

/// What happens to a view.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct ViewChange {
    pub view: String,
    pub action: ViewAction,
    pub owner: Option<String>,
    /// How many grants are given back: one for each privilege of each grantee.
    pub grants: usize,
}

/// Why a view is touched.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViewAction {
    /// Dropped, and made again as it was.
    Restore,
    /// Dropped, and made again from `view_config.json`, so that `SELECT *` has the new columns.
    Renew,
    /// Made from `view_config.json` for the first time.
    Create,
}

impl Execution {
    /// The statements of the execution, in order, without those about the journal.
    pub fn statements(&self) -> &[String] {
        match self {
            Execution::Transaction(transaction) => &transaction.statements,
            Execution::Alone(statement) => std::slice::from_ref(statement),
        }
    }
}

impl Transaction {
    /// The statements as they are sent. The guards stand behind the LOCKs, so that they see what
    /// the transactions before have done.
    pub fn to_send(&self, journal: &JournalKey) -> Vec<String> {
        let (mut statements, mut guards) = (self.statements.clone(), Vec::new());
        if !self.views.is_empty() {
            guards.extend(journal.guard(&self.views));
            statements.extend(self.makes.then(|| journal.delete(&self.views)));
        }
        guards.extend(self.same_views());
        statements.splice(self.locks..self.locks, guards);
        statements
    }

    /// The guard that the views to be dropped are those that were read.
    // What hangs on a view is read in several executions. Another run may drop the view and make it
    // again between two of them: the first has found the view, the second no privileges. Such a
    // view has another id by now. (For example, `v` would come back without its grants.)
    pub(super) fn same_views(&self) -> Option<String> {
        let ids: Vec<String> = self.dropped.iter().map(i64::to_string).collect();
        let from = format!("pg_class WHERE oid IN ({})", ids.join(", "));
        let guard = || guard(&format!("COUNT(*) = {}", ids.len()), "same_views", &from);
        (!ids.is_empty()).then(guard)
    }
}

impl EvolutionPlan {
    /// Whether a refused statement is the guard of a column that is to be given its type.
    pub fn guards_type(&self, target: &TableName, refused: &str) -> bool {
        let mut guards = self.changes.iter().flat_map(|change| change.guards(target));
        guards.any(|guard| guard == refused)
    }

    /// All statements, in order.
    pub fn statements(&self) -> Vec<String> {
        self.executions.iter().flat_map(Execution::statements).cloned().collect()
    }
}
