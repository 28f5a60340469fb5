//! AWS JSON 1.1: requests into structs, answers and errors into HTTP. Shapes and HTTP statuses are
//! those of the service's model (redshift-data 2019-12-20); timestamps are numbers, members without
//! a value are left out.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// An exception of the service.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    status: u16,
    code: &'static str,
    message: String,
    resource_id: Option<String>,
}

impl ApiError {
    pub(crate) fn validation(message: impl Into<String>) -> ApiError {
        ApiError {
            status: 400,
            code: "ValidationException",
            message: message.into(),
            resource_id: None,
        }
    }

    /// A required member is missing; the service's own words.
    pub(crate) fn missing(member: &str) -> ApiError {
        ApiError::validation(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: \
             Member must not be null"
        ))
    }

    pub(crate) fn not_found(message: &str, id: &str) -> ApiError {
        ApiError {
            status: 400,
            code: "ResourceNotFoundException",
            message: message.to_owned(),
            resource_id: Some(id.to_owned()),
        }
    }

    pub(crate) fn connection(message: String) -> ApiError {
        ApiError { status: 500, code: "DatabaseConnectionException", message, resource_id: None }
    }

    pub(crate) fn too_many_active() -> ApiError {
        let message = "Active statements exceeded the allowed quota (200).".to_owned();
        ApiError {
            status: 400,
            code: "ActiveStatementsExceededException",
            message,
            resource_id: None,
        }
    }

    pub(crate) fn unknown_operation() -> ApiError {
        let message = "the local stand-in serves the Redshift Data API (X-Amz-Target: \
                       RedshiftData.<Operation>); no such operation";
        ApiError {
            status: 400,
            code: "UnknownOperationException",
            message: message.to_owned(),
            resource_id: None,
        }
    }

    fn serialization(message: String) -> ApiError {
        ApiError { status: 400, code: "SerializationException", message, resource_id: None }
    }
}

/// Reads a request's members; unknown ones are ignored, as the service does.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| ApiError::serialization(error.to_string()))
}

/// Writes the answer.
pub(crate) fn respond(answer: Result<Value, ApiError>, request_id: &str) -> Response<Full<Bytes>> {
    let (status, code, body) = match answer {
        Ok(body) => (200, None, body),
        Err(error) => {
            let mut body = json!({"__type": error.code, "Message": error.message});
            if let Some(id) = error.resource_id {
                body["ResourceId"] = Value::String(id);
            }
            (error.status, Some(error.code), body)
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() =
        hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
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

/// Which warehouse, which database, as whom; in most requests.
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
        match (&self.cluster_identifier, &self.workgroup_name) {
            (Some(_), Some(_)) => {
                return Err(ApiError::validation(
                    "Only one of ClusterIdentifier and WorkgroupName can be provided",
                ));
            }
            (None, None) => {
                return Err(ApiError::validation(
                    "Either ClusterIdentifier or WorkgroupName must be provided",
                ));
            }
            (None, Some(workgroup)) if !is_workgroup(workgroup) => {
                return Err(ApiError::validation(format!(
                    "1 validation error detected: Value '{workgroup}' at 'workgroupName' failed to \
                     satisfy constraint: Member must satisfy regular expression pattern: \
                     (([a-z0-9-]{{3,63}})|(arn:.*))"
                )));
            }
            // Not the service's words: its page names DbUser for clusters only.
            (None, Some(_)) if self.db_user.is_some() => {
                return Err(ApiError::validation(
                    "DbUser can be provided with ClusterIdentifier only",
                ));
            }
            _ => {}
        }
        match &self.database {
            Some(database) if !database.is_empty() => Ok(database.clone()),
            _ => Err(ApiError::missing("database")),
        }
    }

    /// Who runs the statement; `None`: the superuser.
    pub(crate) fn user(&self) -> Option<&str> {
        self.db_user.as_deref()
    }

    /// Adds the members that answers repeat.
    pub(crate) fn describe(&self, answer: &mut Map<String, Value>) {
        let members = [
            ("ClusterIdentifier", &self.cluster_identifier),
            ("WorkgroupName", &self.workgroup_name),
            ("Database", &self.database),
            ("DbUser", &self.db_user),
            ("SecretArn", &self.secret_arn),
        ];
        for (name, value) in members {
            if let Some(value) = value {
                answer.insert(name.to_owned(), json!(value));
            }
        }
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

pub(crate) fn now_millis() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0))
}

/// Milliseconds as the protocol's seconds.
pub(crate) fn seconds(millis: i64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this age fit 53 bits")]
    let seconds = millis as f64 / 1000.0;
    json!(seconds)
}
