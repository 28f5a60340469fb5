//! Credentials, region and endpoints: how the program reaches AWS, or the stand-in on this machine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use loader_attach::{Attachment, Program};
use loader_model::error::{Context, Error, Kind, Result};

/// How long a request may go without an answer, unless the settings say otherwise.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a connection may take to be made.
const LONGEST_CONNECT: Duration = Duration::from_secs(10);

/// Where S3 and the Data API are, and how long they are waited for.
#[derive(Clone, Debug)]
pub struct AwsAccess {
    pub region: Option<String>,
    /// The folder of the stand-in; `None` for AWS itself.
    pub local: Option<PathBuf>,
    /// How long a request may go without an answer.
    pub request_timeout: Duration,
}

impl AwsAccess {
    /// Waits 60 seconds for an answer. `local`: the folder of the stand-in; `None` for AWS itself.
    pub fn new(region: Option<String>, local: Option<PathBuf>) -> AwsAccess {
        AwsAccess { region, local, request_timeout: REQUEST_TIMEOUT }
    }
}

/// The connection to AWS, or to the stand-in on this machine. The stand-in keeps running as long as
/// a clone of this value exists.
#[derive(Clone)]
pub struct Aws {
    pub(crate) config: SdkConfig,
    /// Endpoints of the stand-in; `None` for AWS, where the SDK finds them itself.
    pub endpoints: Option<ServiceEndpoints>,
    // Never read: the stand-in may end once all attachments are dropped.
    _local: Option<std::sync::Arc<Attachment>>,
}

/// Where the stand-in's two services listen, as URLs.
#[derive(Clone, Debug)]
pub struct ServiceEndpoints {
    pub s3: String,
    pub redshift_data: String,
}

impl Aws {
    /// Finds the credentials, and says which source has them, in the SDK's own word: such as
    /// `EnvironmentVariable` or `ProfileFile`. Errors: `Config`, with what each source said.
    // The SDK names the source only where it prints credentials for debugging. Everything secret is
    // left out there, and the name is cut out here.
    pub async fn credentials_source(&self) -> Result<String> {
        let fact = "no credentials for AWS were found";
        let Some(provider) = self.config.credentials_provider() else {
            return Err(Error::new(Kind::Config, fact));
        };
        let found = boxed(provider.provide_credentials()).await.context(Kind::Config, fact)?;
        let printed = format!("{found:?}");
        let source =
            printed.split("provider_name: \"").nth(1).and_then(|rest| rest.split('"').next());
        Ok(source.unwrap_or("an unnamed source").to_owned())
    }
}

/// Loads credentials and region as every AWS program does, or joins the stand-in.
pub async fn connect(settings: &AwsAccess) -> Result<Aws> {
    let http = if settings.local.is_some() { plain_http() } else { https() };
    let mut defaults = defaults(http, settings.request_timeout);
    if let Some(region) = &settings.region {
        defaults = defaults.region(Region::new(region.clone()));
    }
    match &settings.local {
        Some(dir) => boxed(join_local(dir, defaults)).await,
        None => boxed(load(defaults)).await,
    }
}

/// The client for AWS. It is named here so that the program has one TLS stack and not the SDK's
/// choice.
pub(crate) fn https() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
        .build_https()
}

/// The client for the stand-in, which speaks no TLS. Without it no certificates are loaded, which
/// takes some milliseconds.
fn plain_http() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

/// What both kinds of connection share: retries and time limits.
fn defaults(http: SharedHttpClient, request_timeout: Duration) -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(RetryConfig::standard().with_max_attempts(5))
        .timeout_config(timeouts(request_timeout))
}

async fn load(defaults: ConfigLoader) -> Result<Aws> {
    let config = defaults.load().await;
    if config.region().is_none() {
        return Err(Error::new(
            Kind::Config,
            "no AWS Region is known; give --region or set AWS_REGION",
        ));
    }
    Ok(Aws { config, endpoints: None, _local: None })
}

/// Joins the stand-in that runs on the folder, or starts it.
async fn join_local(dir: &Path, defaults: ConfigLoader) -> Result<Aws> {
    let attachment = loader_attach::attach(dir, &Program::Installed).await.context(
        Kind::Config,
        format!("the local stand-in in {} could not be used", dir.display()),
    )?;
    let local = &attachment.endpoints;
    let (key_id, secret) = (&local.key.access_key_id, &local.key.secret_access_key);
    let credentials = Credentials::new(key_id, secret, None, None, "local stand-in");
    let config = defaults
        .credentials_provider(credentials)
        .region(Region::new(local.region.clone()))
        .load()
        .await;
    let endpoints =
        ServiceEndpoints { s3: local.s3.clone(), redshift_data: local.redshift_data.clone() };
    Ok(Aws { config, endpoints: Some(endpoints), _local: Some(std::sync::Arc::new(attachment)) })
}

/// Time limits for requests, so that a server that takes a connection and then says nothing cannot
/// hold a load for ever.
fn timeouts(request_timeout: Duration) -> TimeoutConfig {
    // Bodies have no limit for the whole, since a large file takes long; they end when nothing
    // moves.
    TimeoutConfig::builder()
        .connect_timeout(request_timeout.min(LONGEST_CONNECT))
        .read_timeout(request_timeout)
        .build()
}

/// Puts a request on the heap. The SDK's futures are large, and each future that holds one while it
/// waits would be as large.
pub(crate) fn boxed<F: Future>(request: F) -> std::pin::Pin<Box<F>> {
    Box::pin(request)
}

#[cfg(test)]
impl Aws {
    /// Services that a test listens for by itself.
    pub(crate) fn of_test(config: SdkConfig, endpoints: ServiceEndpoints) -> Aws {
        Aws { config, endpoints: Some(endpoints), _local: None }
    }
}
