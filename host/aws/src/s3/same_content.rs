//! Whether two objects have the same bytes. Their ETags tell it of most objects. An object that came
//! in several parts, or is encrypted with a key of KMS, has another ETag than its copy, and there
//! the bytes themselves have to tell.

use bytes::Bytes;
use loader_model::error::Result;
use loader_model::names::S3Uri;

use crate::s3::ranges::Body;
use crate::s3::store::{ObjectInfo, Store};

impl Store {
    /// Whether the object `there`, which has a name that is wanted, is a copy of the object `info`
    /// describes. Objects of one size and with different ETags are read, up to their first
    /// difference.
    pub async fn is_copy(
        &self,
        (from, info): (&S3Uri, &ObjectInfo),
        (there, there_info): (&S3Uri, &ObjectInfo),
    ) -> Result<bool> {
        if info.etag == there_info.etag || info.size_bytes != there_info.size_bytes {
            return Ok(info.etag == there_info.etag);
        }
        let mut one = Pieces::of(self.read(from, info).await?);
        let mut other = Pieces::of(self.read(there, there_info).await?);
        loop {
            one.fill().await?;
            other.fill().await?;
            let both = one.left.len().min(other.left.len());
            if one.left.split_to(both) != other.left.split_to(both) {
                return Ok(false);
            }
            if both == 0 {
                return Ok(one.left.is_empty() && other.left.is_empty());
            }
        }
    }
}

/// The content of an object, of which some has been looked at.
struct Pieces {
    body: Body,
    left: Bytes,
}

impl Pieces {
    fn of(body: Body) -> Pieces {
        Pieces { body, left: Bytes::new() }
    }

    /// Takes the next piece when there is nothing left of the last one. Nothing is left at the end.
    async fn fill(&mut self) -> Result<()> {
        while self.left.is_empty() {
            match self.body.next().await {
                Some(piece) => self.left = piece?,
                None => break,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::s3::fake::{self, on_runtime};

    fn object(etag: &str, size_bytes: u64) -> ObjectInfo {
        ObjectInfo { etag: etag.to_owned(), version_id: None, size_bytes }
    }

    #[test]
    fn a_copy_with_another_etag_is_known_by_its_bytes() {
        on_runtime(async {
            let store = fake::store("us-east-1", |head| {
                let body = match head[0].split(['/', '?']).nth(2) {
                    Some(name) if name.starts_with("other") => "id\n2\n",
                    _ => "id\n1\n",
                };
                format!("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{body}")
            })
            .await;
            let (from, info) = (S3Uri::new("b", "source"), object("\"e-2\"", 5));
            let is_copy = async |key: &str, etag: &str, size: u64| {
                let there = S3Uri::new("b", key);
                let copy = store.is_copy((&from, &info), (&there, &object(etag, size))).await;
                copy.expect("both can be read")
            };
            assert!(is_copy("copy", "\"f\"", 5).await);
            assert!(!is_copy("other", "\"f\"", 5).await);
            let reads = store.calls().tally()["GetObject"];
            // Nothing has to be read for these.
            assert!(is_copy("other", "\"e-2\"", 5).await);
            assert!(!is_copy("copy", "\"f\"", 6).await);
            assert_eq!(store.calls().tally()["GetObject"], reads);
        });
    }
}
