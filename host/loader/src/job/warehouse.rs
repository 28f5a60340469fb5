//! Where a job's statements go, and as whom.

use std::time::Duration;

use loader_aws::connect::AwsAccess;
use loader_aws::data_api::{Compute, Database};
use loader_model::error::Result;

use super::required::{config, required};
use crate::settings::Settings;

/// The role that COPY names on this machine. The stand-in takes any role.
const LOCAL_ROLE: &str = "arn:aws:iam::000000000000:role/local";

/// How long a load waits for another load of its table.
const LOCK_TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// The longest time that a statement may get: the Data API runs none for longer.
/// Source:
/// <https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html#data-api-calling-considerations>
const MAX_SECONDS: u64 = 24 * 60 * 60;
/// Parts up to this size are copied within a second or two, which is less than a session and a
/// second transaction cost.
const SPLIT_LOAD_ABOVE: u64 = 32 << 20;

/// Which Redshift a job talks to, as which user and role, and how patiently.
#[derive(Clone, Debug)]
pub struct WarehouseSettings {
    pub database: Database,
    pub access: AwsAccess,
    /// The role named in COPY; `default` for the cluster's own.
    pub iam_role: String,
    /// Whether a load locks its target against other programs.
    pub lock_target: bool,
    /// How long a transaction waits for the fence of its target.
    pub lock_timeout: Duration,
    /// The longest that a statement of a load may take; `None` leaves it to Redshift.
    pub statement_timeout: Option<Duration>,
    /// Bytes of staged parts above which COPY gets a transaction of its own.
    pub split_load_above: u64,
}

impl WarehouseSettings {
    /// Decides where statements go. Errors: `Config`, naming the flag that is missing or wrong.
    pub fn decide(settings: &Settings) -> Result<WarehouseSettings> {
        let mut access = AwsAccess::new(settings.region.clone(), settings.local.clone());
        if let Some(longest) = seconds(settings.request_timeout, "--request-timeout")? {
            access.request_timeout = longest;
        }
        check_user(settings)?;
        let local = access.local.is_some();
        let or_local = |value: &Option<String>, flag: &str, default: &str| match value {
            Some(value) => Ok(value.clone()),
            None if local => Ok(default.to_owned()),
            None => required(None, flag).cloned(),
        };
        Ok(WarehouseSettings {
            database: Database {
                compute: compute(settings)?,
                name: or_local(&settings.database, "--database", "dev")?,
                secret_arn: settings.secret_arn.clone(),
            },
            iam_role: or_local(&settings.iam_role, "--iam-role", LOCAL_ROLE)?,
            lock_target: settings.lock_target.unwrap_or(false),
            lock_timeout: seconds(settings.lock_timeout, "--lock-timeout")?.unwrap_or(LOCK_TIMEOUT),
            statement_timeout: seconds(settings.statement_timeout, "--statement-timeout")?,
            split_load_above: settings.split_load_above.unwrap_or(SPLIT_LOAD_ABOVE),
            access,
        })
    }

    /// The same for commands that copy nothing, such as `loader sql` and `loader retry`: they need
    /// no `--iam-role`.
    pub fn decide_for_queries(mut settings: Settings) -> Result<WarehouseSettings> {
        // `decide` insists on a role. This one is in no statement, since only COPY names a role.
        settings.iam_role.get_or_insert_with(|| "default".into());
        WarehouseSettings::decide(&settings)
    }
}

/// Refuses a database user that the Data API would refuse or not use: it takes one for clusters
/// only, and with a secret the user is the secret's.
/// Source: <https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html>
fn check_user(settings: &Settings) -> Result<()> {
    match (&settings.db_user, &settings.secret_arn, &settings.cluster_identifier) {
        (None, _, _) | (Some(_), None, Some(_)) => Ok(()),
        (Some(_), Some(_), _) => Err(config(
            "--db-user and --secret-arn are both given; the secret has the database user in it, so \
             give one of them",
        )),
        (Some(_), None, None) => Err(config(
            "--db-user needs --cluster-identifier: the Data API takes a database user for \
             provisioned clusters only; on a workgroup the user is that of the IAM identity or of \
             --secret-arn",
        )),
    }
}

/// A time that was given in seconds. Errors: `Config`, naming the flag.
fn seconds(given: Option<u64>, flag: &str) -> Result<Option<Duration>> {
    match given {
        Some(seconds) if !(1..=MAX_SECONDS).contains(&seconds) => {
            Err(config(format!("{flag} {seconds} is not between 1 and {MAX_SECONDS} seconds")))
        }
        given => Ok(given.map(Duration::from_secs)),
    }
}

/// The compute that runs the statements. Errors: `Config` when the settings name none, or both a
/// workgroup and a cluster.
fn compute(settings: &Settings) -> Result<Compute> {
    match (&settings.workgroup_name, &settings.cluster_identifier) {
        (Some(_), Some(_)) => Err(config(
            "--workgroup-name and --cluster-identifier are both given; a load goes to one \
                 of them",
        )),
        (Some(name), None) => Ok(Compute::Workgroup(name.clone())),
        (None, Some(identifier)) => Ok(Compute::Cluster {
            identifier: identifier.clone(),
            db_user: settings.db_user.clone(),
        }),
        (None, None) if settings.local.is_some() => Ok(Compute::Workgroup("local".into())),
        (None, None) => Err(config(
            "no warehouse given; name one with --workgroup-name or --cluster-identifier, \
                 or use --local DIR",
        )),
    }
}
