//! Source: the object as it is now, pinned by its ETag.
//!
//! In: the object's address. Out: what S3 says about the object, and the identity of the load. The
//! step does not read the content.

use loader_model::error::{Error, Kind, Result};

use crate::layout::load_id;
use crate::step::Step;
use crate::tools::Tools;
use crate::values::SourceObject;

/// Errors: `Config` when there is no such object.
pub(crate) async fn run(tools: &Tools) -> Result<SourceObject> {
    let source = tools.step(Step::Source, pin(tools)).await?;
    tools.record.source(&source);
    // Set once: a run has one source.
    let _ = tools.trail.source.set(source.clone());
    Ok(source)
}

async fn pin(tools: &Tools) -> Result<SourceObject> {
    let uri = tools.job.layout.source();
    let Some(info) = tools.store.head(&uri).await? else {
        let fact = format!("there is no object {uri}; check --src-bucket and --source-file-name");
        return Err(Error::new(Kind::Config, fact));
    };
    // In a bucket with versions the version names the content. Without versions the ETag does,
    // which differs for the same bytes uploaded in parts of another size: then the file counts as
    // new.
    let version = info.version_id.as_ref().unwrap_or(&info.etag);
    let load_id = load_id(&uri, version, info.size_bytes, &tools.job.target);
    Ok(SourceObject { uri, info, load_id })
}
