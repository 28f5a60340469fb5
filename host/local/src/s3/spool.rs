//! Request bodies into temporary files, with digests on the way. In: a body and what the client
//! claims about it; out: a finished file, its MD5 and checksums, all compared with the claims.
//! Nothing here is an object yet.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::Fuse;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{Checksum, ChecksumAlgorithm, StreamingBlob};
use s3s::{S3Result, TrailingHeaders, s3_error};
use tempfile::{NamedTempFile, TempPath};

use super::digest::base64_is;
use super::failure::{blocking, internal};
use super::store::Store;

/// How much of a body is gathered before a blocking thread digests and writes it, so that not every
/// small chunk from the network changes threads.
const GATHER_BYTES: usize = 1024 * 1024;

/// What the client claims about a body.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    /// `Content-MD5`, base64.
    pub(crate) md5: Option<String>,
    pub(crate) algorithm: Option<ChecksumAlgorithm>,
    pub(crate) checksum: Checksum,
    /// Checksums that the client sends behind the body. They can be read only at its end.
    pub(crate) trailers: Option<TrailingHeaders>,
}

pub(crate) struct Spooled {
    pub(crate) path: TempPath,
    pub(crate) size_bytes: u64,
    pub(crate) md5: [u8; 16],
    pub(crate) checksum: Checksum,
}

impl Spooled {
    /// The checksums by the name of their header without `x-amz-checksum-`, for example `crc32`.
    pub(crate) fn checksums(&self) -> BTreeMap<String, String> {
        named(&self.checksum)
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)))
            .collect()
    }
}

/// Reads the whole body into a temporary file.
///
/// Errors: the body ends early, or differs from the claims. The file is removed then.
pub(crate) async fn receive(
    store: &Arc<Store>,
    body: Option<StreamingBlob>,
    claims: Claims,
) -> S3Result<Spooled> {
    let mut writer = Writer::new(store.temporary().map_err(internal)?, &claims);
    if let Some(body) = body {
        let mut body = body.fuse();
        loop {
            let chunks = gather(&mut body).await?;
            if chunks.is_empty() {
                break;
            }
            // The writer goes to the blocking thread and comes back: it cannot be borrowed there.
            writer = blocking(move || writer.write(&chunks)).await?;
        }
    }
    writer.finish(claims)
}

/// The next chunks of a body; none at its end.
async fn gather(body: &mut Fuse<StreamingBlob>) -> S3Result<Vec<Bytes>> {
    let mut gathered = Vec::new();
    let mut gathered_bytes = 0;
    while gathered_bytes < GATHER_BYTES
        && let Some(chunk) = body.next().await
    {
        let chunk = chunk.map_err(|error| {
            tracing::debug!(%error, "request body ended early");
            s3_error!(
                IncompleteBody,
                "the request body ended early or its signature is wrong: {error}"
            )
        })?;
        gathered_bytes += chunk.len();
        gathered.push(chunk);
    }
    Ok(gathered)
}

struct Writer {
    file: NamedTempFile,
    md5: Md5,
    checksums: ChecksumHasher,
    size_bytes: u64,
}

impl Writer {
    fn new(file: NamedTempFile, claims: &Claims) -> Writer {
        Writer { file, md5: Md5::new(), checksums: hasher(claims), size_bytes: 0 }
    }

    fn write(mut self, chunks: &[Bytes]) -> S3Result<Writer> {
        for chunk in chunks {
            self.md5.update(chunk);
            self.checksums.update(chunk);
            self.size_bytes += chunk.len() as u64;
            self.file.write_all(chunk).map_err(internal)?;
        }
        Ok(self)
    }

    fn finish(self, claims: Claims) -> S3Result<Spooled> {
        let md5 = self.md5.finalize();
        if claims.md5.as_ref().is_some_and(|claimed| !base64_is(claimed, &md5)) {
            return Err(s3_error!(
                BadDigest,
                "The Content-MD5 you specified did not match what we received."
            ));
        }
        let checksum = self.checksums.finalize();
        claims.check(&checksum)?;
        Ok(Spooled { path: self.file.into_temp_path(), size_bytes: self.size_bytes, md5, checksum })
    }
}

/// A hasher for the checksums that the client announces.
// A checksum in a trailer has no value yet when the body starts. The client then names only the
// algorithm, and the hasher must run from the first byte.
fn hasher(claims: &Claims) -> ChecksumHasher {
    let mut checksums = ChecksumHasher::default();
    let trailer =
        claims.algorithm.as_ref().map(|algorithm| algorithm.as_str().to_ascii_lowercase());
    for (name, value) in named(&claims.checksum) {
        if value.is_none() && trailer.as_deref() != Some(name) {
            continue;
        }
        match name {
            "crc32" => checksums.crc32 = Some(Default::default()),
            "crc32c" => checksums.crc32c = Some(Default::default()),
            "crc64nvme" => checksums.crc64nvme = Some(Default::default()),
            "sha1" => checksums.sha1 = Some(s3s::crypto::Sha1::new()),
            _ => checksums.sha256 = Some(s3s::crypto::Sha256::new()),
        }
    }
    checksums
}

impl Claims {
    /// Compares every claimed checksum, in a header or a trailer, with the computed one.
    fn check(self, computed: &Checksum) -> S3Result<()> {
        let trailers = self.trailers.and_then(|trailers| trailers.take()).unwrap_or_default();
        for ((name, claimed), (_, computed)) in
            named(&self.checksum).into_iter().zip(named(computed))
        {
            let trailer = trailers
                .get(format!("x-amz-checksum-{name}"))
                .and_then(|value| value.to_str().ok());
            let claimed = claimed.as_deref().or(trailer);
            if let (Some(claimed), Some(computed)) = (claimed, computed)
                && claimed != computed
            {
                return Err(s3_error!(
                    BadDigest,
                    "The {name} you specified did not match the calculated checksum."
                ));
            }
        }
        Ok(())
    }
}

fn named(checksum: &Checksum) -> [(&'static str, &Option<String>); 5] {
    [
        ("crc32", &checksum.checksum_crc32),
        ("crc32c", &checksum.checksum_crc32c),
        ("crc64nvme", &checksum.checksum_crc64nvme),
        ("sha1", &checksum.checksum_sha1),
        ("sha256", &checksum.checksum_sha256),
    ]
}
