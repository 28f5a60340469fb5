//! Sends staged parts to S3 as workers complete them, and writes the manifest last.

use loader_aws::s3::Store;
use loader_data::parts::staged::Part;
use loader_model::error::{Context, Kind, Result};
use loader_model::names::S3Uri;
use serde_json::json;
use tokio::sync::mpsc;

/// What is in S3 now.
#[derive(Debug, Default)]
pub struct Uploaded {
    /// `None` when there was no part.
    pub manifest: Option<S3Uri>,
    pub parts: usize,
    pub bytes: u64,
}

/// Uploads parts below `prefix` until no worker is left that could send one. Each part is removed
/// from disk once it is in S3.
pub async fn run(store: Store, prefix: S3Uri, mut parts: mpsc::Receiver<Part>) -> Result<Uploaded> {
    let below = |name: &str| S3Uri::new(&prefix.bucket, format!("{}{name}", prefix.key));
    let (mut uploaded, mut entries) = (Uploaded::default(), Vec::new());
    while let Some(part) = parts.recv().await {
        let uri = below(&part.name);
        let size = store.write_file(&uri, &part.path).await?;
        std::fs::remove_file(&part.path)
            .context(Kind::Internal, "a staged part cannot be removed from disk")?;
        let meta = json!({ "content_length": size });
        entries.push(json!({ "url": uri.to_string(), "mandatory": true, "meta": meta }));
        uploaded.bytes += size;
        uploaded.parts += 1;
    }
    if entries.is_empty() {
        return Ok(uploaded);
    }
    // Parts are numbered, so this is the order in which workers began them.
    entries.sort_by(|a, b| a["url"].as_str().cmp(&b["url"].as_str()));
    let manifest = below("manifest.json");
    store.write(&manifest, json!({ "entries": entries }).to_string().into_bytes()).await?;
    uploaded.manifest = Some(manifest);
    Ok(uploaded)
}
