//! A file that is spread over tasks comes to what one reading and one worker make of it.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};

use loader_csv::Dialect;
use loader_model::choices::FileFormat;
use loader_model::error::{Error, Kind, Result};
use loader_model::max_rejects::MaxRejects;
use loader_model::names::S3Uri;
use loader_model::stop::StopFlag;
use loader_sandbox::CacheLocation;
use proptest::prelude::*;

use super::learn::ByEngine;
use super::threads::Threads;
use super::{Engine, Outcome, Spec, Task};
use crate::content::Content;
use crate::infer::{self, Footer, Ranges, Reading, Spool};
use crate::read_at::ReadAt;
use crate::stored::{Access, StoredObject};

/// Objects in memory, under the ETag `now`.
#[derive(Default)]
struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

impl Access for Memory {
    fn read(&self, object: &StoredObject, range: Range<u64>) -> Result<Box<dyn Read + Send>> {
        let objects = self.0.lock().expect("no panic");
        let bytes = objects.get(&object.uri.key).expect("there is such an object");
        let range = range.start as usize..range.end as usize;
        Ok(Box::new(Cursor::new(bytes[range].to_vec())))
    }

    fn write(&self, path: &Path, to: &S3Uri) -> Result<u64> {
        let bytes = std::fs::read(path).expect("it is there");
        let size = bytes.len() as u64;
        self.0.lock().expect("no panic").insert(to.key.clone(), bytes);
        Ok(size)
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
        let rest = self.get(offset as usize..).unwrap_or_default();
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }
}

fn read(file: &[u8], reading: &Reading<'_>, ranges: Option<&Ranges>) -> Result<Spool> {
    let stop = StopFlag::default();
    let stored = Box::new(Cursor::new(file.to_vec()));
    let content = Content::of(stored, None, FileFormat::Csv, &stop)?;
    infer::run(content, reading, ranges, NonZeroUsize::MIN, &stop)
}

fn ranges(
    file: &[u8],
    split_bytes: u64,
    engine: impl FnOnce(Arc<Memory>) -> Arc<dyn Engine>,
) -> Ranges {
    let memory = Arc::new(Memory::default());
    memory.0.lock().expect("no panic").insert("file".to_owned(), file.to_vec());
    let uri = S3Uri::new("bucket", "file");
    Ranges {
        learner: Arc::new(ByEngine(engine(memory))),
        object: StoredObject { uri, etag: "now".to_owned(), size_bytes: file.len() as u64 },
        copy: Arc::new(file.to_vec()),
        split_bytes,
        advance: Arc::new(|_| ()),
    }
}

fn threads(access: Arc<Memory>) -> Arc<dyn Engine> {
    let threads = NonZeroUsize::new(3).expect("is none of these");
    Arc::new(Threads { threads, access, cache: CacheLocation::Off })
}

/// All that a reading comes to.
fn said(read: Result<Spool>) -> std::result::Result<impl PartialEq + std::fmt::Debug, String> {
    match read {
        Ok(spool) => {
            let records: Vec<u64> = (1..=spool.profile.records).collect();
            let texts: Vec<_> = spool.records(&records).into_iter().collect();
            let texts: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
            let facts =
                loader_csv::FileProfile { first_records: Vec::new(), ..spool.profile.clone() };
            Ok((spool.header.clone(), facts, spool.notices(), texts, spool.size_bytes))
        }
        Err(error) => Err(format!("{:?}: {error}", error.kind())),
    }
}

fn dialects() -> impl Strategy<Value = Dialect> {
    (
        prop_oneof![3 => Just(Some(b'"')), 1 => Just(None)],
        prop_oneof![2 => Just(None), 1 => Just(Some(b'#'))],
        prop_oneof![3 => Just(true), 1 => Just(false)],
        prop_oneof![3 => Just(false), 1 => Just(true)],
        0_u64..2,
    )
        .prop_map(|(quote, comment, header, trim, skip_rows)| Dialect {
            quote,
            comment,
            header,
            trim,
            skip_rows,
            ..Dialect::default()
        })
}

fn files() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        12 => Just("1,x\n"),
        6 => Just("0.25,\"a\nb\"\n"),
        3 => Just("-7,2024-01-31\r\n"),
        3 => Just("1e5,t\r"),
        2 => Just("\n\n#\n"),
        1 => Just("a,b\n"),
        1 => Just("1,2,3\n"),
        1 => Just("7,\"open\n"),
        1 => Just("8,5\" pipe\n"),
        1 => Just("only\n"),
        1 => Just("é,\u{feff}\n"),
    ];
    let mark = prop_oneof![4 => Just(""), 1 => Just("\u{feff}"), 1 => Just("sep=,\n")];
    let parts = prop::collection::vec(part, 0..40);
    (mark, parts).prop_map(|(mark, parts)| format!("{mark}a,b\n{}", parts.concat()).into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn ranges_of_a_file_are_read_as_one_reading_does(
        file in files(),
        dialect in dialects(),
        split_bytes in 1_u64..80,
        allowed in prop_oneof![Just(0_u64), Just(2), Just(1000)],
        footer in prop_oneof![4 => Just(None), 1 => Just(Some(Footer::Lines(2)))],
    ) {
        let reading = Reading {
            dialect: &dialect,
            columns: &[],
            column_names: None,
            max_rejects: MaxRejects::Rows(allowed),
            footer: footer.as_ref(),
        };
        let ranges = ranges(&file, split_bytes, threads);
        let whole = said(read(&file, &reading, None));
        let spread = said(read(&file, &reading, Some(&ranges)));
        prop_assert_eq!(spread, whole);
    }
}

/// An engine whose tasks come back in reverse order, and of which one fails.
struct Backwards {
    by: Arc<dyn Engine>,
    fails: Option<(usize, Kind)>,
}

impl Engine for Backwards {
    fn tasks_at_once(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    fn map(
        &self,
        spec: &Spec,
        tasks: &[Task],
        stop: &StopFlag,
        take: &mut dyn FnMut(usize, Outcome) -> Result<()>,
    ) -> Result<()> {
        let mut outcomes = Vec::new();
        self.by.map(spec, tasks, stop, &mut |place, outcome| {
            outcomes.push((place, outcome));
            Ok(())
        })?;
        outcomes.sort_by_key(|(place, _)| *place);
        for (place, outcome) in outcomes.into_iter().rev() {
            let outcome = match self.fails {
                Some((from, kind)) if place >= from => {
                    let error = Error::new(kind, format!("task {place} failed"));
                    Outcome::Failed(super::Failure::of(&error))
                }
                _ => outcome,
            };
            take(place, outcome)?;
        }
        Ok(())
    }
}

fn plain<'a>(dialect: &'a Dialect) -> Reading<'a> {
    let max_rejects = MaxRejects::default();
    Reading { dialect, columns: &[], column_names: None, max_rejects, footer: None }
}

#[test]
fn outcomes_may_come_in_any_order() {
    let file = format!("a,b\n{}", "1,\"x\ny\"\n".repeat(200)).into_bytes();
    let dialect = Dialect::default();
    let backwards =
        |access| -> Arc<dyn Engine> { Arc::new(Backwards { by: threads(access), fails: None }) };
    let ranges = ranges(&file, 90, backwards);
    let spread = said(read(&file, &plain(&dialect), Some(&ranges)));
    assert_eq!(spread, said(read(&file, &plain(&dialect), None)));
}

#[test]
fn the_failure_that_is_reported_is_the_first_in_the_file() {
    let file = format!("a,b\n{}", "1,x\n".repeat(200)).into_bytes();
    let dialect = Dialect::default();
    let backwards = |access| -> Arc<dyn Engine> {
        Arc::new(Backwards { by: threads(access), fails: Some((3, Kind::Plugin)) })
    };
    let ranges = ranges(&file, 90, backwards);
    let error = read(&file, &plain(&dialect), Some(&ranges)).err().expect("a task failed");
    assert_eq!((error.kind(), error.to_string()), (Kind::Plugin, "task 3 failed".to_owned()));
}

#[test]
fn facts_of_ten_thousand_tasks_fit_into_memory_while_they_wait() {
    let row = |id: u64| (0..20).map(|c| format!("{}.{c}", id * c)).collect::<Vec<_>>().join(",");
    let names: Vec<String> = (0..20).map(|column| format!("c{column}")).collect();
    let rows: String = (0..300).map(|id| row(id) + "\n").collect();
    let file = format!("{}\n{rows}", names.join(",")).into_bytes();
    let dialect = Dialect::default();
    let memory = Arc::new(Memory::default());
    memory.0.lock().expect("no panic").insert("file".to_owned(), file.clone());
    let kept = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&kept);
    let count = move |access| -> Arc<dyn Engine> {
        Arc::new(Counted { by: threads(access), kept: counted })
    };
    let ranges = ranges(&file, file.len() as u64 / 10, count);
    read(&file, &plain(&dialect), Some(&ranges)).expect("reads");
    let bytes = *kept.lock().expect("no panic") / 10;
    // All of them wait where the first comes last.
    assert!(bytes * 10_000 < 250 * 1024 * 1024, "{bytes} bytes for each task");
}

/// Counts the bytes of the outcomes.
struct Counted {
    by: Arc<dyn Engine>,
    kept: Arc<Mutex<usize>>,
}

impl Engine for Counted {
    fn tasks_at_once(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    fn map(
        &self,
        spec: &Spec,
        tasks: &[Task],
        stop: &StopFlag,
        take: &mut dyn FnMut(usize, Outcome) -> Result<()>,
    ) -> Result<()> {
        self.by.map(spec, tasks, stop, &mut |place, outcome| {
            *self.kept.lock().expect("no panic") +=
                postcard::to_stdvec(&outcome).expect("packs").len();
            take(place, outcome)
        })
    }
}
