//! Evolve: changes the target into what the file needs, or touches nothing and names all that is in
//! the way.
//!
//! In: the plan and how long the texts are. Out: what was changed. Views that are missing between
//! two statements are written to a journal in S3 first. If the run dies in between, the next run
//! brings them back from there.

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
    // Also after a failure half way: the statements that ran stay done, and the report lists them.
    tools.record.evolved(&evolved);
    ended.map(|()| evolved)
}

/// Plans and makes the changes, and does so again when another program was faster. `evolved` has
/// what was done, also on failure.
// A round ends in one of four ways:
// - The load creates the table: the statements are handed to its transaction, and none runs here.
// - All statements ran: the late-binding views are tried, and the evolution is done.
// - Redshift refused a statement, perhaps because another program changed the table meanwhile. The
//   next round reads the catalog anew, and no longer plans what the other program has done. (For
//   example, it has already widened `note` to VARCHAR(1024).)
// - The refusal is of another kind, came twice in the same words, or it was the last round: it is
//   the error of the run. The same words twice mean that reading the catalog again does not help.
async fn evolve(tools: &Tools, evolution: &Evolution<'_>, evolved: &mut Evolved) -> Result<()> {
    let api = tools.api.to_the_end().with_lock_timeout(tools.job.warehouse.lock_timeout);
    let runner = PlanRunner { tools, api };
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
    /// Ignores a wish to stop: views that were dropped must come back first.
    api: DataApi,
}

impl PlanRunner<'_> {
    /// Runs the plan's executions. `Some`: Redshift refused one, and the views are as they were.
    // The order must not change. The journal is written before the first statement, since that may
    // drop views; it is deleted after the last, which has made them again. An `Err` may be a lost
    // answer, so the statement may have run or not. `take_back` asks the catalog which views are
    // missing, and so does not need to know. An error of `take_back` itself goes first, because it
    // says that views are missing now.
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

    /// Turns the refusal of a definition of `view_config.json` into an error for its author, and
    /// returns any other refusal.
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

    /// The error of a refused change. The table's owner has to solve it (`SchemaConflict`), unless
    /// the refusal is a conflict with another transaction or a missing privilege.
    fn refused(&self, failure: &StatementFailure) -> Error {
        // `explain` gives the kind `Internal` to a refusal whose cause it does not know. Here the
        // cause is known: it is the table.
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
        tracing::info!(uri = %uri, views, "views written to the journal before they are dropped");
        Ok(())
    }

    async fn delete_journal(&self, plan: &EvolutionPlan) -> Result<()> {
        if plan.journal.is_empty() {
            return Ok(());
        }
        self.tools.store.delete(&self.tools.job.layout.journal()).await
    }

    /// Brings back every view that was dropped, after a statement was refused or got no answer.
    /// Errors: some views are still missing; the message says where the journal is.
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

    /// Finds late-binding views that no longer work. Redshift reports a broken one only when it is
    /// queried, so each is asked for no rows: `SELECT * FROM "public"."v_orders" WHERE 1 = 0`.
    async fn probe(&self, views: &[TableName]) -> Vec<String> {
        let mut broken = Vec::new();
        for view in views {
            let probe = dependents::probe(view);
            // An `Err` is a lost answer or request, and says nothing about the view.
            let Ok(Outcome::Failed(failure)) = self.api.execute(&probe).await else { continue };
            let error = &failure.message;
            tracing::warn!(view = %view, error, "a late-binding view does not work");
            let headline = refusal::headline(error);
            broken.push(format!("late-binding view {view} does not work: {headline}"));
        }
        broken
    }
}

/// The statements that count as done after a refusal.
// With a journal, `take_back` has made the dropped views again, so the transactions that dropped
// them are not listed. What ran alone stays, such as ALTER COLUMN TYPE VARCHAR(1024). Without a
// journal no view was dropped, and everything stays.
fn what_stays(plan: &EvolutionPlan, made: Vec<&Execution>) -> Vec<String> {
    let stays = |execution: &&Execution| {
        plan.journal.is_empty() || matches!(execution, Execution::Alone(_))
    };
    made.into_iter().filter(stays).flat_map(Execution::statements).cloned().collect()
}

/// Whether another program may have caused a refusal. Then the catalog, read again, shows a table
/// that is wide enough already, or other views to drop. A refusal without a known sign may be one of
/// these: no source has the words for a VARCHAR that another program has made longer, and filled.
fn is_another_programs_doing(refusal: Refusal) -> bool {
    match refusal {
        Refusal::Conflict
        | Refusal::AlreadyExists
        | Refusal::Missing(_)
        | Refusal::WideAlready
        | Refusal::HeldByViews
        | Refusal::Other => true,
        Refusal::Cancelled
        | Refusal::Denied
        | Refusal::BucketDenied
        | Refusal::RoleRefused
        | Refusal::Unavailable
        | Refusal::WrongPassword
        | Refusal::TypeMismatch
        | Refusal::Guard => false,
    }
}
