//! The list of the files of a load, as a part that COPY brings: a line for each file, with what
//! fence, ledger and audit table say of it.

use loader_data::parts::csv_null;
use loader_model::error::Result;
use loader_model::names::S3Uri;

use crate::data_path::part_upload::{self, Entry};
use crate::layout::IN;
use crate::tools::Tools;
use crate::values::{FileCounts, ReadFile, Work};

/// Writes the list beside the staged parts, and gives its manifest.
pub(crate) async fn write(tools: &Tools, work: &Work, counts: &[FileCounts]) -> Result<S3Uri> {
    let prefix = tools.job.layout.staging_prefix();
    let null = csv_null(&tools.job.run.text);
    let lines = work.files.all().zip(counts).enumerate();
    let list: String =
        lines.map(|(place, (file, counts))| line(place, file, counts, &null)).collect();
    let uri = part_upload::below(&prefix, "files.csv");
    let entry = Entry { uri: uri.to_string(), size_bytes: list.len() as u64 };
    tools.trail.staged.add(&uri);
    tools.store.write(&uri, list.into_bytes()).await?;
    let manifest = part_upload::below(&prefix, "files.json");
    tools.trail.staged.add(&manifest);
    tools.store.write(&manifest, part_upload::manifest(vec![entry]).into_bytes()).await?;
    Ok(manifest)
}

/// A line, with the fields of [`loader_warehouse::load_batch::FILE_COLUMNS`].
fn line(place: usize, file: &ReadFile, counts: &FileCounts, null: &str) -> String {
    let ReadFile { source, .. } = file;
    let name = source.uri.key.strip_prefix(IN).unwrap_or(&source.uri.key);
    let version = source.info.version_id.as_deref();
    let fields = [
        place.to_string(),
        quoted(&source.load_id),
        quoted(&source.uri.to_string()),
        quoted(source.info.etag.trim_matches('"')),
        version.map_or_else(|| null.to_owned(), quoted),
        source.info.size_bytes.to_string(),
        quoted(name),
        counts.read.to_string(),
        counts.rejected.to_string(),
        counts.staged.to_string(),
    ];
    format!("{}\n", fields.join(","))
}

/// A text in quotes, so that it is never the one that is NULL.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
