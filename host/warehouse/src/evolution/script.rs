//! The script of an evolution: what is dropped, changed and brought back, in which order and in
//! which transactions.
//!
//! Comes in: the changes, what hangs on the table, the views of `view_config.json`. Goes out: a
//! [`EvolutionPlan`], or every reason why the table cannot be changed without losing something. All of it
//! is known before the first statement.

use serde::Serialize;

use crate::catalog::ColumnAttributes;
use crate::dependents::{Dependent, Dependents};
use crate::evolution::change::{ColumnExtras, SchemaChange};
use crate::evolution::view::SavedView;
use crate::evolution::view_config::ConfiguredView;
use crate::sql::{MAX_BATCH_STATEMENTS, MAX_STATEMENT_BYTES, table};
use loader_model::names::TableName;

/// Statements of a load beside those that make its table and views.
const LOAD_STATEMENTS: usize = 15;
/// Encodings whose columns cannot be altered.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html>, ALTER COLUMN TYPE.
const FIXED_ENCODINGS: [&str; 4] = ["bytedict", "runlength", "text255", "text32k"];

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
    /// Views that are missing between two executions, so that they must be written down first; in the
    /// order of creation.
    pub journal: Vec<SavedView>,
    /// Which of the statements come from `view_config.json`.
    pub configured: Vec<String>,
    /// What somebody might wonder about later.
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
        self.executions.iter().flat_map(|step| step.statements()).cloned().collect()
    }
}

/// Writes the script. `Err`: all that is in the way, each named with its remedy; nothing was
/// touched.
pub fn plan(
    changes: Vec<SchemaChange>,
    situation: &Situation<'_>,
) -> Result<EvolutionPlan, Vec<String>> {
    let mut obstacles = column_obstacles(&changes, situation.attributes);
    let held = held_views(&changes, situation.dependents);
    obstacles.extend(held.iter().filter_map(|dependent| dependent.obstacle.clone()));
    obstacles.extend(table_obstacles(&changes, situation, &held));
    if !obstacles.is_empty() {
        return Err(obstacles);
    }
    let mut plan = EvolutionPlan::default();
    let mut views = ViewScript::default();
    let renewed = renewed_views(&changes, situation, &mut plan.notices);
    let readers = situation
        .dependents
        .affected(|dependent| renewed.iter().any(|view| view.name == dependent.view.name));
    for dependent in &situation.dependents.views {
        let was = &dependent.view;
        let touched = |views: &[&Dependent]| views.iter().any(|other| other.view.name == was.name);
        if let Some(configured) = renewed.iter().find(|view| view.name == was.name) {
            views.bring_back(
                was,
                SavedView { create: configured.create.clone(), ..was.clone() },
                ViewAction::Renew,
            );
        } else if touched(&readers) || touched(&held) {
            views.bring_back(was, was.clone(), ViewAction::Restore);
        }
    }
    if changes.iter().any(SchemaChange::adds_columns) {
        let known = |view: &&ConfiguredView| {
            situation.dependents.views.iter().any(|other| other.view.name == view.name)
        };
        situation.configured.iter().filter(|view| !known(view)).for_each(|view| views.create(view));
    }
    let extras = ColumnExtras {
        grants: situation.dependents.target_column_grants.clone(),
        comments: situation.dependents.target_column_comments.clone(),
    };
    let changed: Vec<Vec<String>> =
        changes.iter().map(|change| change.statements(situation.target, &extras)).collect();
    if !situation.dependents.superuser
        && changes.iter().any(|change| matches!(change, SchemaChange::WidenInteger { .. }))
    {
        let user = &situation.dependents.user;
        plan.notices.push(format!(
            "privileges on single columns that {user} cannot see, as no superuser, do not come \
             with a widened integer"
        ));
    }
    if situation.dependents.policies_unknown && !views.dropped.is_empty() {
        plan.notices.push(
            "whether the views have row-level security could not be read; it would not be restored"
                .into(),
        );
    }
    (plan.executions, plan.journal) = views.arrange(&changes, changed, situation);
    plan.configured = situation.configured.iter().map(|view| view.create.clone()).collect();
    (plan.changes, plan.views) = (changes, views.shown);
    Ok(plan)
}

/// Views that have to go for the changes: those that read an altered column, and all that read
/// those. A VARCHAR is altered only when no view reads the table at all.
fn held_views<'a>(changes: &[SchemaChange], dependents: &'a Dependents) -> Vec<&'a Dependent> {
    let any_varchar =
        changes.iter().any(|change| matches!(change, SchemaChange::WidenVarchar { .. }));
    let altered: Vec<&str> = changes.iter().filter_map(SchemaChange::altered_column).collect();
    dependents.affected(|dependent| {
        let reads_altered =
            dependent.columns.iter().any(|column| altered.contains(&column.as_str()));
        reads_altered || (any_varchar && dependent.reads_target)
    })
}

/// Views of `view_config.json` that are made anew because columns are added. One that cannot be
/// brought back, or something that reads it, stays as it is: the load does not depend on it.
fn renewed_views<'a>(
    changes: &[SchemaChange],
    situation: &'a Situation<'_>,
    notices: &mut Vec<String>,
) -> Vec<&'a ConfiguredView> {
    let mut renewed = Vec::new();
    if !changes.iter().any(SchemaChange::adds_columns) {
        return renewed;
    }
    for configured in situation.configured {
        let affected =
            situation.dependents.affected(|dependent| dependent.view.name == configured.name);
        match affected.iter().find_map(|dependent| dependent.obstacle.as_ref()) {
            Some(obstacle) => {
                notices.push(format!("view {} keeps its old columns: {obstacle}", configured.name))
            }
            None => renewed.push(configured),
        }
    }
    renewed
}

/// What is in the way whichever column is meant.
fn table_obstacles(
    changes: &[SchemaChange],
    situation: &Situation<'_>,
    held: &[&Dependent],
) -> Vec<String> {
    let (target, dependents) = (situation.target, situation.dependents);
    let mut obstacles = Vec::new();
    let alters = changes.iter().any(|change| change.altered_column().is_some());
    let known = |name: &TableName| held.iter().any(|other| other.view.name == *name);
    // Any change of a column's type may leave a materialized view that cannot be refreshed, used
    // there or not.
    for view in dependents.materialized.iter().filter(|view| alters && !known(view)) {
        obstacles.push(format!(
            "{view} is a materialized view of it, which could not be refreshed any more; drop it \
             before the load and create it again afterwards"
        ));
    }
    if !held.is_empty() && !dependents.owns_target {
        obstacles.push(format!(
            "{target} belongs to another user than {}; run the load as a superuser or as the owner",
            dependents.user
        ));
    }
    if matches!(changes, [SchemaChange::CreateTable { .. }])
        && situation.configured.len() > MAX_BATCH_STATEMENTS - LOAD_STATEMENTS
    {
        obstacles.push(format!(
            "view_config.json has {} views of it, and at most {} can be made together with a table",
            situation.configured.len(),
            MAX_BATCH_STATEMENTS - LOAD_STATEMENTS
        ));
    }
    let too_long =
        situation.configured.iter().filter(|view| view.create.len() > MAX_STATEMENT_BYTES);
    obstacles.extend(too_long.map(|view| {
        let bytes = view.create.len();
        format!(
            "the definition of {} makes a statement of {bytes} bytes, the Data API takes 100,000",
            view.name
        )
    }));
    obstacles
}

/// Keys and encodings that Redshift does not let go of.
fn column_obstacles(changes: &[SchemaChange], attributes: &[ColumnAttributes]) -> Vec<String> {
    let obstacle = |change: &SchemaChange| {
        let (SchemaChange::WidenVarchar { name, to, .. }
        | SchemaChange::WidenInteger { name, to, .. }) = change
        else {
            return None;
        };
        let attributes = attributes.iter().find(|attributes| attributes.name == *name)?;
        let in_place = !change.is_transactional();
        if !in_place && (attributes.is_distkey || attributes.is_sortkey) {
            let key = if attributes.is_distkey { "distribution" } else { "sort" };
            return Some(format!(
                "column `{name}` is a {key} key, which cannot be replaced by a wider one; make the \
                 table anew with {to}"
            ));
        }
        if attributes.is_constrained {
            return Some(format!(
                "column `{name}` is part of a declared key (PRIMARY KEY, UNIQUE or FOREIGN KEY), \
                 which Redshift does not alter; drop that constraint, loader merges without it"
            ));
        }
        let encoding = attributes.encoding.as_str();
        (in_place && FIXED_ENCODINGS.contains(&encoding)).then(|| {
            format!(
                "column `{name}` is encoded as {encoding}, which Redshift does not alter; first \
                 run ALTER TABLE … ALTER COLUMN {name} ENCODE lzo"
            )
        })
    };
    changes.iter().filter_map(obstacle).collect()
}

/// What is done about views, collected in the order of creation.
#[derive(Default)]
struct ViewScript {
    dropped: Vec<SavedView>,
    /// By view, so that one is never half restored.
    made: Vec<ViewStatements>,
    shown: Vec<ViewChange>,
}

enum ViewStatements {
    Saved(SavedView),
    New(String),
}

impl ViewScript {
    /// `was` is what the journal keeps: it worked, which a new definition has still to show.
    fn bring_back(&mut self, was: &SavedView, view: SavedView, action: ViewAction) {
        self.shown.push(ViewChange {
            view: view.name.to_string(),
            action,
            owner: Some(view.owner.clone()),
            grants: view.grants.len(),
        });
        self.dropped.push(was.clone());
        self.made.push(ViewStatements::Saved(view));
    }

    fn create(&mut self, view: &ConfiguredView) {
        let action = ViewAction::Create;
        self.shown.push(ViewChange { view: view.name.to_string(), action, owner: None, grants: 0 });
        self.made.push(ViewStatements::New(view.create.clone()));
    }

    /// One transaction where that is possible; else the journal has what is missing meanwhile.
    fn arrange(
        &self,
        changes: &[SchemaChange],
        changed: Vec<Vec<String>>,
        situation: &Situation<'_>,
    ) -> (Vec<Execution>, Vec<SavedView>) {
        let drops: Vec<Vec<String>> =
            self.dropped.iter().rev().map(|view| vec![view.drop_sql()]).collect();
        let user = &situation.dependents.user;
        let makes = self.made.iter().map(|made| match made {
            ViewStatements::Saved(view) => view.restore_sql(user),
            ViewStatements::New(create) => vec![create.clone()],
        });
        let (mut alone, mut together) = (Vec::new(), Vec::new());
        for (change, statements) in changes.iter().zip(changed) {
            if change.is_transactional() {
                together.push(statements)
            } else {
                alone.extend(statements)
            }
        }
        let creates = matches!(changes, [SchemaChange::CreateTable { .. }]);
        let lock =
            (!creates && !together.is_empty()).then(|| format!("LOCK {}", table(situation.target)));
        let makes: Vec<Vec<String>> = makes.collect();
        if alone.is_empty() {
            let all: Vec<Vec<String>> =
                drops.iter().chain(&together).chain(&makes).cloned().collect();
            let in_one = creates
                || all.iter().map(Vec::len).sum::<usize>() + usize::from(lock.is_some())
                    <= MAX_BATCH_STATEMENTS;
            if in_one {
                let statements: Vec<String> =
                    lock.into_iter().chain(all.into_iter().flatten()).collect();
                let executions = if statements.is_empty() {
                    Vec::new()
                } else {
                    vec![Execution::Transaction(statements)]
                };
                return (executions, Vec::new());
            }
        }
        let mut executions = transactions(drops, None);
        executions.extend(alone.into_iter().map(Execution::Alone));
        executions.extend(transactions(together.into_iter().chain(makes).collect(), lock));
        (executions, self.dropped.clone())
    }
}

/// Packs units, none of which is torn, into as few transactions as they need.
fn transactions(units: Vec<Vec<String>>, lock: Option<String>) -> Vec<Execution> {
    let mut executions: Vec<Vec<String>> = Vec::new();
    for unit in units {
        match executions.last_mut() {
            Some(last) if last.len() + unit.len() <= MAX_BATCH_STATEMENTS => last.extend(unit),
            _ => executions.push(lock.iter().cloned().chain(unit).collect()),
        }
    }
    executions.into_iter().map(Execution::Transaction).collect()
}

#[cfg(test)]
mod tests;
