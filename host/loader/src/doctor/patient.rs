//! What every probe works with: the decided settings, the two services, and the name that all has
//! that a probe makes.

use std::sync::{Mutex, PoisonError};

use loader_aws::connect::Aws;
use loader_aws::data_api::{DataApi, Executed, Outcome};
use loader_aws::s3::Store;
use loader_aws::stop::Stop;
use loader_model::error::Result;
use loader_model::names::{S3Uri, TableName};
use loader_warehouse::refusal;
use loader_warehouse::rows::{FromRow, ResultRows};

use crate::job::checkup::Checkup;
use crate::layout::RunId;

/// What is examined, and how it is reached.
pub(super) struct Patient {
    pub(super) checkup: Checkup,
    pub(super) aws: Aws,
    pub(super) store: Store,
    pub(super) api: DataApi,
    pub(super) stop: Stop,
    /// The beginning of every name that a probe makes, in the bucket and in the warehouse.
    pub(super) name: String,
    /// Prefixes of the bucket below which everything is ours.
    places: Mutex<Vec<S3Uri>>,
}

impl Patient {
    pub(super) fn new(checkup: Checkup, aws: Aws, stop: Stop) -> Patient {
        // The end of a run's id is random.
        let run = RunId::new().text;
        let name = format!("loader_doctor_{}", &run[run.len().saturating_sub(12)..]);
        Patient {
            store: Store::new(&aws, stop.clone()),
            api: DataApi::new(&aws, &checkup.warehouse.database, &name, stop.clone()),
            checkup,
            aws,
            stop,
            name,
            places: Mutex::default(),
        }
    }

    /// The same patient, for what has to be done even when it is time to stop.
    pub(super) fn to_the_end(&self) -> Patient {
        Patient {
            checkup: self.checkup.clone(),
            aws: self.aws.clone(),
            store: self.store.to_the_end(),
            api: self.api.to_the_end(),
            stop: Stop::never(),
            name: self.name.clone(),
            places: Mutex::new(self.places()),
        }
    }

    /// An object of ours below a folder of the bucket, such as `data/in/`.
    pub(super) fn object(&self, folder: &str, name: &str) -> S3Uri {
        let place = self.place(folder);
        S3Uri::new(place.bucket, format!("{}{name}", place.key))
    }

    /// A folder of ours below a folder of the bucket. It is emptied at the end.
    pub(super) fn place(&self, folder: &str) -> S3Uri {
        let place = S3Uri::new(&self.checkup.bucket, format!("{folder}{}/", self.name));
        self.own(place.clone());
        place
    }

    /// Notes a prefix that is emptied at the end.
    pub(super) fn own(&self, place: S3Uri) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if !places.contains(&place) {
            places.push(place);
        }
    }

    /// The prefixes that are emptied at the end.
    pub(super) fn places(&self) -> Vec<S3Uri> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A table's name of ours in a schema.
    pub(super) fn table_in(&self, schema: &str) -> TableName {
        TableName { schema: schema.to_owned(), table: self.name.clone() }
    }

    /// Runs one statement. Errors: also those of a statement that the warehouse refused.
    pub(super) async fn execute(&self, doing: &str, sql: &str) -> Result<Executed> {
        accepted(doing, self.api.execute(sql).await?)
    }

    /// Runs statements as one transaction. Errors: as of [`Patient::execute`].
    pub(super) async fn transact(&self, doing: &str, statements: &[String]) -> Result<Executed> {
        accepted(doing, self.api.execute_batch(statements).await?)
    }

    /// The rows of a query. Errors: as of [`Patient::execute`].
    pub(super) async fn rows(&self, doing: &str, sql: &str) -> Result<ResultRows> {
        let executed = self.execute(doing, sql).await?;
        self.api.rows(&executed, None).await
    }

    /// The first row of a query that has one. Errors: as of [`Patient::execute`].
    pub(super) async fn first<T: FromRow>(&self, doing: &str, sql: &str) -> Result<T> {
        self.rows(doing, sql).await?.first(doing)
    }
}

fn accepted(doing: &str, outcome: Outcome) -> Result<Executed> {
    match outcome {
        Outcome::Finished(executed) => Ok(executed),
        Outcome::Failed(failure) => Err(refusal::explain(doing, &failure)),
    }
}
