//! What a script is written from, and what it is: executions, views, notices.

use loader_model::names::TableName;
use serde::Serialize;

use crate::catalog::ColumnAttributes;
use crate::dependents::Dependents;
use crate::evolution::change::SchemaChange;
use crate::evolution::view_config::ConfiguredView;
use crate::saved_view::SavedView;

/// What is known of the target when a script is written.
pub struct Situation<'a> {
    pub target: &'a TableName,
    pub attributes: &'a [ColumnAttributes],
    pub dependents: &'a Dependents,
    pub configured: &'a [ConfiguredView],
}

/// An evolution, ready to be shown or run.
#[derive(Clone, Debug, Default)]
pub struct EvolutionPlan {
    pub changes: Vec<SchemaChange>,
    pub views: Vec<ViewChange>,
    pub executions: Vec<Execution>,
    /// Views that are missing between two executions, so that they must be written down first; in
    /// the order of creation.
    pub journal: Vec<SavedView>,
    /// Which of the statements come from `view_config.json`.
    pub configured: Vec<String>,
    /// What may surprise later, as sentences.
    pub notices: Vec<String>,
}

/// One execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Execution {
    /// Everything or nothing.
    Transaction(Vec<String>),
    /// Redshift refuses it in a transaction.
    Alone(String),
}

/// What happens to a view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ViewChange {
    pub view: String,
    pub action: ViewAction,
    pub owner: Option<String>,
    /// Privileges that are given back, counted by grantee.
    pub grants: usize,
}

/// Why a view is touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViewAction {
    /// Dropped, and made again as it was.
    Restore,
    /// Dropped, and made again from `view_config.json`, so that it sees new columns.
    Renew,
    /// Made from `view_config.json` for the first time.
    Create,
}

impl Execution {
    /// Its statements, in order.
    pub fn statements(&self) -> &[String] {
        match self {
            Execution::Transaction(statements) => statements,
            Execution::Alone(statement) => std::slice::from_ref(statement),
        }
    }
}

impl EvolutionPlan {
    /// All statements, in order.
    pub fn statements(&self) -> Vec<String> {
        self.executions.iter().flat_map(Execution::statements).cloned().collect()
    }
}
