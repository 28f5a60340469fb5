//! Takes up what runs have left in the journal of dropped views: a run was killed, or could not bring
//! its views back.
//!
//! What the loader itself would not have written is reported and kept, and does not stop the rest.

use std::time::Duration;

use loader_aws::data_api::{DataApi, Outcome};
use loader_model::error::{Error, Kind, Result};
use loader_model::names::TableName;
use loader_warehouse::bookkeeping::DROPPED_VIEWS;
use loader_warehouse::evolution::journal::{self, JournalKey, LeftJournal, LeftViews};
use loader_warehouse::refusal::{self, Refusal};
use loader_warehouse::session;

use crate::redshift::restore::{Present, Settling};
use crate::redshift::{dependents, restore, retry};

/// How long a run waits for the fence of another table than its own. That table may be loaded just
/// now, which takes longer; then the next run takes its views up.
const SHORT_WAIT: Duration = Duration::from_secs(10);

/// Which journals are settled.
#[derive(Clone, Copy, Debug)]
pub enum RecoverScope<'a> {
    /// The missing views of this target at once. Everything else only when its run cannot be alive
    /// any more.
    Target(&'a TableName),
    /// All of it at once.
    All,
}

impl RecoverScope<'_> {
    /// Whether what was left for a table is settled at once.
    fn covers(&self, table: &TableName) -> bool {
        match self {
            RecoverScope::Target(target) => *target == table,
            RecoverScope::All => true,
        }
    }
}

/// What was done about a journal, or about rows that cannot be read.
#[derive(Debug)]
pub struct Recovered {
    /// Who has left it; `None` for rows that are not as the loader writes them.
    pub left_by: Option<JournalKey>,
    /// Views that had been missing. Empty beside a `failure`.
    pub views: Vec<TableName>,
    /// Why it was kept. It is logged already.
    pub failure: Option<Error>,
}

impl Recovered {
    /// Whether the views of a target were kept from coming back by what will pass.
    pub fn waits_for_others(&self, target: &TableName) -> bool {
        let of_target = self.left_by.as_ref().is_some_and(|left_by| left_by.target == *target);
        of_target && self.failure.as_ref().is_some_and(|failure| failure.kind() == Kind::Transient)
    }
}

/// Settles what runs have left, newer runs first: a view that two journals name comes back as the
/// later run saw it. `lock_timeout`: how long it may wait for the fence of a table.
///
/// Errors: `Interrupted`, which is about the run and not about a journal. Any other error is in the
/// `Recovered` of its journal.
pub async fn recover(
    api: &DataApi,
    left: &LeftViews,
    lock_timeout: Duration,
    scope: RecoverScope<'_>,
) -> Result<Vec<Recovered>> {
    let faults = left.faults.iter().map(|fault| Error::new(Kind::Config, fault));
    let mut recovered: Vec<Recovered> = faults.map(|fault| kept(None, fault)).collect();
    for left in &left.journals {
        let key = &left.journal.key;
        match recover_one(api, left, lock_timeout, scope).await {
            Ok(views) if views.is_empty() => {}
            Ok(views) => recovered.push(restored(key, views)),
            Err(error) if matches!(error.kind(), Kind::Interrupted(_)) => return Err(error),
            Err(error) if error.kind() == Kind::Transient && !scope.covers(&key.target) => {
                tracing::info!(target = %key.target, %error, "dropped views left to a later run");
            }
            Err(error) => recovered.push(kept(Some(key), error)),
        }
    }
    Ok(recovered)
}

fn restored(key: &JournalKey, views: Vec<TableName>) -> Recovered {
    let (target, run_id, names) = (&key.target, &key.run_id, names(&views));
    tracing::warn!(%target, left_by = run_id, views = names, "views restored");
    Recovered { left_by: Some(key.clone()), views, failure: None }
}

/// What is kept, because its views could not be brought back.
fn kept(key: Option<&JournalKey>, error: Error) -> Recovered {
    tracing::error!(%error, "dropped views could not be restored and stay in the journal");
    Recovered { left_by: key.cloned(), views: Vec::new(), failure: Some(error) }
}

// What becomes of a journal:
// - Its run cannot be alive, or all are settled: missing views come back, and all of it goes.
// - Young, and of the target: missing views come back, because this run's own change needs them. The
//   rest stays, since its run may be about to drop those views.
// - Young, and of another table: nothing. (The query for a target does not even ask for it.)
async fn recover_one(
    api: &DataApi,
    left: &LeftJournal,
    lock_timeout: Duration,
    scope: RecoverScope<'_>,
) -> Result<Vec<TableName>> {
    let journal = &left.journal;
    let is_ours = scope.covers(&journal.key.target);
    if !is_ours && !left.is_old {
        return Ok(Vec::new());
    }
    let is_dead = left.is_old || matches!(scope, RecoverScope::All);
    let lock_timeout = if is_ours { lock_timeout } else { lock_timeout.min(SHORT_WAIT) };
    let user = dependents::current_user(api).await?;
    let api = &api.with_lock_timeout(lock_timeout);
    let present = if is_dead { Present::Forget } else { Present::Keep };
    let settled = Settling { api, user: &user, present }.settle(journal).await;
    settled.map_err(|error| error.with("journal", journal.key.target.sibling(DROPPED_VIEWS)))
}

/// Views that were dropped for this target and are missing now. Changes nothing.
pub async fn left_dropped(
    api: &DataApi,
    left: &LeftViews,
    target: &TableName,
) -> Result<Vec<TableName>> {
    let mut views = Vec::new();
    for journal in left.of(target) {
        views.extend(restore::missing(api, journal).await?);
    }
    Ok(views)
}

/// Everything that the journal of a schema has. A schema without the table has nothing.
pub async fn read_all(api: &DataApi, schema: &str) -> Result<LeftViews> {
    let statements = [session::UTC.to_owned(), journal::query(schema, None)];
    match retry::execute_batch(api, &statements).await? {
        Outcome::Finished(executed) => {
            LeftViews::read(&api.rows(&executed, Some(1)).await?, schema)
        }
        Outcome::Failed(failure) if matches!(failure.refusal, Refusal::Missing(_)) => {
            Ok(LeftViews::default())
        }
        Outcome::Failed(failure) => {
            Err(refusal::explain("reading the journal of dropped views", &failure))
        }
    }
}

fn names(views: &[TableName]) -> String {
    views.iter().map(TableName::to_string).collect::<Vec<_>>().join(", ")
}
