//! Where a server listens and which key it takes, and the file that says so. In: two ports and the
//! key; out: the settings of an AWS client, and `DIR/.loader/endpoints.json`, which only the
//! folder's owner can read.

use serde::{Deserialize, Serialize};

use crate::access_key::AccessKey;
use crate::error::AttachError;
use crate::state_dir::StateDir;

/// The Region of the warehouse, and of buckets that were made without naming another one.
pub const REGION: &str = "us-east-1";
const IAM_ROLE: &str = "arn:aws:iam::000000000000:role/loader-local";

/// How a client reaches the server: the settings of an AWS client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// `http://127.0.0.1:PORT`. A bucket's address is `http://127.0.0.1:PORT/bucket` or
    /// `http://bucket.localhost:PORT`.
    pub s3: String,
    /// `http://127.0.0.1:PORT`.
    pub redshift_data: String,
    /// The Region of the warehouse, which requests to it must be signed for.
    pub region: String,
    /// The key that every request must be signed with.
    #[serde(flatten)]
    pub key: AccessKey,
    /// A role name for COPY, for example in `COPY orders FROM 's3://…' IAM_ROLE '…'`. The server
    /// checks its form and nothing else.
    pub iam_role: String,
}

impl Endpoints {
    /// The endpoints of a server on these ports of 127.0.0.1.
    fn on_ports(s3_port: u16, data_api_port: u16, key: AccessKey) -> Endpoints {
        Endpoints {
            s3: format!("http://127.0.0.1:{s3_port}"),
            redshift_data: format!("http://127.0.0.1:{data_api_port}"),
            region: REGION.to_owned(),
            key,
            iam_role: IAM_ROLE.to_owned(),
        }
    }

    /// The environment variables that make the AWS CLI, boto3 and the AWS SDKs use this server.
    ///
    /// Source: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL_S3", self.s3.clone()),
            ("AWS_ENDPOINT_URL_REDSHIFT_DATA", self.redshift_data.clone()),
            ("AWS_REGION", self.region.clone()),
            // boto3 knows only this name.
            ("AWS_DEFAULT_REGION", self.region.clone()),
            ("AWS_ACCESS_KEY_ID", self.key.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.key.secret_access_key.clone()),
        ]
    }
}

/// The content of `DIR/.loader/endpoints.json`: the endpoints for clients, and the ports for the
/// next start.
#[derive(Debug, Serialize, Deserialize)]
pub struct EndpointsFile {
    /// Whether the server answers there. Means nothing unless a server runs, which only
    /// `server.lock` tells: a killed server leaves `true`.
    pub ready: bool,
    /// The process that serves, or served last.
    pub pid: u32,
    /// The port of S3.
    pub s3_port: u16,
    /// The port of the Data API.
    pub data_api_port: u16,
    /// The settings of a client for this server.
    pub endpoints: Endpoints,
}

impl EndpointsFile {
    /// Says that this process serves on these ports and takes this key.
    pub fn of_this_process(s3_port: u16, data_api_port: u16, key: AccessKey) -> EndpointsFile {
        EndpointsFile {
            ready: true,
            pid: std::process::id(),
            s3_port,
            data_api_port,
            endpoints: Endpoints::on_ports(s3_port, data_api_port, key),
        }
    }

    /// Reads the file of a state folder; `None` when it is missing or cannot be understood.
    pub fn read(state: &StateDir) -> Option<EndpointsFile> {
        serde_json::from_slice(&std::fs::read(state.endpoints_file()).ok()?).ok()
    }

    /// Puts the file into the state folder, whole or not at all.
    pub fn write(&self, state: &StateDir) -> Result<(), AttachError> {
        let path = state.endpoints_file();
        state.write_private(&path, self).map_err(AttachError::file(&path, "write"))
    }
}
