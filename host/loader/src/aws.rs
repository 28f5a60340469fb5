//! Credentials, region, endpoints and the meaning of AWS errors; shared by `s3.rs` and
//! `redshift/data_api.rs`.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use loader_attach::{Attachment, Program};

use crate::error::{Context, Error, Kind, Result};
use crate::job::AwsSettings;

/// A way into AWS, or into the stand-in on this machine, which is kept running as long as this
/// lives.
#[derive(Clone)]
pub struct Aws {
    pub config: SdkConfig,
    /// Endpoints of the stand-in; the SDK finds all others itself.
    pub endpoints: Option<ServiceEndpoints>,
    _local: Option<std::sync::Arc<Attachment>>,
}

/// Where the two services listen, when not where AWS has them.
#[derive(Clone, Debug)]
pub struct ServiceEndpoints {
    pub s3: String,
    pub redshift_data: String,
}

/// Loads credentials and region as every AWS program does, or joins the stand-in.
pub async fn connect(settings: &AwsSettings) -> Result<Aws> {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let mut defaults = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(RetryConfig::standard().with_max_attempts(5))
        .timeout_config(timeouts());
    if let Some(region) = &settings.region {
        defaults = defaults.region(Region::new(region.clone()));
    }
    let Some(dir) = &settings.local else {
        let config = defaults.load().await;
        if config.region().is_none() {
            return Err(Error::new(
                Kind::Config,
                "no AWS Region is known; give --region or set AWS_REGION",
            ));
        }
        return Ok(Aws { config, endpoints: None, _local: None });
    };
    let attachment = loader_attach::attach(dir, &Program::Installed).await.context(
        Kind::Config,
        format!("the local stand-in in {} could not be used", dir.display()),
    )?;
    let local = &attachment.endpoints;
    let credentials = Credentials::new(
        &local.access_key_id,
        &local.secret_access_key,
        None,
        None,
        "local stand-in",
    );
    let config = defaults
        .credentials_provider(credentials)
        .region(Region::new(local.region.clone()))
        .load()
        .await;
    let endpoints =
        ServiceEndpoints { s3: local.s3.clone(), redshift_data: local.redshift_data.clone() };
    Ok(Aws { config, endpoints: Some(endpoints), _local: Some(std::sync::Arc::new(attachment)) })
}

/// A server that takes a connection and says nothing must not hold a load for ever. Answers may
/// take as long as the longest poll (30 s); bodies have no limit of their own, they stop when
/// nothing moves.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_secs(60))
        .build()
}

/// Whether a failed request found the object missing.
pub fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    matches!(error.code(), Some("NoSuchKey" | "NotFound"))
        || (status(error) == Some(404) && error.code().is_none())
}

/// Whether a conditional request found the object changed.
pub fn is_changed<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    matches!(error.code(), Some("PreconditionFailed" | "ConditionalRequestConflict"))
        || status(error) == Some(412)
}

/// The same for requests that change nothing, so that nothing about them can stay unknown.
pub fn read_failure<E>(doing: &str, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    failure(doing, error).unless_unknown()
}

/// Turns a failed request into our error. `doing` says what was tried, such as `reading s3://b/k`.
pub fn failure<E>(doing: &str, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let code = error.code().map(str::to_string);
    let detail = error.message().map(str::to_string);
    match (&error, code) {
        (_, Some(code)) => {
            let detail = detail.unwrap_or_else(|| "no further message".into());
            Error::new(
                kind_of(&code, status(&error)),
                format!("{doing} failed: {code}: {detail}{}", remedy(&code)),
            )
        }
        (SdkError::ConstructionFailure(_), _) => {
            Error::new(Kind::Config, format!("{doing} failed")).caused_by(error)
        }
        // A connection that was closed in the middle is "other" too, but says of which kind.
        (SdkError::DispatchFailure(dispatch), _)
            if dispatch
                .as_connector_error()
                .is_some_and(|error| error.is_other() && error.as_other().is_none()) =>
        {
            Error::new(Kind::Config, format!("{doing} failed; are there credentials for AWS?"))
                .caused_by(error)
        }
        // The request may have arrived; only its answer is known to be lost.
        (
            SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) | SdkError::ResponseError(_),
            _,
        ) => Error::new(Kind::OutcomeUnknown, format!("{doing} got no answer")).caused_by(error),
        _ => {
            let status = status(&error);
            Error::new(
                kind_of("", status),
                format!("{doing} failed with HTTP status {}", status.unwrap_or(0)),
            )
        }
    }
}

fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

fn kind_of(code: &str, status: Option<u16>) -> Kind {
    let throttled = [
        "Throttl",
        "SlowDown",
        "TooManyRequests",
        "RequestLimit",
        "ActiveStatementsExceeded",
        "Timeout",
    ];
    match code {
        code if throttled.iter().any(|word| code.contains(word)) => Kind::Transient,
        "OperationAborted" => Kind::Transient,
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

fn remedy(code: &str) -> &'static str {
    match code {
        "AccessDenied" | "AccessDeniedException" | "Forbidden" => {
            "; the credentials in use lack this permission"
        }
        "NoSuchBucket" => "; check --src-bucket",
        "ExpiredToken" | "ExpiredTokenException" => "; log in again",
        "PermanentRedirect" | "AuthorizationHeaderMalformed" => {
            "; the bucket is in another Region, give --region"
        }
        _ => "",
    }
}
/// The SDK's futures are large, and so would be every future that waits for one.
pub fn boxed<F: Future>(request: F) -> std::pin::Pin<Box<F>> {
    Box::pin(request)
}
