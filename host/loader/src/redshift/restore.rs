//! Brings saved views back where they are missing. No other module creates views outside of a
//! change's own transaction.
//!
//! A view that exists is left as it is. All statements of a view are one transaction, so a view
//! that is there has its comments, grants and owner too.

use std::time::Duration;

use loader_aws::data_api::{DataApi, Outcome};
use loader_model::error::{Error, Kind, Result};
use loader_model::names::TableName;
use loader_warehouse::refusal::{self, Refusal, StatementFailure};
use loader_warehouse::restore::{Existing, existing_sql, packs};
use loader_warehouse::saved_view::SavedView;
use loader_warehouse::sql::{batches, fit_one_batch};

use crate::redshift::dependents::query;

/// How many rounds are tried while another program is at work on the same views.
const MAX_ROUNDS: usize = 5;
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// Makes the missing ones of `views` again, and returns their names. `views` is in the order of
/// creation; `user` is the database user that runs the program's statements.
///
/// Another program that restores the same views at the same time does no harm. A view that fails
/// keeps back only the views that read it.
/// Errors: the warehouse's, for the first view that could not be restored; the error names the
/// others.
// Each round asks the catalog anew which views are missing, so a view that another program has made
// meanwhile is left out. If another program was in the way, the failures of the round do not count:
// a view may have failed because a view that it reads was just being made. A round without others
// is the last, since what failed in it would fail again.
pub async fn restore_missing(
    api: &DataApi,
    user: &str,
    views: &[SavedView],
) -> Result<Vec<TableName>> {
    let (mut restored, mut pause) = (Vec::new(), SHORTEST_PAUSE);
    for _ in 0..MAX_ROUNDS {
        let missing = missing(api, views).await?;
        let mut round =
            Round { api, user, restored: &mut restored, met_others: false, failed: None };
        round.restore(&missing).await?;
        if !round.met_others {
            return round.failure().map_or(Ok(restored), Err);
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    match missing(api, views).await?.as_slice() {
        [] => Ok(restored),
        missing => Err(never_alone(missing)),
    }
}

fn never_alone(missing: &[&SavedView]) -> Error {
    let names: Vec<String> = missing.iter().map(|view| view.name.to_string()).collect();
    let fact = format!(
        "{} could not be restored, since other transactions were at work on the same views; run \
         again",
        names.join(", ")
    );
    Error::new(Kind::Transient, fact)
}

/// The ones of `views` that do not exist. A table of the same name counts as existing, too: the
/// program must not replace it.
pub async fn missing<'a>(api: &DataApi, views: &'a [SavedView]) -> Result<Vec<&'a SavedView>> {
    let statements: Vec<String> = existing_sql(views);
    let answers = query(api, "looking for the views to be restored", &statements).await?;
    let mut existing: Vec<TableName> = Vec::new();
    for rows in answers {
        existing.extend(rows.decode()?.into_iter().map(|Existing { name }| name));
    }
    Ok(views.iter().filter(|view| !existing.contains(&view.name)).collect())
}

/// One look at what is missing, and one try of each view.
struct Round<'a> {
    api: &'a DataApi,
    user: &'a str,
    restored: &'a mut Vec<TableName>,
    /// Other programs were at work on a view, so that the catalog has changed meanwhile.
    met_others: bool,
    /// The first failure with the names of the views that failed after it.
    failed: Option<(Error, Vec<String>)>,
}

impl Round<'_> {
    /// Restores packs of views, which saves executions. A pack is one transaction, so a single bad
    /// view undoes all of it; then the pack's views are restored one by one. (For example, of v1,
    /// v2 and v3 only v2 reads a dropped column: v1 and v3 come back.)
    async fn restore(&mut self, missing: &[&SavedView]) -> Result<()> {
        for pack in packs(missing, self.user) {
            match run(self.api, &pack.statements).await? {
                None => self.restored.extend(pack.names()),
                Some(failure) if is_in_the_way(failure.refusal) => self.met_others = true,
                Some(_) => self.restore_one_by_one(&pack.views).await?,
            }
        }
        Ok(())
    }

    async fn restore_one_by_one(&mut self, views: &[&SavedView]) -> Result<()> {
        for view in views {
            match run(self.api, &view.restore_sql(self.user)).await? {
                None => self.restored.push(view.name.clone()),
                Some(failure) if is_in_the_way(failure.refusal) => self.met_others = true,
                Some(failure) => self.note(view, &failure),
            }
        }
        Ok(())
    }

    fn note(&mut self, view: &SavedView, failure: &StatementFailure) {
        match &mut self.failed {
            Some((_, others)) => others.push(view.name.to_string()),
            None => {
                let doing = format!("restoring the view {}", view.name);
                self.failed = Some((refusal::explain(&doing, failure), Vec::new()));
            }
        }
    }

    fn failure(self) -> Option<Error> {
        self.failed.map(|(error, others)| {
            if others.is_empty() {
                return error;
            }
            error.with("not_restored_either", others.join(", "))
        })
    }
}

/// Whether another program made the view, or was at work on a relation that it reads.
fn is_in_the_way(refusal: Refusal) -> bool {
    match refusal {
        Refusal::Conflict | Refusal::AlreadyExists => true,
        Refusal::Cancelled
        | Refusal::Denied
        | Refusal::BucketDenied
        | Refusal::RoleRefused
        | Refusal::Unavailable
        | Refusal::WrongPassword
        | Refusal::Missing(_)
        | Refusal::TypeMismatch
        | Refusal::Guard
        | Refusal::WideAlready
        | Refusal::HeldByViews
        | Refusal::Other => false,
    }
}

/// Runs the statements of a view or a pack as one transaction, and returns why it failed.
///
/// A single view can have more, or longer, statements than a transaction takes, if it has many
/// comments on columns or many users who may pass a privilege on. Then it takes several transactions. The view
/// with its grants and owner goes first and the comments on columns go last, because a stop in
/// between costs what comes last, and no query needs a comment.
async fn run(api: &DataApi, statements: &[String]) -> Result<Option<StatementFailure>> {
    let mut statements = statements.to_vec();
    if !fit_one_batch(&statements) {
        // `false` sorts before `true`, so comments on columns go to the end. The sort is stable:
        // all other statements keep their order, which the grants and the owner depend on.
        statements.sort_by_key(|sql| sql.starts_with("COMMENT ON COLUMN "));
    }
    for batch in batches(&statements) {
        if let Outcome::Failed(failure) = api.execute_batch(batch).await? {
            return Ok(Some(failure));
        }
    }
    Ok(None)
}
