//! S3 as the AWS SDK sees it, over HTTP, with its default checksums and signatures.

mod conditions;
mod listing;
mod multipart;
mod objects;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart, Delete,
    MetadataDirective, ObjectIdentifier,
};
use loader_attach::AccessKey;
use s3s::crypto::{Checksum as _, Md5};

use super::digest::hex;
use crate::objects::Objects;
use crate::policy::Policy;
use crate::server::HttpServer;

const BUCKET: &str = "demo";

struct Site {
    dir: tempfile::TempDir,
    endpoint: String,
    key: AccessKey,
    s3: Client,
    _server: HttpServer,
}

impl Site {
    /// A server with one bucket, and a client for it.
    async fn new() -> Site {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join(".loader");
        fs::create_dir_all(dir.path().join(BUCKET)).unwrap();
        let key = AccessKey::random().unwrap();
        let objects = Objects::open(dir.path()).unwrap();
        let service = super::service(objects, &state, key.clone(), Policy::default()).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let s3 = client(&endpoint, &key);
        Site { dir, endpoint, key, s3, _server: HttpServer::start(listener, service) }
    }

    fn file(&self, key: &str) -> PathBuf {
        self.dir.path().join(BUCKET).join(key)
    }

    /// A file that a person copies into the bucket.
    fn by_hand(&self, key: &str, content: &[u8]) {
        fs::create_dir_all(self.file(key).parent().unwrap()).unwrap();
        fs::write(self.file(key), content).unwrap();
    }

    async fn put(&self, key: &str, content: &[u8]) -> String {
        let put =
            self.s3.put_object().bucket(BUCKET).key(key).body(ByteStream::from(content.to_vec()));
        put.send().await.unwrap().e_tag.unwrap()
    }

    async fn head_etag(&self, key: &str) -> String {
        self.s3.head_object().bucket(BUCKET).key(key).send().await.unwrap().e_tag.unwrap()
    }

    async fn get(&self, key: &str) -> Vec<u8> {
        bytes(self.s3.get_object().bucket(BUCKET).key(key).send().await.unwrap()).await
    }

    async fn keys(&self, prefix: &str) -> Vec<String> {
        let page = self.s3.list_objects_v2().bucket(BUCKET).prefix(prefix).send().await.unwrap();
        page.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
    }
}

fn client(endpoint: &str, key: &AccessKey) -> Client {
    let AccessKey { access_key_id, secret_access_key } = key;
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::new(
            access_key_id,
            secret_access_key,
            None,
            None,
            "test",
        ))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

async fn bytes(output: GetObjectOutput) -> Vec<u8> {
    output.body.collect().await.unwrap().to_vec()
}

fn etag_of(content: &[u8]) -> String {
    format!("\"{}\"", hex(&Md5::checksum(content)))
}

/// `404 NoSuchKey`
fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata>(result: Result<T, SdkError<E>>) -> String {
    match result {
        Ok(output) => panic!("accepted: {output:?}"),
        Err(error) => {
            let status = error.raw_response().map_or(0, |response| response.status().as_u16());
            format!("{status} {}", error.code().unwrap_or("-"))
        }
    }
}
