//! Credentials, region and endpoints: a way into AWS, or into the stand-in on this machine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use loader_attach::{Attachment, Program};
use loader_model::error::{Context, Error, Kind, Result};

/// Where S3 and the Data API are.
#[derive(Clone, Debug)]
pub struct AwsAccess {
    pub region: Option<String>,
    /// The folder of the local stand-in, when that is used.
    pub local: Option<PathBuf>,
}

/// A way into AWS, or into the stand-in on this machine, which is kept running as long as this
/// lives.
#[derive(Clone)]
pub struct Aws {
    pub(crate) config: SdkConfig,
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
pub async fn connect(settings: &AwsAccess) -> Result<Aws> {
    let mut defaults = defaults();
    if let Some(region) = &settings.region {
        defaults = defaults.region(Region::new(region.clone()));
    }
    match &settings.local {
        Some(dir) => boxed(join_local(dir, defaults)).await,
        None => boxed(load(defaults)).await,
    }
}

fn defaults() -> ConfigLoader {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
        .build_https();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(RetryConfig::standard().with_max_attempts(5))
        .timeout_config(timeouts())
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
    let (key_id, secret) = (&local.access_key_id, &local.secret_access_key);
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

/// A server that takes a connection and says nothing must not hold a load for ever. Answers may
/// take as long as the longest poll (30 s); bodies have no limit of their own, they stop when
/// nothing moves.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_secs(60))
        .build()
}

/// The SDK's futures are large, and so would be every future that waits for one.
pub(crate) fn boxed<F: Future>(request: F) -> std::pin::Pin<Box<F>> {
    Box::pin(request)
}
