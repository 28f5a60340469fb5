//! Infer: reads the object once, and finds the type of every column. A large one may be read in ranges
//! by an engine, and is then read once more by `stage`, in the same version.
//!
//! In: the pinned source with its first bytes. Out: its bytes on this machine's disk, cut at record
//! boundaries, and the type of every column by all of its rows. For example, one `n/a` in row ten
//! million makes a column of numbers text.

use std::io::{Cursor, Read};
use std::sync::Arc;

use loader_aws::s3::Beginning;
use loader_data::content;
use loader_data::infer::Spool;
use loader_model::error::Result;
use tokio::runtime::Handle;

use crate::data_path::object_reader;
use crate::engine;
use crate::step::Step;
use crate::tools::{Tools, blocking};
use crate::values::{ReadFiles, SourceObject};

/// Errors: `Data` (with line and column), `Transient` (the stream broke off, or the object was
/// replaced).
pub(crate) async fn run(
    tools: &Tools,
    source: &SourceObject,
    beginning: Beginning,
) -> Result<Arc<Spool>> {
    tools.progress.begin("reading", source.info.size_bytes);
    let spreading = engine::of(tools, source.info.size_bytes);
    let ranges = spreading.and_then(|spreading| spreading.ranges(tools, source, &beginning));
    let input = input(tools, source, beginning, ranges.is_some());
    let data_path = Arc::clone(&tools.data_path);
    let reading = blocking(move || data_path.infer(input, ranges));
    let spool = tools.step(Step::Infer, reading).await;
    let spool = spool.map_err(|error| tools.in_file(error))?;
    // Set once: a run reads one file.
    let _ = tools.trail.rows_read.set(spool.profile.records);
    tools.record.rows_read(spool.profile.records);
    tools.record.notices(spool.notices());
    let columns = spool.header.names.len();
    let (format, encoding) = (content::title(spool.format()), spool.encoding());
    tracing::info!(records = spool.profile.records, columns, format, encoding, "file read");
    Ok(Arc::new(spool))
}

/// The object as it streams by. `may_end_early`: what is behind its beginning may not be asked for.
fn input(
    tools: &Tools,
    source: &SourceObject,
    beginning: Beginning,
    may_end_early: bool,
) -> Box<dyn Read + Send> {
    let (store, SourceObject { uri, info, .. }) = (tools.store.clone(), source.clone());
    let (size_bytes, progress) = (info.size_bytes, tools.progress.clone());
    if !may_end_early {
        let body = store.read_on(&uri, &info, beginning);
        return Box::new(object_reader::of_body(body, size_bytes, progress));
    }
    let head = beginning.to_bytes();
    let (runtime, at) = (Handle::current(), head.len() as u64);
    let rest = object_reader::Later::new(move || {
        let _entered = runtime.enter();
        let body = store.read_part(&uri, &info, at..size_bytes);
        object_reader::of_body(body, size_bytes - at, progress)
    });
    Box::new(Cursor::new(head).chain(rest))
}

/// Records what is known of the files of a load of several.
pub(crate) fn record(tools: &Tools, files: &ReadFiles) {
    let records = files.joined().profile().records;
    // Set once: a run reads its files once.
    let _ = tools.trail.rows_read.set(records);
    tools.record.rows_read(records);
    for file in files.all() {
        let name = file.source.uri.file_name();
        let notices = file.spool.notices().into_iter();
        tools.record.notices(notices.map(|notice| format!("{name}: {notice}")));
    }
    let columns = files.joined().header().names.len();
    tracing::info!(records, columns, files = files.all().count(), "files read");
}
