//! The way out of the data path to S3. Parts are sent as workers complete them, the manifest last.
//!
//! In: parts on this machine's disk. Out: how much is in S3, and where the manifest is. The keys of
//! all that is written are put down first, for the cleanup.

use loader_aws::s3::Store;
use loader_data::parts::staged::Part;
use loader_model::error::{Context, Kind, Result};
use loader_model::names::S3Uri;
use serde_json::json;
use tokio::sync::mpsc;

use crate::values::StagedKeys;

/// What is in S3 now.
#[derive(Debug)]
pub(crate) struct Uploaded {
    /// `None` when there was no part.
    pub manifest: Option<S3Uri>,
    pub parts: usize,
    pub bytes: u64,
}

/// A part in S3.
pub(crate) struct Entry {
    pub(crate) uri: String,
    pub(crate) size_bytes: u64,
}

/// Uploads parts below `prefix` until the workers have ended. Each part is removed from disk once
/// it is in S3.
// `recv` gives `None` when every sender is dropped, so the end of the last worker ends the loop.
// The manifest is written after that, and never lists a part that is not in S3 yet.
pub(crate) async fn run(
    store: Store,
    prefix: S3Uri,
    staged: StagedKeys,
    mut parts: mpsc::Receiver<Part>,
) -> Result<Uploaded> {
    let mut entries = Vec::new();
    while let Some(part) = parts.recv().await {
        let uri = below(&prefix, &part.name);
        staged.add(&uri);
        let size_bytes = store.write_file(&uri, &part.path).await?;
        std::fs::remove_file(&part.path)
            .context(Kind::Internal, "a staged part cannot be removed from disk")?;
        entries.push(Entry { uri: uri.to_string(), size_bytes });
    }
    listed(&store, &prefix, &staged, entries).await
}

/// Writes the manifest of parts that are in S3, if there are any.
pub(crate) async fn listed(
    store: &Store,
    prefix: &S3Uri,
    staged: &StagedKeys,
    entries: Vec<Entry>,
) -> Result<Uploaded> {
    let mut uploaded = Uploaded {
        manifest: None,
        parts: entries.len(),
        bytes: entries.iter().map(|entry| entry.size_bytes).sum(),
    };
    if !entries.is_empty() {
        let uri = manifest_uri(prefix);
        staged.add(&uri);
        store.write(&uri, manifest(entries).into_bytes()).await?;
        uploaded.manifest = Some(uri);
    }
    Ok(uploaded)
}

/// Where the manifest of a staging prefix is.
pub(crate) fn manifest_uri(prefix: &S3Uri) -> S3Uri {
    below(prefix, "manifest.json")
}

/// An object below a staging prefix.
pub(crate) fn below(prefix: &S3Uri, name: &str) -> S3Uri {
    S3Uri::new(&prefix.bucket, format!("{}{name}", prefix.key))
}

/// The manifest's text, with the parts in the order in which workers began them.
// The numbers in the names have leading zeros, so sorting texts sorts numbers: `part-00009.parquet`
// stands before `part-00010.parquet`. COPY requires `content_length` for columnar files, and with
// `mandatory` it fails for a part that is gone instead of loading the others.
pub(crate) fn manifest(mut entries: Vec<Entry>) -> String {
    entries.sort_by(|a, b| a.uri.cmp(&b.uri));
    let entries = entries.iter().map(|Entry { uri, size_bytes }| {
        let meta = json!({ "content_length": size_bytes });
        json!({ "url": uri, "mandatory": true, "meta": meta })
    });
    json!({ "entries": entries.collect::<Vec<_>>() }).to_string()
}
