//! AWS JSON 1.1: requests into structs, answers and errors into HTTP. Shapes and HTTP statuses are
//! those of the service's model (redshift-data 2019-12-20). Timestamps are numbers of seconds, such
//! as `1717430400.25`, and members without a value are left out.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::members::Members;
use crate::signature::Refusal;

/// An exception of the service.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    resource_id: Option<String>,
}

impl ApiError {
    pub(crate) fn validation(message: impl Into<String>) -> ApiError {
        ApiError {
            status: StatusCode::BAD_REQUEST,
            code: "ValidationException",
            message: message.into(),
            resource_id: None,
        }
    }

    /// A required member is missing. The message is the service's own.
    pub(crate) fn missing(member: &str) -> ApiError {
        ApiError::validation(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: \
             Member must not be null"
        ))
    }

    pub(crate) fn not_found(message: &str, id: &str) -> ApiError {
        ApiError {
            status: StatusCode::BAD_REQUEST,
            code: "ResourceNotFoundException",
            message: message.to_owned(),
            resource_id: Some(id.to_owned()),
        }
    }

    pub(crate) fn connection(message: String) -> ApiError {
        ApiError {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "DatabaseConnectionException",
            message,
            resource_id: None,
        }
    }

    pub(crate) fn too_many_active() -> ApiError {
        let message = "Active statements exceeded the allowed quota (200).".to_owned();
        ApiError {
            status: StatusCode::BAD_REQUEST,
            code: "ActiveStatementsExceededException",
            message,
            resource_id: None,
        }
    }

    /// A request of too many; `kind` is the exception that a test wants, empty for the usual one.
    pub(crate) fn throttled(kind: &str) -> ApiError {
        if kind == "ActiveStatementsExceededException" {
            return ApiError::too_many_active();
        }
        ApiError {
            status: StatusCode::BAD_REQUEST,
            code: "ThrottlingException",
            message: "Rate exceeded".to_owned(),
            resource_id: None,
        }
    }

    pub(crate) fn unknown_operation() -> ApiError {
        let message = "the local stand-in serves the Redshift Data API (X-Amz-Target: \
                       RedshiftData.<Operation>); no such operation";
        ApiError {
            status: StatusCode::BAD_REQUEST,
            code: "UnknownOperationException",
            message: message.to_owned(),
            resource_id: None,
        }
    }

    pub(crate) fn denied(message: String) -> ApiError {
        ApiError {
            status: StatusCode::BAD_REQUEST,
            code: "AccessDeniedException",
            message,
            resource_id: None,
        }
    }

    pub(crate) fn unsigned(refusal: Refusal) -> ApiError {
        let Refusal { code, message } = refusal;
        ApiError { status: StatusCode::BAD_REQUEST, code, message, resource_id: None }
    }

    fn into_body(self) -> Value {
        Members::default()
            .with("__type", self.code)
            .with("Message", self.message)
            .with_some("ResourceId", self.resource_id)
            .into()
    }

    fn serialization(message: String) -> ApiError {
        ApiError {
            status: StatusCode::BAD_REQUEST,
            code: "SerializationException",
            message,
            resource_id: None,
        }
    }
}

/// Reads a request's members. Unknown members are ignored, as the service does.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    // Every member of some requests is optional (ListStatements), so no body is an empty object.
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| ApiError::serialization(error.to_string()))
}

/// Writes the answer as an HTTP response. An error names its exception twice, in the body's
/// `__type` and in the header `x-amzn-errortype`.
pub(crate) fn respond(answer: Result<Value, ApiError>, request_id: &str) -> Response<Full<Bytes>> {
    let (status, code, body) = match answer {
        Ok(body) => (StatusCode::OK, None, body),
        Err(error) => (error.status, Some(error.code), error.into_body()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    if let Some(code) = code {
        headers.insert("x-amzn-errortype", HeaderValue::from_static(code));
    }
    response
}

/// The members that say which warehouse, which database and which user. Most requests have them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Target {
    pub(crate) cluster_identifier: Option<String>,
    pub(crate) workgroup_name: Option<String>,
    pub(crate) database: Option<String>,
    pub(crate) db_user: Option<String>,
    pub(crate) secret_arn: Option<String>,
}

impl Target {
    /// Checks that exactly one warehouse and a database are named; returns the database.
    pub(crate) fn check(&self) -> Result<String, ApiError> {
        self.check_warehouse()?;
        match &self.database {
            Some(database) if !database.is_empty() => Ok(database.clone()),
            _ => Err(ApiError::missing("database")),
        }
    }

    fn check_warehouse(&self) -> Result<(), ApiError> {
        let refusal = match (&self.cluster_identifier, &self.workgroup_name) {
            (Some(_), Some(_)) => {
                "Only one of ClusterIdentifier and WorkgroupName can be provided".to_owned()
            }
            (None, None) => "Either ClusterIdentifier or WorkgroupName must be provided".to_owned(),
            (None, Some(workgroup)) if !is_workgroup(workgroup) => format!(
                "1 validation error detected: Value '{workgroup}' at 'workgroupName' failed to \
                 satisfy constraint: Member must satisfy regular expression pattern: \
                 (([a-z0-9-]{{3,63}})|(arn:.*))"
            ),
            // The text is ours, not the service's: its page names DbUser for clusters only.
            (None, Some(_)) if self.db_user.is_some() => {
                "DbUser can be provided with ClusterIdentifier only".to_owned()
            }
            // Also ours: the page has them as alternatives.
            _ if self.db_user.is_some() && self.secret_arn.is_some() => {
                "Only one of DbUser and SecretArn can be provided".to_owned()
            }
            (Some(_), None) | (None, Some(_)) => return Ok(()),
        };
        Err(ApiError::validation(refusal))
    }

    /// Checks that no member is there, as a session has brought them all.
    // The text is ours, not the service's.
    pub(crate) fn check_is_empty(&self) -> Result<(), ApiError> {
        let Target { cluster_identifier, workgroup_name, database, db_user, secret_arn } = self;
        let members = [cluster_identifier, workgroup_name, database, db_user, secret_arn];
        if members.iter().all(|member| member.is_none()) {
            return Ok(());
        }
        Err(ApiError::validation(
            "ClusterIdentifier, WorkgroupName, Database, DbUser and SecretArn cannot be provided \
             with SessionId",
        ))
    }

    /// The user that runs the statement; `None` is the first user.
    pub(crate) fn user(&self) -> Option<&str> {
        self.db_user.as_deref()
    }

    /// The members that answers repeat.
    pub(crate) fn members(&self) -> Members {
        Members::default()
            .with_some("ClusterIdentifier", self.cluster_identifier.as_deref())
            .with_some("WorkgroupName", self.workgroup_name.as_deref())
            .with_some("Database", self.database.as_deref())
            .with_some("DbUser", self.db_user.as_deref())
            .with_some("SecretArn", self.secret_arn.as_deref())
    }
}

fn is_workgroup(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.starts_with("arn:") || ((3..=63).contains(&name.len()) && name.bytes().all(plain))
}

/// Checks a number against the model's range.
pub(crate) fn in_range(
    member: &str,
    value: Option<i64>,
    range: std::ops::RangeInclusive<i64>,
) -> Result<Option<i64>, ApiError> {
    match value {
        Some(number) if !range.contains(&number) => Err(ApiError::validation(format!(
            "1 validation error detected: Value '{number}' at '{member}' failed to satisfy \
             constraint: Member must be between {} and {}",
            range.start(),
            range.end()
        ))),
        other => Ok(other),
    }
}

/// A member has a value that the model does not list. The message is the service's own.
pub(crate) fn enum_error(member: &str, value: &str, set: &str) -> ApiError {
    ApiError::validation(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: \
         Member must satisfy enum value set: {set}"
    ))
}

/// Milliseconds as the protocol's seconds: `1500` becomes `1.5`.
pub(crate) fn seconds(millis: i64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this age fit 53 bits")]
    let seconds = millis as f64 / 1000.0;
    json!(seconds)
}
