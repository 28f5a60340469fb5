//! What a failed request means: the kind of the failure, and what its reader can do about it.

use std::error::Error as StdError;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{DispatchFailure, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use loader_model::error::{Error, Kind};
use loader_model::stop::interrupted;

/// Whether a failed request found the object missing.
pub(crate) fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    // HEAD answers without a body and so without a code; then the status alone tells. With a code
    // the status is not enough: for example, `NoSuchBucket` has the status 404 too.
    matches!(error.code(), Some("NoSuchKey" | "NotFound"))
        || (status(error) == Some(404) && error.code().is_none())
}

/// Whether a conditional request (`If-Match`) found the object changed.
pub(crate) fn is_changed<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    matches!(error.code(), Some("PreconditionFailed" | "ConditionalRequestConflict"))
        || status(error) == Some(412)
}

/// Whether the store knows a header of the request and does not do what it asks for. (Stores of
/// other makers answer so to conditions of a write.)
pub(crate) fn is_not_implemented<E: ProvideErrorMetadata>(
    error: &SdkError<E, HttpResponse>,
) -> bool {
    error.code() == Some("NotImplemented") || status(error) == Some(501)
}

/// The same for requests that may simply be sent again: reads, and also PUT, COPY and DELETE of an
/// object. A lost answer makes them `Transient` and not `OutcomeUnknown`. (For example, a PUT that
/// is sent twice writes the same object.)
pub(crate) fn read_failure<E>(doing: &str, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    failure(doing, error).unless_unknown()
}

/// Turns a failed request into the program's error. `doing`: what was tried, such as
/// `reading s3://b/k`.
pub(crate) fn failure<E>(doing: &str, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let status = status(&error);
    if let Some(code) = error.code() {
        return refused(doing, code, error.message(), status);
    }
    if let Some(Stopped(signal)) = StdError::source(&error).and_then(|cause| cause.downcast_ref()) {
        return interrupted(*signal);
    }
    match &error {
        SdkError::ConstructionFailure(_) => {
            Error::new(Kind::Config, format!("{doing} failed")).caused_by(error)
        }
        SdkError::DispatchFailure(dispatch) if lacks_credentials(dispatch) => {
            Error::new(Kind::Config, format!("{doing} failed; are there credentials for AWS?"))
                .caused_by(error)
        }
        // The request may have arrived and done its work. Only its answer is known to be lost.
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) | SdkError::ResponseError(_) => {
            Error::new(Kind::OutcomeUnknown, format!("{doing} got no answer")).caused_by(error)
        }
        // It was done. What has come of it stood in the answer.
        _ if status.is_some_and(|status| (200..300).contains(&status)) => {
            let fact = format!("{doing} got an answer that cannot be read");
            Error::new(Kind::OutcomeUnknown, fact).caused_by(error)
        }
        _ => {
            let fact = format!("{doing} failed with HTTP status {}", status.unwrap_or(0));
            Error::new(kind_of("", "", status), fact)
        }
    }
}

/// A request that was not waited for, because a signal has asked the run to stop.
#[derive(Debug)]
struct Stopped(i32);

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "stopped by signal {}", self.0)
    }
}

impl StdError for Stopped {}

/// The failure of a request that is not waited for any more, in the shape of the SDK's.
pub(crate) fn stopped<E>(reason: &Error) -> SdkError<E, HttpResponse> {
    let signal = if let Kind::Interrupted(signal) = reason.kind() { signal } else { 0 };
    SdkError::construction_failure(Stopped(signal))
}

/// The error for an answer with a code and perhaps a message.
fn refused(doing: &str, code: &str, message: Option<&str>, status: Option<u16>) -> Error {
    let message = message.unwrap_or("no further message");
    let fact = format!("{doing} failed: {code}: {message}{}", remedy(code));
    Error::new(kind_of(code, message, status), fact)
}

/// Whether a request was never sent because there are no credentials to sign it with.
fn lacks_credentials(dispatch: &DispatchFailure) -> bool {
    // The SDK reports missing credentials as "other" without saying of which kind. A connection
    // that was closed in the middle is "other" too, but says of which kind.
    let error = dispatch.as_connector_error();
    error.is_some_and(|error| error.is_other() && error.as_other().is_none())
}

/// The HTTP status of the answer, if there was one.
pub(crate) fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

/// Words in codes of requests that were too many, or that took too long.
const THROTTLED: [&str; 8] = [
    "Throttl",
    "SlowDown",
    "TooManyRequests",
    "RequestLimit",
    "ActiveStatementsExceeded",
    "ActiveSessionsExceeded",
    "ActiveWaitingRequestsExceeded",
    "Timeout",
];

/// Codes of requests whose content did not arrive as it was sent.
const ALTERED: [&str; 4] =
    ["BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"];

/// Codes of requests that were signed with credentials, or by a clock, whose time is over. Neither
/// the file nor the settings are at fault, and a service that runs on gets new credentials by
/// itself.
const OUT_OF_TIME: [&str; 5] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "TokenRefreshRequired",
];

/// Whether a refusal of a signature is about its time, such as `Signature expired: …`.
fn is_of_time(message: &str) -> bool {
    message.contains("expired") || message.contains("not yet current")
}

/// The kind of a failure that the service has answered. `code`, `message`: empty when the answer
/// has none.
// The code counts before the status. A throttled request may have a 4xx status, and 4xx alone would
// blame the configuration. The Data API hides some of what passes in a ValidationException, where
// only the message tells: throttling, and a session that the service has ended.
// Sources: <https://github.com/spark-redshift-community/spark-redshift> (DataApiWrapper),
// <https://github.com/awslabs/mcp/issues/4587>.
fn kind_of(code: &str, message: &str, status: Option<u16>) -> Kind {
    match code {
        code if THROTTLED.iter().any(|word| code.contains(word)) => Kind::Transient,
        "ValidationException"
            if message.contains("Throttling") || message.contains("Session is not available") =>
        {
            Kind::Transient
        }
        "OperationAborted" => Kind::Transient,
        code if ALTERED.contains(&code) || OUT_OF_TIME.contains(&code) => Kind::Transient,
        // The Data API has one code for wrong signatures and for those of another time.
        "InvalidSignatureException" if is_of_time(message) => Kind::Transient,
        "InternalServerException"
        | "InternalError"
        | "ServiceUnavailable"
        | "DatabaseConnectionException" => Kind::Transient,
        "ExecuteStatementException" | "BatchExecuteStatementException" => Kind::Transient,
        _ => match status {
            Some(400..=499) => Kind::Config,
            Some(500..) => Kind::Transient,
            _ => Kind::Internal,
        },
    }
}

/// The end of the message: the remedy, or nothing for a code without a known remedy.
fn remedy(code: &str) -> &'static str {
    match code {
        "AccessDenied" | "AccessDeniedException" | "Forbidden" => {
            "; the credentials in use lack this permission"
        }
        "NoSuchBucket" => "; check --src-bucket",
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => "; log in again",
        "RequestTimeTooSkewed" | "RequestExpired" | "InvalidSignatureException" => {
            "; is the clock of this machine right?"
        }
        "PermanentRedirect" | "AuthorizationHeaderMalformed" => {
            "; the bucket is in another Region, give --region"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_told_from_what_must_be_mended() {
        let transient = [
            ("ThrottlingException", "Rate exceeded"),
            ("ActiveStatementsExceededException", "Active statements exceeded the allowed quota"),
            ("ActiveSessionsExceededException", "Active sessions exceeded the allowed quota"),
            ("ValidationException", "Throttling: Rate exceeded"),
            ("ValidationException", "Session is not available"),
            ("ExpiredToken", "The provided token has expired."),
            ("RequestTimeTooSkewed", "The difference between the request time and the server's"),
            ("InvalidSignatureException", "Signature expired: 20260101T000000Z is now earlier"),
            ("InvalidSignatureException", "Signature not yet current: 20260101T000000Z"),
            ("BadDigest", "The Content-MD5 you specified did not match what we received."),
        ];
        for (code, message) in transient {
            assert_eq!(kind_of(code, message, Some(400)), Kind::Transient, "{code}: {message}");
        }
        let config = [
            ("AccessDeniedException", "not authorized to perform redshift-data:ExecuteStatement"),
            ("ValidationException", "Session with Id: 1 is invalid"),
            ("InvalidSignatureException", "The request signature we calculated does not match"),
            ("ValidationException", "Cannot process query string larger than 100kB"),
        ];
        for (code, message) in config {
            assert_eq!(kind_of(code, message, Some(400)), Kind::Config, "{code}: {message}");
        }
        assert_eq!(kind_of("", "", Some(503)), Kind::Transient);
    }
}
