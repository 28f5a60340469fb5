//! Evolve: the target becomes what the file needs; or nothing is touched, and the error names all
//! that is in the way.
//!
//! In: the plan and how long the texts are. Out: what was changed. Views that are missing between
//! two statements are written down first, and whatever happens in between, the next run brings them
//! back.

use std::time::Duration;

use loader_aws::data_api::{DataApi, Outcome};
use loader_model::error::{Error, Kind, Result};
use loader_model::names::{TableName, utc};
use loader_warehouse::dependents::{self, Dependents};
use loader_warehouse::evolution::journal::Journal;
use loader_warehouse::evolution::script::{EvolutionPlan, Execution};
use loader_warehouse::refusal::{self, Refusal, StatementFailure};

use crate::crash;
use crate::redshift::evolution::Evolution;
use crate::redshift::restore;
use crate::step::Step;
use crate::tools::Tools;
use crate::values::{Evolved, Staged, Work};

/// How often the catalog is read anew because another program was changing the table too.
const MAX_ROUNDS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Errors: `SchemaConflict`, `Config` (rights, view_config.json), `Transient`, `OutcomeUnknown`.
pub(crate) async fn run(tools: &Tools, work: &Work, staged: &Staged) -> Result<Evolved> {
    let evolution = Evolution::new(tools, work, &staged.totals.max_text_bytes);
    let mut evolved = Evolved::default();
    if !evolution.is_needed() {
        return Ok(evolved);
    }
    let ended = tools.step(Step::Evolve, evolve(tools, &evolution, &mut evolved)).await;
    for change in &evolved.plan.changes {
        tracing::info!(change = change.sentence(), "schema change");
    }
    // Also when it failed half way: what was done stays done.
    tools.record.evolved(&evolved);
    ended.map(|()| evolved)
}

/// Plans and makes the changes, and again when another program was faster. A wish to stop is not
/// heard until the views are back. `evolved` has what was done, also on failure.
async fn evolve(tools: &Tools, evolution: &Evolution<'_>, evolved: &mut Evolved) -> Result<()> {
    let runner = PlanRunner { tools, api: tools.api.to_the_end() };
    let (mut pause, mut last_message) = (FIRST_PAUSE, String::new());
    for round in 1.. {
        let (plan, dependents) = evolution.plan_with_dependents().await?;
        evolved.notices.clone_from(&plan.notices);
        if evolution.creates_table() {
            (evolved.creation, evolved.plan) = (plan.statements(), plan);
            return Ok(());
        }
        let Some(failure) = runner.make(&plan, &dependents, &mut evolved.statements).await? else {
            evolved.notices.extend(runner.probe(&dependents.late_binding).await);
            evolved.plan = plan;
            return Ok(());
        };
        let may_look_again = round < MAX_ROUNDS && failure.message != last_message;
        if !may_look_again || !is_another_programs_doing(failure.refusal) {
            return Err(runner.refused(&failure));
        }
        tracing::warn!(round, error = %failure.message, "the table changed meanwhile, looking again");
        last_message = failure.message;
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    Err(Error::new(Kind::Internal, "the rounds of an evolution never ended"))
}

/// Carries out a plan.
struct PlanRunner<'a> {
    tools: &'a Tools,
    /// Deaf to a wish to stop: dropped views must come back.
    api: DataApi,
}

impl PlanRunner<'_> {
    /// Runs the plan's executions. `Some`: one was refused, and the views are as they were.
    async fn make(
        &self,
        plan: &EvolutionPlan,
        dependents: &Dependents,
        done: &mut Vec<String>,
    ) -> Result<Option<StatementFailure>> {
        crash::next("evolve");
        self.write_journal(plan).await?;
        let mut made: Vec<&Execution> = Vec::new();
        for execution in &plan.executions {
            crash::next("evolve");
            let outcome = match execution {
                Execution::Transaction(statements) => self.api.execute_batch(statements).await,
                Execution::Alone(statement) => self.api.execute(statement).await,
            };
            match outcome {
                Ok(Outcome::Finished(_)) => made.push(execution),
                Err(error) => {
                    // Whatever became of that statement, the views that are missing now come back.
                    self.take_back(plan, dependents, &error.to_string()).await?;
                    return Err(error);
                }
                Ok(Outcome::Failed(failure)) => {
                    self.take_back(plan, dependents, &failure.message).await?;
                    done.extend(what_stays(plan, made));
                    return self.whose_fault(plan, execution, failure).map(Some);
                }
            }
        }
        done.extend(made.into_iter().flat_map(Execution::statements).cloned());
        crash::next("evolve");
        self.delete_journal(plan).await?;
        crash::next("evolve");
        Ok(None)
    }

    /// A refused definition of `view_config.json` is for its author; the rest is given back.
    fn whose_fault(
        &self,
        plan: &EvolutionPlan,
        execution: &Execution,
        failure: StatementFailure,
    ) -> Result<StatementFailure> {
        let statement = execution.statements().get(failure.statement);
        if !statement.is_some_and(|statement| plan.configured.contains(statement)) {
            return Ok(failure);
        }
        let fact = format!(
            "a view of {} cannot be made: {}; correct its definition, nothing was loaded",
            self.tools.job.layout.view_config(),
            refusal::headline(&failure.message)
        );
        Err(Error::new(Kind::Config, fact).with("statement_id", &failure.id))
    }

    /// What Redshift refuses to do to a table is for its owner, unless another transaction or a
    /// right was missing.
    fn refused(&self, failure: &StatementFailure) -> Error {
        let error = refusal::explain(&format!("changing {}", self.tools.job.target), failure);
        if error.kind() == Kind::Internal { error.of_kind(Kind::SchemaConflict) } else { error }
    }

    async fn write_journal(&self, plan: &EvolutionPlan) -> Result<()> {
        if plan.journal.is_empty() {
            return Ok(());
        }
        let job = &self.tools.job;
        let journal = Journal {
            run_id: job.run.text.clone(),
            target: job.target.clone(),
            written_at: utc(jiff::Timestamp::now(), "%Y-%m-%dT%H:%M:%S%.6fZ"),
            views: plan.journal.clone(),
        };
        let uri = job.layout.journal();
        self.tools.store.write(&uri, journal.to_json()?).await?;
        let views = journal.views.len();
        tracing::info!(uri = %uri, views, "views written down before they are dropped");
        Ok(())
    }

    async fn delete_journal(&self, plan: &EvolutionPlan) -> Result<()> {
        if plan.journal.is_empty() {
            return Ok(());
        }
        self.tools.store.delete(&self.tools.job.layout.journal()).await
    }

    /// After a refused statement: every view that was dropped comes back at once.
    async fn take_back(
        &self,
        plan: &EvolutionPlan,
        dependents: &Dependents,
        cause: &str,
    ) -> Result<()> {
        if plan.journal.is_empty() {
            return Ok(());
        }
        match restore::restore_missing(&self.api, &dependents.user, &plan.journal).await {
            Ok(_) => self.delete_journal(plan).await,
            Err(error) => {
                let fact = format!(
                    "{} could not be changed ({}), and views that were dropped for it are missing; \
                     {} has them, `loader retry` brings them back",
                    self.tools.job.target,
                    refusal::headline(cause),
                    self.tools.job.layout.journal()
                );
                Err(Error::new(error.kind(), fact).caused_by(error))
            }
        }
    }

    /// Redshift reports a broken late-binding view only when it is queried, so each is queried for
    /// no rows.
    async fn probe(&self, views: &[TableName]) -> Vec<String> {
        let mut broken = Vec::new();
        for view in views {
            let probe = dependents::probe(view);
            let Ok(Outcome::Failed(failure)) = self.api.execute(&probe).await else { continue };
            let error = &failure.message;
            tracing::warn!(view = %view, error, "a late-binding view does not work");
            let headline = refusal::headline(error);
            broken.push(format!("late-binding view {view} does not work: {headline}"));
        }
        broken
    }
}

/// After a refused statement: drops have been undone, what stood alone stays.
fn what_stays(plan: &EvolutionPlan, made: Vec<&Execution>) -> Vec<String> {
    let stays = |execution: &&Execution| {
        plan.journal.is_empty() || matches!(execution, Execution::Alone(_))
    };
    made.into_iter().filter(stays).flat_map(Execution::statements).cloned().collect()
}

/// Whether reading the catalog again may show that there is nothing left to do, or another way.
fn is_another_programs_doing(refusal: Refusal) -> bool {
    match refusal {
        Refusal::Conflict
        | Refusal::AlreadyExists
        | Refusal::Missing(_)
        | Refusal::WideAlready
        | Refusal::HeldByViews => true,
        Refusal::Cancelled
        | Refusal::Denied
        | Refusal::BucketDenied
        | Refusal::WrongPassword
        | Refusal::TypeMismatch
        | Refusal::Guard
        | Refusal::Other => false,
    }
}
