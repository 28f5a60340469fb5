//! Evolve: changes the target into what the file needs, or touches nothing and names all that is in
//! the way.
//!
//! In: the plan and how long the texts are. Out: what was changed. Views that are missing between
//! two transactions are written to the journal of dropped views first. If the run dies in between,
//! the next run brings them back from there.

use std::time::Duration;

use loader_aws::data_api::{DataApi, Outcome};
use loader_model::error::{Error, Kind, Result};
use loader_model::names::TableName;
use loader_warehouse::bookkeeping::DROPPED_VIEWS;
use loader_warehouse::dependents::{self, Dependents};
use loader_warehouse::evolution::journal::{Journal, JournalKey};
use loader_warehouse::evolution::script::{EvolutionPlan, Execution};
use loader_warehouse::refusal::{self, Refusal, StatementFailure};

use crate::crash;
use crate::redshift::evolution::{Evolution, Outlook, as_texts};
use crate::redshift::restore::{Present, Settling};
use crate::redshift::{lock_wait, retry};
use crate::step::Step;
use crate::tools::Tools;
use crate::values::{Altered, Evolved, Staged, Work};

/// How often the catalog is read anew because another program was changing the table too.
const MAX_ROUNDS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Errors: `SchemaConflict`, `Config` (rights, view_config.json), `Transient`, `OutcomeUnknown`.
pub(crate) async fn run(tools: &Tools, work: &Work, staged: &Staged) -> Result<Altered> {
    let evolution = Evolution::new(tools, work, &staged.totals.max_text_bytes);
    let mut evolved = Evolved::default();
    if !evolution.is_needed() {
        return Ok(Altered::AsNeeded(evolved));
    }
    let ended = tools.step(Step::Evolve, evolve(tools, &evolution, &mut evolved)).await;
    for change in &evolved.plan.changes {
        tracing::info!(change = change.sentence(), "schema change");
    }
    // Also after a failure half way: the statements that ran stay done, and the report lists them.
    tools.record.evolved(&evolved);
    ended.map(|changed| changed.map_or(Altered::AsNeeded(evolved), Altered::Otherwise))
}

/// Plans and makes the changes, and does so again when another program was faster. `evolved` has
/// what was done, also on failure. `Some`: the table is another by now than the rows were planned
/// for.
// A round ends in one of five ways:
// - The load creates the table: the statements are handed to its transaction, and none runs here.
// - All statements ran: the late-binding views are tried, and the evolution is done.
// - Redshift refused a statement, perhaps because another program changed the table meanwhile. The
//   next round reads the catalog anew, and no longer plans what the other program has done. (For
//   example, it has already widened `note` to VARCHAR(1024).)
// - A column that was to be given its type has values or a type by now, or the table has changed
//   so that the rows must be planned anew: nothing more is done here.
// - The refusal is of another kind, came twice in the same words, or it was the last round: it is
//   the error of the run. The same words twice mean that reading the catalog again does not help.
//   (All guards have the same words, and each time another run may have been at work.)
async fn evolve(
    tools: &Tools,
    evolution: &Evolution<'_>,
    evolved: &mut Evolved,
) -> Result<Option<Error>> {
    let changing = tools.api.with_lock_timeout(tools.job.warehouse.lock_timeout);
    let api = changing.to_the_end();
    let runner = PlanRunner { tools, changing, api };
    let (mut pause, mut last_message) = (FIRST_PAUSE, String::new());
    for round in 1.. {
        let (plan, dependents) = match evolution.plan().await? {
            Outlook::Plan { plan, dependents } => (plan, dependents),
            Outlook::TargetChanged(error) => return Ok(Some(error)),
        };
        evolved.notices.clone_from(&plan.notices);
        if evolution.creates_table() {
            (evolved.creation, evolved.plan) = (plan.statements(), plan);
            return Ok(None);
        }
        let Some(refused) = runner.make(&plan, &dependents, &mut evolved.statements).await? else {
            evolved.notices.extend(runner.probe(&dependents.late_binding).await);
            evolved.plan = plan;
            return Ok(None);
        };
        let failure = &refused.failure;
        let is_guard = failure.refusal == Refusal::Guard;
        if is_guard && plan.guards_type(&tools.job.target, &refused.statement) {
            return Ok(Some(typed_meanwhile(&tools.job.target)));
        }
        let is_new = failure.message != last_message || is_guard;
        if round == MAX_ROUNDS || !is_new || !is_another_programs_doing(failure.refusal) {
            return Err(runner.error(&refused, as_texts(&plan.changes)));
        }
        tracing::warn!(round, error = %failure.message, "the table changed meanwhile, looking again");
        last_message.clone_from(&failure.message);
        tools.api.pause(pause).await?;
        pause *= 2;
    }
    Err(Error::new(Kind::Internal, "the rounds of an evolution never ended"))
}

fn typed_meanwhile(target: &TableName) -> Error {
    let fact = format!(
        "others filled or altered columns of {target} that had no value before, again and again; run \
         again"
    );
    Error::new(Kind::Transient, fact)
}

/// Carries out a plan.
struct PlanRunner<'a> {
    tools: &'a Tools,
    /// For the changes. A wish to stop cancels one that waits for readers of the table.
    changing: DataApi,
    /// For the journal and what it has. It ignores a wish to stop: views that were dropped must
    /// come back first.
    api: DataApi,
}

/// A statement that Redshift refused.
struct Refused {
    statement: String,
    failure: StatementFailure,
}

impl PlanRunner<'_> {
    /// Runs the plan's executions. `Some`: Redshift refused one, and the views are as they were.
    // The order must not change. The journal is written before the first execution, since that may
    // drop views; the last ones make the views again and take them out of the journal. An `Err` may
    // be a lost answer, so the statement may have run, or run later. `take_back` asks the catalog
    // which views are missing, and so does not need to know. An error of `take_back` itself goes
    // first, because it says that views are missing now.
    async fn make(
        &self,
        plan: &EvolutionPlan,
        dependents: &Dependents,
        done: &mut Vec<String>,
    ) -> Result<Option<Refused>> {
        crash::next("evolve");
        let journal = self.journal(plan);
        self.write(&journal).await?;
        let mut made: Vec<&Execution> = Vec::new();
        for execution in &plan.executions {
            crash::next("evolve");
            match self.send(execution, &journal.key).await {
                Ok(None) => made.push(execution),
                Err(error) => {
                    self.take_back(&journal, dependents, &error.to_string()).await?;
                    return Err(error);
                }
                Ok(Some(refused)) if made.is_empty() && !is_cancelled(&refused) => {
                    self.discard(&journal).await;
                    return self.whose_fault(plan, refused).map(Some);
                }
                Ok(Some(refused)) => {
                    self.take_back(&journal, dependents, &refused.failure.message).await?;
                    done.extend(what_stays(plan, made));
                    return self.whose_fault(plan, refused).map(Some);
                }
            }
        }
        done.extend(made.into_iter().flat_map(Execution::statements).cloned());
        crash::next("evolve");
        Ok(None)
    }

    /// Sends an execution. `Some`: Redshift refused it.
    async fn send(&self, execution: &Execution, journal: &JournalKey) -> Result<Option<Refused>> {
        let (statements, outcome) = match execution {
            Execution::Transaction(transaction) => {
                let statements = transaction.to_send(journal);
                let outcome = retry::execute_batch(&self.changing, &statements).await?;
                (statements, outcome)
            }
            Execution::Alone(statement) => {
                (vec![statement.clone()], self.changing.execute(statement).await?)
            }
        };
        Ok(refusal_of(statements, outcome))
    }

    /// Turns the refusal of a definition of `view_config.json` into an error for its author, and
    /// returns any other refusal.
    fn whose_fault(&self, plan: &EvolutionPlan, refused: Refused) -> Result<Refused> {
        if !plan.configured.contains(&refused.statement) {
            return Ok(refused);
        }
        let fact = format!(
            "a view of {} cannot be made: {}; correct its definition, nothing was loaded",
            self.tools.job.layout.view_config(),
            refusal::headline(&refused.failure.message)
        );
        Err(Error::new(Kind::Config, fact).with("statement_id", &refused.failure.id))
    }

    /// The error of a refused change. The table's owner has to solve it (`SchemaConflict`), unless
    /// the refusal is a conflict with another transaction or a missing privilege.
    fn error(&self, Refused { statement, failure }: &Refused, hint: &str) -> Error {
        let target = &self.tools.job.target;
        match failure.refusal {
            Refusal::Cancelled => lock_wait::cancelled(&self.api, target, statement, failure),
            // The only guards of an evolution are those that its views are still in the journal.
            Refusal::Guard => {
                let fact = format!(
                    "other runs brought back views of {target} again and again while it was being \
                     changed; run again"
                );
                Error::new(Kind::Transient, fact).with("statement_id", &failure.id)
            }
            _ => {
                // `explain` gives the kind `Internal` to a refusal whose cause it does not know.
                // Here the cause is known: it is the table.
                let error = refusal::explain(&format!("changing {target}"), failure).advising(hint);
                let unknown = error.kind() == Kind::Internal;
                if unknown { error.of_kind(Kind::SchemaConflict) } else { error }
            }
        }
    }

    fn journal(&self, plan: &EvolutionPlan) -> Journal {
        let job = &self.tools.job;
        let key = JournalKey { target: job.target.clone(), run_id: job.run.text.clone() };
        Journal { key, views: plan.journal.clone() }
    }

    // No view was dropped yet. So when the answer is lost, running again is all that there is to
    // do: rows of views that exist are forgotten in time.
    async fn write(&self, journal: &Journal) -> Result<()> {
        for statements in journal.write_sql()? {
            let written = retry::execute_batch(&self.api, &statements).await;
            let outcome = written.map_err(Error::unless_unknown)?;
            if let Some(refused) = refusal_of(statements, outcome) {
                return Err(self.error(&refused, ""));
            }
        }
        let views = journal.views.len();
        if views > 0 {
            tracing::info!(views, "views written to the journal before they are dropped");
        }
        Ok(())
    }

    /// Takes the views out of the journal that no transaction has dropped. They are not asked for:
    /// one that is missing was dropped by others. A failure costs nothing, since rows of views that
    /// exist are forgotten in time.
    async fn discard(&self, journal: &Journal) {
        if journal.views.is_empty() {
            return;
        }
        match self.api.execute_batch(&journal.key.discard_sql()).await {
            Ok(Outcome::Finished(_)) => {}
            Ok(Outcome::Failed(failure)) => {
                tracing::warn!(error = %failure.message, "views stay in the journal for now")
            }
            Err(error) => tracing::warn!(%error, "views stay in the journal for now"),
        }
    }

    /// Brings back every view that was dropped, after a statement was refused or got no answer.
    /// Errors: some views may still be missing; the message says where they are.
    async fn take_back(
        &self,
        journal: &Journal,
        dependents: &Dependents,
        cause: &str,
    ) -> Result<()> {
        if journal.views.is_empty() {
            return Ok(());
        }
        let (api, user) = (&self.api, dependents.user.as_str());
        let settling = Settling { api, user, present: Present::Forget };
        let target = &journal.key.target;
        settling.settle(journal).await.map(drop).map_err(|error| {
            let fact = format!(
                "{target} could not be changed ({}), and views that were dropped for it may be \
                 missing; {} has them, the next run into {target} or `loader retry --schema-name \
                 {}` brings them back",
                refusal::headline(cause),
                target.sibling(DROPPED_VIEWS),
                target.schema
            );
            Error::new(error.kind(), fact).caused_by(error)
        })
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

/// Whether a refused execution was cancelled. It should have done nothing then, and where views are
/// at stake the catalog is asked.
fn is_cancelled(refused: &Refused) -> bool {
    refused.failure.refusal == Refusal::Cancelled
}

/// The refusal of an outcome, with the statement that was refused.
fn refusal_of(statements: Vec<String>, outcome: Outcome) -> Option<Refused> {
    match outcome {
        Outcome::Finished(_) => None,
        Outcome::Failed(failure) => {
            let statement = statements.into_iter().nth(failure.statement).unwrap_or_default();
            Some(Refused { statement, failure })
        }
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
/// that is wide enough already, or other views to drop. (A guard fires when another run has brought
/// this run's views back.) A refusal without a known sign may be one of these: no source has the
/// words for a VARCHAR that another program has made longer, and filled.
fn is_another_programs_doing(refusal: Refusal) -> bool {
    match refusal {
        Refusal::Conflict
        | Refusal::AlreadyExists
        | Refusal::Missing(_)
        | Refusal::Guard
        | Refusal::WideAlready
        | Refusal::HeldByViews
        | Refusal::Other => true,
        Refusal::Cancelled
        | Refusal::Denied
        | Refusal::BucketDenied
        | Refusal::RoleRefused
        | Refusal::Unavailable
        | Refusal::WrongPassword
        | Refusal::TypeMismatch => false,
    }
}
