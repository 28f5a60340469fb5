//! Whether two objects have the same bytes. Equal ETags say so. S3 gives another ETag to the copy of
//! an object that came in several parts, or is encrypted with a key of KMS; then both are read.

use bytes::Bytes;
use loader_model::error::Result;
use loader_model::names::S3Uri;

use crate::s3::ranges::Body;
use crate::s3::store::{ObjectInfo, Store};

impl Store {
    /// Whether the object at `there` has the bytes of the one at `from`. Equal ETags are enough;
    /// objects of one size with different ETags are read up to their first difference, however large
    /// they are. False where the object at `from` is gone.
    pub async fn is_copy(
        &self,
        (from, info): (&S3Uri, &ObjectInfo),
        (there, there_info): (&S3Uri, &ObjectInfo),
    ) -> Result<bool> {
        if info.etag == there_info.etag || info.size_bytes != there_info.size_bytes {
            return Ok(info.etag == there_info.etag);
        }
        // Another run may have moved it by now.
        if self.head(from).await?.is_none() {
            return Ok(false);
        }
        let one = Pieces::of(self.read(from, info).await?);
        same(one, Pieces::of(self.read(there, there_info).await?)).await
    }
}

/// Whether both have the same bytes to their ends.
async fn same(mut one: Pieces, mut other: Pieces) -> Result<bool> {
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

    const BYTES: usize = 5;

    fn object(etag: &str, size_bytes: u64) -> ObjectInfo {
        ObjectInfo { etag: etag.to_owned(), version_id: None, size_bytes }
    }

    /// What S3 answers about an object. The object that is called `other` ends otherwise.
    fn answer(head: &[String]) -> String {
        let object = fake::object("\"e-2\"", BYTES as u64);
        match head[0].starts_with("HEAD") {
            true => object,
            false => object + if head[0].contains("/other") { "id\n2\n" } else { "id\n1\n" },
        }
    }

    #[test]
    fn a_copy_with_another_etag_is_known_by_its_bytes() {
        on_runtime(async {
            let store = fake::store("us-east-1", answer).await;
            let (from, info) = (S3Uri::new("b", "source"), object("\"e-2\"", BYTES as u64));
            let is_copy = async |key: &str, etag: &str, size: usize| {
                let (there, found) = (S3Uri::new("b", key), object(etag, size as u64));
                let copy = store.is_copy((&from, &info), (&there, &found)).await;
                copy.expect("both can be read")
            };
            assert!(is_copy("copy", "\"f\"", BYTES).await);
            assert!(!is_copy("other", "\"f\"", BYTES).await);
            let reads = store.calls().tally()["GetObject"];
            // Nothing has to be read for these.
            assert!(is_copy("other", "\"e-2\"", BYTES).await);
            assert!(!is_copy("copy", "\"f\"", BYTES + 1).await);
            assert_eq!(store.calls().tally()["GetObject"], reads);
        });
    }

    #[test]
    fn pieces_of_any_lengths_are_compared() {
        on_runtime(async {
            let pieces = |parts: &[&'static str]| {
                let parts: Vec<_> =
                    parts.iter().map(|part| Bytes::from_static(part.as_bytes())).collect();
                Pieces::of(Body::of_test(parts))
            };
            let same = async |one: &[&'static str], other: &[&'static str]| {
                same(pieces(one), pieces(other)).await.expect("both can be read")
            };
            assert!(same(&["ab", "", "c"], &["a", "bc"]).await);
            assert!(!same(&["ab", "c"], &["a", "bd"]).await);
            assert!(!same(&["ab"], &["a", "bc"]).await);
            assert!(!same(&["abc"], &["ab"]).await);
            assert!(same(&[], &[""]).await);
        });
    }
}
