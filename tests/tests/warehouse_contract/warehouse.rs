//! The warehouses that the cases run on: the stand-in, or a real one.
//!
//! The real one is named by LOADER_TEST_WORKGROUP or LOADER_TEST_CLUSTER, with
//! LOADER_TEST_DATABASE, LOADER_TEST_DB_USER or LOADER_TEST_SECRET_ARN, LOADER_TEST_BUCKET and
//! LOADER_TEST_IAM_ROLE; credentials and Region as every AWS program finds them. Its user must be a
//! superuser, as some cases create users.

use loader_aws::connect::{AwsAccess, connect};
use loader_aws::data_api::{Compute, DataApi, Database};
use loader_aws::s3::Store;
use loader_aws::stop::Stop;
use loader_contract::Bench;
use loader_tests::World;

/// Where the cases run.
pub(crate) struct Warehouse {
    pub(crate) name: String,
    pub(crate) is_real: bool,
    pub(crate) bench: Bench,
}

impl Warehouse {
    pub(crate) async fn stand_in(world: &World) -> Warehouse {
        let access = AwsAccess::new(None, Some(world.dir().to_path_buf()));
        let database = Database {
            compute: Compute::Workgroup("local".to_owned()),
            name: "dev".to_owned(),
            secret_arn: None,
        };
        let role = world.endpoints().iam_role.clone();
        let bench = bench(&access, &database, "contract".to_owned(), role).await;
        bench.store.create_bucket(&bench.bucket).await.expect("a new bucket");
        Warehouse { name: "the stand-in".to_owned(), is_real: false, bench }
    }

    /// `None` when no real one is named.
    pub(crate) async fn real() -> Option<Warehouse> {
        let optional = |name: &str| std::env::var(format!("LOADER_TEST_{name}")).ok();
        let needed = |name: &str| {
            optional(name).unwrap_or_else(|| panic!("a real warehouse needs LOADER_TEST_{name}"))
        };
        let (workgroup, cluster) = (optional("WORKGROUP"), optional("CLUSTER"));
        let name = workgroup.clone().or_else(|| cluster.clone())?;
        let db_user = optional("DB_USER");
        let compute = match workgroup {
            Some(name) => Compute::Workgroup(name),
            None => Compute::Cluster { identifier: name.clone(), db_user },
        };
        let database =
            Database { compute, name: needed("DATABASE"), secret_arn: optional("SECRET_ARN") };
        let access = AwsAccess::new(None, None);
        let bench = bench(&access, &database, needed("BUCKET"), needed("IAM_ROLE")).await;
        Some(Warehouse { name, is_real: true, bench })
    }
}

async fn bench(access: &AwsAccess, database: &Database, bucket: String, role: String) -> Bench {
    let aws = connect(access).await.expect("a connection");
    Bench {
        requests: DataApi::new(&aws, database, "loader contract", Stop::never()).requests(),
        store: Store::new(&aws, Stop::never()),
        bucket,
        folder: String::new(),
        role,
        prefix: "loader".to_owned(),
        schema: None,
    }
}
