//! Reading: the end of an object, or a small one whole.

use aws_sdk_s3::Client;
use loader_model::error::{Context, Error, Kind, Result};
use loader_model::names::S3Uri;

use crate::failure;
use crate::s3::store::Store;

impl Store {
    /// Reads the end of an object, of at most so many bytes; `None` when it does not exist.
    pub async fn read_end(&self, uri: &S3Uri, bytes: usize) -> Result<Option<Vec<u8>>> {
        let doing = format!("reading the end of {uri}");
        let get = self.read_in_its_region(&uri.bucket, async |client: &Client| {
            self.calls.count("GetObject");
            let get = client.get_object().bucket(&uri.bucket).key(&uri.key);
            self.sent(get.range(format!("bytes=-{bytes}")).send()).await
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
            self.sent(client.get_object().bucket(&uri.bucket).key(&uri.key).send()).await
        });
        let mut body = match get.await {
            Ok(object) => object.body,
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
