//! What a refused statement means for the load that it was a part of: which promise would have been
//! broken, who has to act, or that the load has to be planned anew.

use loader_aws::data_api::DataApi;
use loader_model::error::{Error, Kind};
use loader_warehouse::bookkeeping::lock_fence;
use loader_warehouse::load_batch::{ExampleKey, StatementRole};
use loader_warehouse::refusal::{self, Refusal, StatementFailure};

use crate::job::Job;
use crate::redshift::{load_errors, lock_wait, refused_keys};

/// Keys that a refusal shows, where the warehouse tells more.
const SHOWN: usize = 3;

/// What a failed load comes to.
pub enum Meaning {
    /// Another run has loaded the same file meanwhile.
    LoadedAlready,
    /// The target is another than the parts were made for, so the load must be planned anew. The
    /// error is for the case that this goes on.
    TargetChanged(Error),
    Failed(Error),
}

/// A refused statement of a load.
pub struct LoadFailure<'a> {
    pub job: &'a Job,
    pub rows_staged: u64,
    /// Columns that nothing fills in new rows.
    pub unfilled: Vec<&'a str>,
    /// What the statement was for.
    pub role: Option<StatementRole>,
    /// The statements whose last one has some of the keys that were refused; none where no keys
    /// were.
    pub telling: Vec<String>,
    pub failure: &'a StatementFailure,
}

impl LoadFailure<'_> {
    /// What the refusal means. Asks the warehouse why a COPY failed. `api`: what ran the statement.
    // One refusal means different things at different statements, so refusal and role decide
    // together. (For example, a guard that fires at the fence is a file that was loaded meanwhile,
    // which is no error at all; at the row count it is a COPY that has lost rows.) Where the two
    // have no meaning of their own, the role decides how the warehouse's own words are introduced.
    pub async fn meaning(&self, api: &DataApi) -> Meaning {
        match (self.failure.refusal, self.role) {
            (Refusal::Guard, Some(StatementRole::FenceGuard)) => Meaning::LoadedAlready,
            (Refusal::Guard, Some(StatementRole::RowGuard)) => Meaning::Failed(self.rows_lost()),
            (Refusal::Guard, Some(StatementRole::DuplicateGuard)) => {
                Meaning::Failed(self.keys_twice(api).await)
            }
            (Refusal::Guard, Some(StatementRole::NewKeyGuard)) => {
                Meaning::Failed(self.new_keys(api).await)
            }
            _ if self.shows_another_target() => Meaning::TargetChanged(self.target_changed()),
            (Refusal::Cancelled, _) => Meaning::Failed(self.cancelled(api)),
            (_, Some(StatementRole::Copy)) => {
                Meaning::Failed(load_errors::explain(api, self.failure).await)
            }
            (_, Some(StatementRole::CreateView)) => Meaning::Failed(self.bad_view()),
            _ => Meaning::Failed(self.own_words()),
        }
    }

    /// Whether the target was made, dropped or altered since the load was planned. CREATE TABLE
    /// finds a table, the column guard finds other types, or a column is gone.
    fn shows_another_target(&self) -> bool {
        let merges = matches!(
            self.role,
            Some(
                StatementRole::HoldTarget
                    | StatementRole::RespeltKeyGuard
                    | StatementRole::Respell
                    | StatementRole::Count
                    | StatementRole::Delete
                    | StatementRole::Update
                    | StatementRole::Insert
            )
        );
        match self.failure.refusal {
            Refusal::AlreadyExists => self.role == Some(StatementRole::CreateTable),
            Refusal::Guard => self.role == Some(StatementRole::ColumnGuard),
            // The fence of a table that is not there yet was taken away as a leftover.
            Refusal::Missing(_) if self.role == Some(StatementRole::Lock) => true,
            Refusal::Missing(_) | Refusal::TypeMismatch => merges,
            _ => false,
        }
    }

    fn target_changed(&self) -> Error {
        let fact = format!(
            "{} was changed by others again and again while the file was being loaded; run again",
            self.job.target
        );
        self.error(Kind::Transient, fact)
    }

    fn rows_lost(&self) -> Error {
        let fact = format!(
            "Redshift did not copy the {} rows that were staged; everything was rolled back",
            self.rows_staged
        );
        self.error(Kind::Internal, fact)
    }

    async fn keys_twice(&self, api: &DataApi) -> Error {
        let fact = format!(
            "the file has several rows of one key ({}), and --duplicates error refuses that; correct \
             the file, or load one row of each key with --duplicates last or first",
            self.keys(api).await
        );
        Error::new(Kind::Data, fact).with("uri", self.job.layout.source())
    }

    async fn new_keys(&self, api: &DataApi) -> Error {
        let fact = format!(
            "the file has rows whose keys are new to {} ({}), and it lacks columns of theirs that are \
             NOT NULL and have no DEFAULT: {}; deliver new rows with all of these columns, and \
             without them only rows whose keys the table has",
            self.job.target,
            self.keys(api).await,
            self.unfilled.join(", ")
        );
        Error::new(Kind::SchemaConflict, fact).with("uri", self.job.layout.source())
    }

    /// The key columns with some of the keys that were refused: ``id: `7`, `8` ``.
    async fn keys(&self, api: &DataApi) -> String {
        let columns = self.job.keys.join(", ");
        let found: Vec<ExampleKey> = refused_keys::told(api, &self.telling).await;
        let keys: Vec<String> = found.iter().map(|key| format!("`{}`", key.0)).collect();
        match keys.as_slice() {
            [] => columns,
            [shown @ .., _] if shown.len() == SHOWN => {
                format!("{columns}: {}, …", shown.join(", "))
            }
            shown => format!("{columns}: {}", shown.join(", ")),
        }
    }

    /// The error of a statement that was cancelled: by the program when a LOCK waited too long, by
    /// Redshift at the statement timeout, or by somebody in the database.
    fn cancelled(&self, api: &DataApi) -> Error {
        let (warehouse, target) = (&self.job.warehouse, &self.job.target);
        if self.role == Some(StatementRole::Lock) {
            let statement = lock_fence(target);
            return lock_wait::cancelled(api, target, &statement, self.failure);
        }
        match warehouse.statement_timeout {
            Some(timeout) => {
                let fact = format!(
                    "loading into {target} failed: a statement took longer than \
                     --statement-timeout {}, or was cancelled in the database; run again, or give \
                     it more time",
                    timeout.as_secs()
                );
                self.error(Kind::Transient, fact)
            }
            None => self.own_words(),
        }
    }

    fn bad_view(&self) -> Error {
        let fact = format!(
            "a view of {} cannot be made: {}; correct its definition, nothing was loaded",
            self.job.layout.view_config(),
            refusal::headline(&self.failure.message)
        );
        self.error(Kind::Config, fact)
    }

    fn own_words(&self) -> Error {
        refusal::explain(&format!("loading into {}", self.job.target), self.failure)
    }

    fn error(&self, kind: Kind, fact: String) -> Error {
        Error::new(kind, fact).with("statement_id", &self.failure.id)
    }
}
