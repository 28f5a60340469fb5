//! Settles a journal: its views come back where they are missing, and its rows go. No other module
//! creates views outside of a change's own transaction.
//!
//! A view that exists is left as it is. All statements of a view are one transaction, which also
//! takes the view out of the journal. So a view that is there has its comments, grants and owner
//! too, and a view that the journal has can still be brought back.

use std::time::Duration;

use loader_aws::data_api::{DataApi, Outcome};
use loader_model::error::{Error, Kind, Result};
use loader_model::names::TableName;
use loader_warehouse::bookkeeping::DROPPED_VIEWS;
use loader_warehouse::evolution::journal::{Journal, JournalKey, Listed};
use loader_warehouse::refusal::{self, Refusal, StatementFailure};
use loader_warehouse::restore::{Existing, Pack, existing_sql, packs};
use loader_warehouse::rows::unexpected;
use loader_warehouse::saved_view::SavedView;

use crate::redshift::dependents::query;
use crate::redshift::lock_wait;

/// How many rounds are tried while another program is at work on the same views.
const MAX_ROUNDS: usize = 5;
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// What becomes of rows whose views exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Present {
    /// They are deleted: their run will not drop the views any more, or plans anew when it finds no
    /// row.
    Forget,
    /// They stay: their run may be about to drop the views.
    Keep,
}

/// Settles views.
pub struct Settling<'a> {
    pub api: &'a DataApi,
    /// The database user that runs the program's statements.
    pub user: &'a str,
    pub present: Present,
}

impl Settling<'_> {
    /// Makes the missing views of a journal again, and returns their names.
    ///
    /// Another program that settles the same journal at the same time does no harm. A view that
    /// fails keeps back only the views that read it.
    /// Errors: the warehouse's, for the first view that could not be settled; the error names the
    /// others. What is not settled stays in the journal.
    // Each round asks anew what the journal has and which of its views are missing. What a look has
    // shown may have changed when the transaction comes to it: its guard fires then, and the next
    // round looks again. (For example, a DROP was on its way, and the view was still there.) A
    // round in which nobody was in the way is the last, since what failed in it would fail again.
    pub async fn settle(&self, journal: &Journal) -> Result<Vec<TableName>> {
        let (mut restored, mut pause) = (Vec::new(), SHORTEST_PAUSE);
        for _ in 0..MAX_ROUNDS {
            let found = look(self.api, journal).await?;
            let (settling, key) = (self, &journal.key);
            let mut round =
                Round { settling, key, restored: &mut restored, met_others: false, failed: None };
            round.restore(&found.missing).await?;
            if self.present == Present::Forget {
                round.forget(&found.present).await?;
            }
            if !round.met_others {
                return round.failure().map_or(Ok(restored), Err);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Err(never_alone(&journal.key))
    }
}

/// The views of a journal that are there, and so have nothing to do in it any more.
pub async fn present(api: &DataApi, journal: &Journal) -> Result<Vec<TableName>> {
    look(api, journal).await.map(|found| found.present)
}

fn never_alone(key: &JournalKey) -> Error {
    let fact = format!(
        "not all views that were dropped for {} could be brought back, since other transactions \
         were at work on them; run again",
        key.target
    );
    Error::new(Kind::Transient, fact)
}

/// The views of a journal that are missing now.
pub async fn missing(api: &DataApi, journal: &Journal) -> Result<Vec<TableName>> {
    let found = look(api, journal).await?;
    Ok(found.missing.into_iter().map(|view| view.name.clone()).collect())
}

/// The views that the journal still has.
struct Found<'a> {
    missing: Vec<&'a SavedView>,
    present: Vec<TableName>,
}

/// Asks which views the journal has, and which of them exist. A table of the same name counts as
/// existing, too: the program must not replace it.
async fn look<'a>(api: &DataApi, journal: &'a Journal) -> Result<Found<'a>> {
    let mut statements = vec![journal.key.listed_sql()];
    statements.extend(existing_sql(&journal.views));
    let answers = query(api, "looking for the views to be restored", &statements).await?;
    let [listed, answers @ ..] = answers.as_slice() else { return Err(unexpected("the journal")) };
    let listed: Vec<Listed> = listed.decode()?;
    let mut existing: Vec<Existing> = Vec::new();
    for rows in answers {
        existing.extend(rows.decode()?);
    }
    let is_listed = |view: &&SavedView| listed.iter().any(|listed| listed.name == view.name);
    let exists = |view: &&SavedView| existing.iter().any(|existing| existing.name == view.name);
    let views = journal.views.iter().filter(is_listed);
    let (present, missing): (Vec<&SavedView>, Vec<&SavedView>) = views.partition(exists);
    let present = present.into_iter().map(|view| view.name.clone()).collect();
    Ok(Found { missing, present })
}

/// One look at what is missing, and one try of each view.
struct Round<'a> {
    settling: &'a Settling<'a>,
    key: &'a JournalKey,
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
        for pack in packs(missing, self.settling.user) {
            if let [view] = pack.views.as_slice() {
                self.restore_one(view).await?;
            } else if self.make(&pack).await?.is_some() {
                for view in &pack.views {
                    self.restore_one(view).await?;
                }
            }
        }
        Ok(())
    }

    async fn restore_one(&mut self, view: &SavedView) -> Result<()> {
        for pack in packs(&[view], self.settling.user) {
            if !pack.fits() {
                self.note(view, too_many_statements(view, self.key));
            } else if let Some(failure) = self.make(&pack).await? {
                let doing = format!("restoring the view {}", view.name);
                self.note(view, refusal::explain(&doing, &failure));
            }
        }
        Ok(())
    }

    async fn make(&mut self, pack: &Pack<'_>) -> Result<Option<StatementFailure>> {
        let failure = self.run(&pack.statements(self.key)).await?;
        if matches!(failure, Ran::Done) {
            self.restored.extend(pack.names());
        }
        Ok(failure.refused())
    }

    /// Deletes the rows of views that exist.
    async fn forget(&mut self, present: &[TableName]) -> Result<()> {
        for statements in self.key.forget_sql(present) {
            if let Some(failure) = self.run(&statements).await?.refused() {
                return Err(refusal::explain("taking views out of the journal", &failure));
            }
        }
        Ok(())
    }

    /// Runs a transaction. Errors: the warehouse's, and `Transient` when it waited too long.
    // After a lock that could not be had there is no second try in this round: each would wait as
    // long.
    async fn run(&mut self, statements: &[String]) -> Result<Ran> {
        let api = self.settling.api;
        let failure = match api.execute_batch(statements).await? {
            Outcome::Finished(_) => return Ok(Ran::Done),
            Outcome::Failed(failure) => failure,
        };
        if failure.refusal == Refusal::Cancelled {
            let statement = statements.get(failure.statement).map_or("", String::as_str);
            return Err(lock_wait::cancelled(api, &self.key.target, statement, &failure));
        }
        let met_others = is_in_the_way(failure.refusal);
        self.met_others |= met_others;
        Ok(if met_others { Ran::MetOthers } else { Ran::Refused(failure) })
    }

    fn note(&mut self, view: &SavedView, error: Error) {
        match &mut self.failed {
            Some((_, others)) => others.push(view.name.to_string()),
            None => self.failed = Some((error, Vec::new())),
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

/// How a transaction ended.
enum Ran {
    Done,
    /// It did nothing, since others were at work on the views.
    MetOthers,
    Refused(StatementFailure),
}

impl Ran {
    fn refused(self) -> Option<StatementFailure> {
        match self {
            Ran::Refused(failure) => Some(failure),
            Ran::Done | Ran::MetOthers => None,
        }
    }
}

fn too_many_statements(view: &SavedView, key: &JournalKey) -> Error {
    let fact = format!(
        "bringing back view {} takes more statements than a transaction has room for; make it by \
         hand from its row in {}, and delete the row",
        view.name,
        key.target.sibling(DROPPED_VIEWS)
    );
    Error::new(Kind::Config, fact)
}

/// Whether another program made or dropped the view, took it out of the journal, or was at work on
/// a relation that it reads.
fn is_in_the_way(refusal: Refusal) -> bool {
    match refusal {
        Refusal::Conflict | Refusal::AlreadyExists | Refusal::Guard => true,
        Refusal::Cancelled
        | Refusal::Denied
        | Refusal::BucketDenied
        | Refusal::RoleRefused
        | Refusal::Unavailable
        | Refusal::WrongPassword
        | Refusal::Missing(_)
        | Refusal::TypeMismatch
        | Refusal::WideAlready
        | Refusal::HeldByViews
        | Refusal::Other => false,
    }
}
