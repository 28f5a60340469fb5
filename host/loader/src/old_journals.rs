//! Journals that earlier versions left in the bucket, below `data/journal/`. They are named, and the
//! loader neither runs nor deletes any of them: whoever may write to the bucket could have written
//! one.

use loader_aws::s3::Store;
use loader_model::names::{S3Uri, TableName};
use loader_warehouse::evolution::old_journal;

use crate::layout::Layout;

/// How many are named one by one, and how many views of each.
const MAX_NAMED: usize = 10;
/// The most bytes that are read of one. An earlier version wrote some kilobytes for each view.
const MAX_BYTES: usize = 1 << 20;

/// A sentence for each journal. Without journals it costs one listing; when that fails, it is only
/// logged.
pub(crate) async fn notices(store: &Store, bucket: &str) -> Vec<String> {
    let objects = match store.list_objects(&Layout::journal_prefix(bucket)).await {
        Ok(objects) => objects.into_iter().filter(|object| object.uri.key.ends_with(".json")),
        Err(error) => {
            tracing::warn!(%error, "journals of earlier versions were not looked for");
            return Vec::new();
        }
    };
    let uris: Vec<S3Uri> = objects.map(|object| object.uri).collect();
    let mut notices = Vec::new();
    for uri in uris.iter().take(MAX_NAMED) {
        notices.push(notice(uri, &names(store, uri).await));
    }
    if let Some(others) = uris.len().checked_sub(MAX_NAMED).filter(|others| *others > 0) {
        notices.push(format!("{others} more journals of earlier versions are in the bucket"));
    }
    notices.iter().for_each(|notice| tracing::warn!("{notice}"));
    notices
}

/// The views of a journal, as far as it can be read.
async fn names(store: &Store, uri: &S3Uri) -> Vec<TableName> {
    match store.read_whole(uri, MAX_BYTES).await {
        Ok(content) => old_journal::view_names(&content.unwrap_or_default()),
        Err(error) => {
            tracing::warn!(%error, "a journal of an earlier version cannot be read");
            Vec::new()
        }
    }
}

fn notice(uri: &S3Uri, views: &[TableName]) -> String {
    let names: Vec<String> = views.iter().take(MAX_NAMED).map(TableName::to_string).collect();
    let which = match views.len() {
        0 => "views".to_owned(),
        count if count > MAX_NAMED => format!("{} and other views", names.join(", ")),
        _ => names.join(", "),
    };
    let uri: String =
        uri.to_string().chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    format!(
        "{uri} is a journal of an earlier version, which may have dropped {which}; this version runs \
         nothing of it: read the statements under `restore` in it, run those of views that are \
         missing, then delete it"
    )
}
