//! Evolve: the target becomes what the file needs; or nothing is touched, and the error names all
//! that is in the way.
//!
//! Comes in: the plan and how long the texts are. Goes out: what was changed. The catalog is read a
//! moment before, so a change that somebody else has made already is no change any more. Views that
//! are missing between two statements are written down first, and whatever happens in between, the
//! next run brings them back.

use std::time::Duration;

use crate::crash;
use crate::error::{Context, Error, Kind, Result};
use crate::evolution::change::{self, SchemaChange};
use crate::evolution::journal::Journal;
use crate::evolution::script::{self, Design, Situation, Step};
use crate::evolution::view_config::{self, ConfiguredView};
use crate::job::Job;
use crate::names::{TableName, utc};
use crate::redshift::catalog::{self, CatalogColumn, TableState};
use crate::redshift::data_api::{DataApi, Outcome, StatementFailure};
use crate::redshift::dependents::{self, Dependents};
use crate::redshift::{failures, restore};
use crate::s3::Store;
use crate::steps::plan::LoadPlan;

/// How often the catalog is read anew because somebody else was changing the table too.
const MAX_ROUNDS: u32 = 4;

/// What is looked at and changed.
pub struct Evolve<'a> {
    pub job: &'a Job,
    pub store: &'a Store,
    pub api: &'a DataApi,
    pub plan: &'a LoadPlan,
    /// The longest text of each planned column, in bytes.
    pub longest: &'a [u32],
}

/// What was done.
#[derive(Debug, Default)]
pub struct Evolved {
    /// Statements that were run, in order.
    pub statements: Vec<String>,
    /// CREATE TABLE and the views of the new table: the load makes them in its own transaction.
    pub creation: Vec<String>,
    /// What was made in the end.
    pub design: Design,
    /// Views that do not work any more, or that could not be made anew; in words.
    pub notices: Vec<String>,
}

impl Evolve<'_> {
    /// Whether the table as it was seen would have to change. No I/O.
    pub fn is_needed(&self, seen: Option<&[CatalogColumn]>) -> bool {
        let changes = change::changes(&self.plan.target_columns(self.longest), seen);
        !changes.is_ok_and(|changes| changes.is_empty())
    }

    /// What would be done now. Changes nothing. Errors: `SchemaConflict` (keys, views that could
    /// not come back), `Config` (view_config.json), `Transient` (the table is another than the plan
    /// was made for).
    pub async fn design(&self) -> Result<Design> {
        self.design_with_dependents().await.map(|(design, _)| design)
    }

    async fn design_with_dependents(&self) -> Result<(Design, Dependents)> {
        let target = &self.job.target;
        let wanted = self.plan.target_columns(self.longest);
        let state = if self.plan.creates_table { None } else { Some(self.table().await?) };
        let existing = state.as_ref().map(|state| state.columns.as_slice());
        let changes = change::changes(&wanted, existing)
            .map_err(|reasons| changed_meanwhile(target, &reasons.join("; ")))?;
        if changes.is_empty() {
            return Ok((Design::default(), Dependents::default()));
        }
        let adds_columns = changes.iter().any(SchemaChange::adds_columns);
        let configured = if adds_columns { self.view_config().await? } else { Vec::new() };
        let alters = changes.iter().any(|change| change.altered_column().is_some());
        let dependents = if !self.plan.creates_table && (alters || !configured.is_empty()) {
            let names: Vec<TableName> = configured.iter().map(|view| view.name.clone()).collect();
            dependents::read(self.api, target, &names).await?
        } else {
            Dependents::default()
        };
        let attributes = state.map(|state| state.attributes).unwrap_or_default();
        let situation = Situation {
            target,
            attributes: &attributes,
            dependents: &dependents,
            configured: &configured,
        };
        let design = script::design(changes, &situation).map_err(|obstacles| {
            let fact = format!(
                "{target} cannot be changed for the file: {}; nothing was touched",
                obstacles.join("; ")
            );
            Error::new(Kind::SchemaConflict, fact)
        })?;
        Ok((design, dependents))
    }

    async fn table(&self) -> Result<TableState> {
        let state = catalog::read_table(self.api, &self.job.target).await?;
        state.ok_or_else(|| changed_meanwhile(&self.job.target, "it is gone"))
    }

    async fn view_config(&self) -> Result<Vec<ConfiguredView>> {
        let uri = self.job.layout.view_config();
        let Some(bytes) = self.store.read_whole(&uri).await? else { return Ok(Vec::new()) };
        let text = String::from_utf8(bytes).context(Kind::Config, format!("{uri} is not UTF-8"))?;
        view_config::parse(&text, &uri, &self.job.target)
    }

    /// Does it. A wish to stop is not heard until the views are back. `evolved` has what was done,
    /// also on failure.
    pub async fn run(&self, evolved: &mut Evolved) -> Result<()> {
        let to_the_end = self.api.to_the_end();
        let evolve = Evolve { api: &to_the_end, ..*self };
        let (mut pause, mut refusal) = (Duration::from_millis(500), String::new());
        for round in 1.. {
            let (design, dependents) = evolve.design_with_dependents().await?;
            evolved.notices.clone_from(&design.notices);
            if self.plan.creates_table {
                (evolved.creation, evolved.design) = (design.statements(), design);
                return Ok(());
            }
            match evolve.make(&design, &dependents, &mut evolved.statements).await? {
                None => {
                    evolved.notices.extend(evolve.probe(&dependents.late_binding).await);
                    evolved.design = design;
                    return Ok(());
                }
                Some(failure)
                    if round < MAX_ROUNDS
                        && failure.message != refusal
                        && is_somebody_elses_doing(&failure) =>
                {
                    tracing::warn!(round, error = %failure.message, "the table changed meanwhile, \
                                                                     looking again");
                    refusal = failure.message;
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Some(failure) => return Err(self.refused(&failure)),
            }
        }
        Err(Error::new(Kind::Internal, "the rounds of an evolution never ended"))
    }

    /// Runs the steps. `Some`: a step was refused, and the views are as they were.
    async fn make(
        &self,
        design: &Design,
        dependents: &Dependents,
        done: &mut Vec<String>,
    ) -> Result<Option<StatementFailure>> {
        crash::next("evolve");
        self.write_journal(design).await?;
        let mut made: Vec<&Step> = Vec::new();
        for step in &design.steps {
            crash::next("evolve");
            let outcome = match step {
                Step::Transaction(statements) => self.api.execute_batch(statements).await,
                Step::Alone(statement) => self.api.execute(statement).await,
            };
            match outcome {
                Ok(Outcome::Finished(_)) => made.push(step),
                Err(error) => {
                    // Whatever became of that statement, the views that are missing now come back.
                    self.take_back(design, dependents, &error.to_string()).await?;
                    return Err(error);
                }
                Ok(Outcome::Failed(failure)) => {
                    self.take_back(design, dependents, &failure.message).await?;
                    // Drops have been undone; what stood alone stays.
                    let stays =
                        |step: &&Step| design.journal.is_empty() || matches!(step, Step::Alone(_));
                    done.extend(made.into_iter().filter(stays).flat_map(Step::statements).cloned());
                    let statement = step.statements().get(failure.statement);
                    return match statement.filter(|statement| design.configured.contains(statement))
                    {
                        Some(_) => Err(self.bad_definition(&failure)),
                        None => Ok(Some(failure)),
                    };
                }
            }
        }
        done.extend(made.into_iter().flat_map(Step::statements).cloned());
        crash::next("evolve");
        self.delete_journal(design).await?;
        crash::next("evolve");
        Ok(None)
    }

    /// What Redshift refuses to do to a table is for its owner, unless another transaction or a
    /// right was missing.
    fn refused(&self, failure: &StatementFailure) -> Error {
        let error = failures::explain(&format!("changing {}", self.job.target), failure);
        if error.kind() == Kind::Internal { error.of_kind(Kind::SchemaConflict) } else { error }
    }

    fn bad_definition(&self, failure: &StatementFailure) -> Error {
        let fact = format!(
            "a view of {} cannot be made: {}; correct its definition, nothing was loaded",
            self.job.layout.view_config(),
            failures::headline(&failure.message)
        );
        Error::new(Kind::Config, fact).with("statement_id", &failure.id)
    }

    async fn write_journal(&self, design: &Design) -> Result<()> {
        if design.journal.is_empty() {
            return Ok(());
        }
        let journal = Journal {
            run_id: self.job.run.text.clone(),
            target: self.job.target.clone(),
            written_at: utc(jiff::Timestamp::now(), "%Y-%m-%dT%H:%M:%S%.6fZ"),
            views: design.journal.clone(),
        };
        let uri = self.job.layout.journal();
        self.store.write(&uri, journal.to_json()?).await?;
        tracing::info!(uri = %uri, views = journal.views.len(), "views written down before they \
                                                                 are dropped");
        Ok(())
    }

    async fn delete_journal(&self, design: &Design) -> Result<()> {
        if design.journal.is_empty() {
            Ok(())
        } else {
            self.store.delete(&self.job.layout.journal()).await
        }
    }

    /// After a refused statement: every view that was dropped comes back at once.
    async fn take_back(&self, design: &Design, dependents: &Dependents, cause: &str) -> Result<()> {
        if design.journal.is_empty() {
            return Ok(());
        }
        let restored = restore::restore_missing(self.api, &dependents.user, &design.journal).await;
        match restored {
            Ok(_) => self.delete_journal(design).await,
            Err(error) => {
                let fact = format!(
                    "{} could not be changed ({}), and views that were dropped for it are missing; \
                     {} has them, `loader retry` brings them back",
                    self.job.target,
                    failures::headline(cause),
                    self.job.layout.journal()
                );
                Err(Error::new(error.kind(), fact).caused_by(error))
            }
        }
    }

    /// Late-binding views are in nobody's way, and nobody says when they break; so each is asked
    /// for no rows.
    async fn probe(&self, views: &[TableName]) -> Vec<String> {
        let mut broken = Vec::new();
        for view in views {
            if let Ok(Outcome::Failed(failure)) = self.api.execute(&dependents::probe(view)).await {
                let notice = format!(
                    "late-binding view {view} does not work: {}",
                    failures::headline(&failure.message)
                );
                tracing::warn!(
                    view = %view, error = %failure.message, "a late-binding view does not work"
                );
                broken.push(notice);
            }
        }
        broken
    }
}

/// Whether reading the catalog again may show that there is nothing left to do, or another way.
fn is_somebody_elses_doing(failure: &StatementFailure) -> bool {
    let message = failure.message.to_lowercase();
    let signs = [
        "already exists",
        "does not exist",
        "should be different",
        "cannot decrease",
        "depend on it",
        "used by a view or rule",
    ];
    failures::is_conflict(&failure.message) || signs.iter().any(|sign| message.contains(sign))
}

fn changed_meanwhile(target: &TableName, fact: &str) -> Error {
    Error::new(
        Kind::Transient,
        format!("{target} changed while the file was being loaded ({fact}); run again"),
    )
}
