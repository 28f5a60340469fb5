//! ListSessions: the sessions that this server has made, newest first, by page. In: filters, or the
//! id of one session. Out: the members of the service's model.

use serde::Deserialize;
use serde_json::Value;

use super::kept::{KeptSession, SessionStatus};
use super::members::Members;
use super::protocol::{ApiError, enum_error, in_range, seconds};
use super::warehouse::Warehouse;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SessionsRequest {
    session_id: Option<String>,
    status: Option<String>,
    database: Option<String>,
    cluster_identifier: Option<String>,
    workgroup_name: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

impl SessionsRequest {
    /// The statuses to list; without one, those of sessions that are open.
    fn statuses(&self) -> Result<Vec<SessionStatus>, ApiError> {
        use SessionStatus::{Available, Busy, Closed};
        match self.status.as_deref() {
            None => Ok(vec![Available, Busy]),
            Some("AVAILABLE") => Ok(vec![Available]),
            Some("BUSY") => Ok(vec![Busy]),
            Some("CLOSED") => Ok(vec![Closed]),
            Some(other) => Err(enum_error("status", other, "[AVAILABLE, BUSY, CLOSED]")),
        }
    }

    fn has_filter(&self) -> bool {
        let filters =
            [&self.status, &self.database, &self.cluster_identifier, &self.workgroup_name];
        filters.iter().any(|filter| filter.is_some())
    }

    fn matches(&self, session: &KeptSession) -> bool {
        let same =
            |wanted: &Option<String>, value: &Option<String>| wanted.is_none() || wanted == value;
        same(&self.database, &session.target.database)
            && same(&self.cluster_identifier, &session.target.cluster_identifier)
            && same(&self.workgroup_name, &session.target.workgroup_name)
    }

    /// Whether a session comes after the page before, whose last id is the token. Ids grow with
    /// time.
    fn is_after_token(&self, session: &KeptSession) -> bool {
        self.next_token.as_ref().is_none_or(|token| session.id < *token)
    }
}

/// ListSessions.
pub(crate) fn sessions(
    warehouse: &Warehouse,
    request: &SessionsRequest,
) -> Result<Value, ApiError> {
    if let Some(id) = &request.session_id {
        return one(warehouse, request, id);
    }
    let statuses = request.statuses()?;
    let limit = in_range("maxResults", request.max_results, 0..=100)?.filter(|limit| *limit > 0);
    let limit = limit.map_or(100, |limit| usize::try_from(limit).unwrap_or(100));
    let mut found = warehouse.sessions.newest_first();
    found.retain(|session| {
        request.is_after_token(session)
            && request.matches(session)
            && statuses.contains(&session.view().status)
    });
    let has_more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| has_more);
    let listed: Vec<Value> = found.iter().map(|session| listed(session)).collect();
    Ok(Members::default()
        .with("Sessions", listed)
        .with_some("NextToken", last.map(|last| last.id.as_str()))
        .into())
}

/// The one session that the request names.
fn one(warehouse: &Warehouse, request: &SessionsRequest, id: &str) -> Result<Value, ApiError> {
    if request.has_filter() {
        return Err(ApiError::validation(
            "Status, ClusterIdentifier, WorkgroupName and Database cannot be provided with \
             SessionId",
        ));
    }
    let session = warehouse
        .sessions
        .get(id)
        .ok_or_else(|| ApiError::not_found("Session does not exist.", id))?;
    Ok(Members::default().with("Sessions", vec![listed(&session)]).into())
}

fn listed(session: &KeptSession) -> Value {
    let view = session.view();
    // The model has no SecretArn here.
    let target = super::protocol::Target { secret_arn: None, ..session.target.clone() };
    Members::default()
        .with("SessionId", session.id.as_str())
        .with("Status", view.status.as_str())
        .with("CreatedAt", seconds(session.created_millis))
        .with("UpdatedAt", seconds(view.updated_millis))
        .with("SessionAliveSeconds", view.keep_alive_seconds)
        .with_some("SessionTtl", view.expires_millis.map(seconds))
        .with_some("CurrentStatementId", view.current_statement)
        .and(target.members())
        .into()
}
