//! Which permissions a request to the Data API needs: the operation's own, and that of getting to
//! the database as its user. In: the request and the caller's policy. Out: AWS's refusal where a
//! permission is missing.
//!
//! Sources: <https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-iam.html>, and
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonredshiftdataapi.html>

use serde::Deserialize;

use super::protocol::{ApiError, Target, parse};
use super::warehouse::Warehouse;
use crate::policy::Policy;

/// The Region and the account of every resource.
const PLACE: &str = "us-east-1:000000000000";

/// Where a request runs.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Place {
    session_id: Option<String>,
    #[serde(flatten)]
    target: Target,
}

/// Errors: `AccessDeniedException`.
pub(crate) fn check(
    policy: &Policy,
    warehouse: &Warehouse,
    operation: &str,
    body: &[u8],
) -> Result<(), ApiError> {
    let action = format!("redshift-data:{operation}");
    let check =
        |action: &str, resource: &str| policy.check(action, resource).map_err(ApiError::denied);
    if !matches!(operation, "ExecuteStatement" | "BatchExecuteStatement") {
        return check(&action, "*");
    }
    let place: Place = parse(body)?;
    let session = place.session_id.and_then(|id| warehouse.sessions.get(&id));
    let is_in_session = session.is_some();
    let target = session.map_or(place.target, |session| session.target.clone());
    check(&action, &compute(&target))?;
    // An open session has its user.
    if is_in_session {
        return Ok(());
    }
    let (login, resources) = login(&target);
    resources.iter().try_for_each(|resource| check(login, resource))
}

fn compute(target: &Target) -> String {
    match (&target.cluster_identifier, &target.workgroup_name) {
        (Some(cluster), _) => format!("arn:aws:redshift:{PLACE}:cluster:{cluster}"),
        (None, workgroup) => {
            let workgroup = workgroup.as_deref().unwrap_or_default();
            format!("arn:aws:redshift-serverless:{PLACE}:workgroup/{workgroup}")
        }
    }
}

/// The action that brings the database's user, and what it is asked for.
fn login(target: &Target) -> (&'static str, Vec<String>) {
    let database = target.database.as_deref().unwrap_or_default();
    match (&target.secret_arn, &target.cluster_identifier, &target.db_user) {
        (Some(secret), _, _) => ("secretsmanager:GetSecretValue", vec![secret.clone()]),
        (None, Some(cluster), Some(user)) => (
            "redshift:GetClusterCredentials",
            vec![
                format!("arn:aws:redshift:{PLACE}:dbuser:{cluster}/{user}"),
                format!("arn:aws:redshift:{PLACE}:dbname:{cluster}/{database}"),
            ],
        ),
        (None, Some(cluster), None) => (
            "redshift:GetClusterCredentialsWithIAM",
            vec![format!("arn:aws:redshift:{PLACE}:dbname:{cluster}/{database}")],
        ),
        (None, None, _) => ("redshift-serverless:GetCredentials", vec![compute(target)]),
    }
}
