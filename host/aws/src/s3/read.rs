//! Reading: an object in pieces, or a small one whole.

use std::io;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use loader_model::error::{Context, Error, Kind, Result};
use loader_model::names::S3Uri;

use crate::connect::boxed;
use crate::failure;
use crate::s3::store::{ObjectInfo, Store, replaced};

/// The content of an object, as it arrives.
pub struct Body {
    /// The version that is read, in a bucket with versions.
    pub version_id: Option<String>,
    uri: S3Uri,
    stream: ByteStream,
}

impl Body {
    /// The next piece; `None` at the end. An error names the object.
    pub async fn next(&mut self) -> Option<io::Result<Bytes>> {
        let piece = self.stream.next().await?;
        Some(piece.map_err(|error| {
            let fact = format!("reading {}: {error}", self.uri);
            io::Error::new(io::ErrorKind::ConnectionReset, fact)
        }))
    }
}

impl Store {
    /// Opens the content of the object that `info` describes. Errors: `Transient` when the object
    /// was replaced or is gone.
    pub async fn read(&self, uri: &S3Uri, info: &ObjectInfo) -> Result<Body> {
        self.calls.count("GetObject");
        let request =
            self.client().get_object().bucket(&uri.bucket).key(&uri.key).if_match(&info.etag);
        match boxed(request.send()).await {
            Ok(object) => {
                let version_id = object.version_id;
                Ok(Body { uri: uri.clone(), version_id, stream: object.body })
            }
            Err(error) if failure::is_changed(&error) || failure::is_missing(&error) => {
                Err(replaced(uri))
            }
            Err(error) => Err(failure::read_failure(&format!("reading {uri}"), error)),
        }
    }

    /// Reads the end of an object, of at most so many bytes; `None` when it does not exist.
    pub async fn read_end(&self, uri: &S3Uri, bytes: usize) -> Result<Option<Vec<u8>>> {
        let doing = format!("reading the end of {uri}");
        let get = self.read_in_its_region(&uri.bucket, async |client: &Client| {
            self.calls.count("GetObject");
            let get = client.get_object().bucket(&uri.bucket).key(&uri.key);
            boxed(get.range(format!("bytes=-{bytes}")).send()).await
        });
        let object = match get.await {
            Ok(object) => object,
            Err(error) if failure::is_missing(&error) => return Ok(None),
            Err(error) => return Err(failure::read_failure(&doing, error)),
        };
        let end = object.body.collect().await;
        end.context(Kind::Transient, format!("{doing} broke off")).map(|end| Some(end.to_vec()))
    }

    /// Reads a small object whole; `None` when it does not exist. Errors: `Config` when it has more
    /// than `max_bytes`, of which no more than that are read.
    pub async fn read_whole(&self, uri: &S3Uri, max_bytes: usize) -> Result<Option<Vec<u8>>> {
        let doing = format!("reading {uri}");
        let get = self.read_in_its_region(&uri.bucket, async |client: &Client| {
            self.calls.count("GetObject");
            boxed(client.get_object().bucket(&uri.bucket).key(&uri.key).send()).await
        });
        let mut body = match get.await {
            Ok(object) => Body { version_id: None, uri: uri.clone(), stream: object.body },
            Err(error) if failure::is_missing(&error) => return Ok(None),
            Err(error) => return Err(failure::read_failure(&doing, error)),
        };
        let mut content = Vec::new();
        while let Some(piece) = body.next().await {
            let piece = piece.context(Kind::Transient, format!("{doing} broke off"))?;
            if content.len() + piece.len() > max_bytes {
                let fact = format!("{uri} has more than the {max_bytes} bytes that are read of it");
                return Err(Error::new(Kind::Config, fact));
            }
            content.extend_from_slice(&piece);
        }
        Ok(Some(content))
    }
}
