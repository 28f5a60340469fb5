//! Where a project's files lie, and what they are loaded into: one connection for all loads.

use loader_aws::connect::{self, Aws};
use loader_aws::data_api::DataApi;
use loader_aws::s3::Store;
use loader_aws::stop::Stop;
use loader_model::error::Result;
use loader_model::names::S3Uri;

use crate::job::{Project, WarehouseSettings, bucket};

/// The bucket and the warehouse of a project.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) aws: Aws,
    pub(crate) bucket: String,
    pub(crate) store: Store,
    pub(crate) api: DataApi,
}

impl Place {
    /// Connects. Errors: `Config` when settings are missing or wrong.
    pub(crate) async fn connect(project: &Project, stop: &Stop) -> Result<Place> {
        let settings = project.settings()?;
        let bucket = bucket(&settings)?;
        let is_given = settings.src_bucket.is_some();
        let warehouse = WarehouseSettings::decide_for_queries(settings)?;
        let aws = connect::connect(&warehouse.access).await?;
        let store = Store::new(&aws, stop.clone());
        if warehouse.access.local.is_some() && !is_given {
            store.create_bucket(&bucket).await?;
        }
        let api = DataApi::new(&aws, &warehouse.database, "loader", stop.clone());
        Ok(Place { aws, bucket, store, api })
    }

    /// The object of this key.
    pub(crate) fn at(&self, key: impl Into<String>) -> S3Uri {
        S3Uri::new(&self.bucket, key)
    }
}
