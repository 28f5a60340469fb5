//! What must hold on the way of any stored file into parts. The fuzz target runs it on what the
//! fuzzer makes, `host/data/tests/corpus.rs` on the files that the fuzzer has left here; a panic is
//! a finding in both, and so is an input that takes long or much memory.

use std::fs::File;
use std::hash::BuildHasher;
use std::io::{Cursor, Read};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Int64Type};
use flate2::read::MultiGzDecoder;
use loader_csv::Dialect;
use loader_data::content::Content;
use loader_data::decompress::decompress;
use loader_data::encoding::Encoding;
use loader_data::infer::{self, Reading, Spool};
use loader_data::joined::Joined;
use loader_data::parts::Format;
use loader_data::parts::staged::{Part, PartSinks};
use loader_data::plan::{self, LoadPlan, PlanInput, staged_schema};
use loader_data::transform::{self, FileRows, Totals, Transform};
use loader_data::{rejects, temporary};
use loader_model::catalog_column::{CatalogColumn, ColumnDefault};
use loader_model::choices::{
    AnotherFeed, FileFormat, MissingColumns, ParquetCompression, SchemaPolicy, StagingFormat,
};
use loader_model::column_type::ColumnType;
use loader_model::error::{Error, Kind, Result};
use loader_model::max_rejects::MaxRejects;
use loader_model::names::TableName;
use loader_model::stop::StopFlag;
use loader_sandbox::HostValues;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// People read a message, so it stays short for any file.
const MOST_WORDS: usize = 16 * 1024;
/// The row number, which stands behind the columns of a part.
const ROW: &str = "_loader_row";

/// A stored file, how it is read, and what it lands in.
struct Case<'a> {
    stored: &'a [u8],
    encoding: Option<Encoding>,
    delimiter: u8,
    format: FileFormat,
    max_rejects: MaxRejects,
    /// The types of the target's columns, in turn; without any there is no target yet.
    types: &'a [u8],
    /// The run's id, which no file can know.
    run: String,
}

impl Case<'_> {
    /// Takes an input apart: a byte of choices, the number of types, the types, and the file.
    fn of(input: &[u8]) -> Option<Case<'_>> {
        let (&[choices, count], rest) = input.split_first_chunk::<2>()?;
        let (types, stored) = rest.split_at_checked(usize::from(count % 8))?;
        let label = ["", "", "windows-1252", "utf-16le"][usize::from(choices & 3)];
        Some(Case {
            stored,
            encoding: (!label.is_empty()).then(|| Encoding::of_label(label).expect("is known")),
            delimiter: [b',', b';', b'\t', b','][usize::from(choices >> 2 & 3)],
            format: [FileFormat::Auto, FileFormat::Auto, FileFormat::Csv, FileFormat::Json]
                [usize::from(choices >> 4 & 3)],
            max_rejects: match choices >> 6 {
                0 | 1 => MaxRejects::Rows(0),
                2 => MaxRejects::Rows(2),
                _ => "100%".parse().expect("is a share"),
            },
            types,
            run: format!("{:x}", foldhash::fast::FixedState::default().hash_one(input)),
        })
    }

    fn dialect(&self) -> Dialect {
        Dialect { delimiter: self.delimiter, ..Dialect::default() }
    }

    fn infer(&self) -> Result<Spool> {
        let stop = StopFlag::default();
        let text = decompress(Cursor::new(self.stored.to_vec()))?;
        let content = Content::of(Box::new(text), self.encoding, self.format, &stop)?;
        let dialect = self.dialect();
        let reading = Reading {
            dialect: &dialect,
            columns: &[],
            column_names: None,
            max_rejects: self.max_rejects,
            footer: None,
        };
        infer::run(content, &reading, None, workers(), &stop)
    }

    fn plan(&self, files: &Joined, staging_format: StagingFormat) -> Result<LoadPlan> {
        let existing = self.existing(&files.header().names);
        plan::run(&PlanInput {
            dialect: files.dialect(),
            header: files.header(),
            column_names: None,
            columns: files.columns(),
            unplaced: files.unplaced(),
            types: files.types(),
            mixed: files.mixed(),
            profile: files.profile(),
            plugins: &[],
            target: &TableName::new("public", "t")?,
            existing: existing.as_deref(),
            without_values: &[],
            staging_format,
            keys: &[],
            schema_policy: SchemaPolicy::Evolve,
            missing_columns: MissingColumns::Default,
            keeps_known: false,
            another_feed: AnotherFeed::default(),
        })
    }

    /// A target that has the file's columns, each with a type that the input chooses.
    fn existing(&self, names: &[String]) -> Option<Vec<CatalogColumn>> {
        let types = (!self.types.is_empty()).then(|| self.types.iter().cycle())?;
        let columns = names.iter().zip(types).zip(1..).map(|((name, choice), number)| {
            let column_type = column_type(*choice);
            CatalogColumn {
                name: name.to_lowercase(),
                type_text: column_type.to_string().to_lowercase(),
                column_type,
                nullable: choice & 0x80 == 0,
                number,
                default: ColumnDefault::None,
            }
        });
        Some(columns.collect())
    }
}

/// The file becomes parts of Parquet and of CSV, or is refused: as a mistake of the file, of its
/// table or of the settings, never of the program, and in words. Every row is in both kinds of
/// parts with the same values, or rejected. Returns whether the file was written.
pub fn parts(input: &[u8]) -> bool {
    let Some(case) = Case::of(input) else { return false };
    let written = case.infer().and_then(|spool| {
        let files = Joined::one(Arc::new(spool));
        let parquet = written(&case, &files, StagingFormat::Parquet)?;
        let csv = written(&case, &files, StagingFormat::Csv)?;
        same_rows(&parquet, &csv);
        Ok(())
    });
    match written {
        Ok(()) => true,
        Err(error) => {
            refused(&error);
            false
        }
    }
}

/// The rows of the parts, in their order.
type Rows = Vec<(i64, Vec<Told>)>;

/// A value as far as both kinds of parts spell it alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Null,
    Text(String),
    /// A value that is no text, as Parquet has it.
    Other,
}

fn written(case: &Case<'_>, files: &Joined, staging: StagingFormat) -> Result<Rows> {
    let plan = case.plan(files, staging)?;
    let spool = files.files().next().expect("there is a file");
    let folder = temporary::folder()?;
    let format = Format::staged(staging, ParquetCompression::default(), &case.run);
    let parts = Mutex::new(Vec::new());
    let hand_over = |part: Part| {
        parts.lock().expect("no worker panics").push(part.path);
        Ok(())
    };
    let sinks =
        PartSinks::new(folder.path(), staged_schema(&plan.rows.columns), &format, &hand_over);
    let values = HostValues {
        run_started_at_micros: 0,
        run_id: case.run.clone(),
        source_file_name: "f".into(),
        source_uri: "s3://b/f".into(),
    };
    let transform = Transform {
        files: &[FileRows { spool, values: Arc::new(values) }],
        plan: &plan.rows,
        workers: workers(),
        max_rejects: case.max_rejects,
        observer: None,
        stop: &StopFlag::default(),
        advance: &|_| {},
    };
    let totals = Totals::of_all(transform::run(&transform, || Ok(sinks.sink()))?);
    let rejected = temporary::create(&folder.path().join("rejected.csv"))?;
    rejects::write_csv(&totals, spool, rejected)?;
    rejects::judge(&totals, spool, case.max_rejects)?;
    assert_eq!(totals.rows_read, spool.profile.records);
    assert_eq!(totals.rows_read, totals.rows_staged + totals.rows_rejected);
    let mut rows = Vec::new();
    for part in parts.into_inner().expect("no worker panics") {
        let file = File::open(part).expect("the part is there");
        rows.extend(match staging {
            StagingFormat::Parquet => of_parquet(file),
            StagingFormat::Csv => of_csv(file, plan.rows.columns.len() + 1, &case.run),
        });
    }
    rows.sort();
    assert_eq!(rows.len() as u64, totals.rows_staged);
    assert!(rows.windows(2).all(|pair| pair[0].0 < pair[1].0), "a row is there twice");
    Ok(rows)
}

/// The rows of a part of Parquet.
fn of_parquet(file: File) -> Rows {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("is Parquet");
    let schema = Arc::clone(reader.schema());
    let batches: Vec<RecordBatch> =
        reader.build().expect("is read").map(|batch| batch.expect("is read")).collect();
    let batch = concat_batches(&schema, &batches).expect("of one schema");
    let numbers = batch.column_by_name(ROW).expect("rows are numbered");
    let numbers = numbers.as_primitive::<Int64Type>().clone();
    let text = |column: &dyn Array, row: usize| match column.data_type() {
        _ if column.is_null(row) => Told::Null,
        DataType::Utf8 => Told::Text(column.as_string::<i32>().value(row).to_owned()),
        _ => Told::Other,
    };
    let columns = &batch.columns()[..batch.num_columns() - 1];
    let row =
        |row: usize| (numbers.value(row), columns.iter().map(|column| text(column, row)).collect());
    (0..batch.num_rows()).map(row).collect()
}

/// The rows of a part as COPY reads it: its text for NULL counts without quotes and in them.
fn of_csv(file: File, columns: usize, run: &str) -> Rows {
    let mut text = String::new();
    MultiGzDecoder::new(file).read_to_string(&mut text).expect("is text");
    let null = loader_data::parts::csv_null(run);
    let mut records = csv::ReaderBuilder::new();
    let mut reader = records.has_headers(true).from_reader(text.as_bytes());
    let row = |record: csv::Result<csv::StringRecord>| {
        let record = record.expect("a part is read by any reader of CSV");
        assert_eq!(record.len(), columns);
        let number = record[columns - 1].parse().expect("rows are numbered");
        let values = record.iter().take(columns - 1);
        let told = |value: &str| match value == null {
            true => Told::Null,
            false => Told::Text(value.to_owned()),
        };
        (number, values.map(told).collect())
    };
    reader.records().map(row).collect()
}

/// Checks that both kinds of parts have the same rows, NULLs and texts.
fn same_rows(parquet: &Rows, csv: &Rows) {
    assert_eq!(parquet.len(), csv.len(), "rows of Parquet and of CSV");
    for ((number, of_parquet), (same, of_csv)) in parquet.iter().zip(csv) {
        assert_eq!(number, same);
        for (one, other) in of_parquet.iter().zip(of_csv) {
            match (one, other) {
                (Told::Other, Told::Text(_)) => {}
                (one, other) if one == other => {}
                _ => panic!("row {number}: {one:?} in Parquet, {other:?} in CSV"),
            }
        }
    }
}

/// Checks that a producer or a user of the loader can act on a refusal.
fn refused(error: &Error) {
    let kind = error.kind();
    assert!(matches!(kind, Kind::Config | Kind::Data | Kind::SchemaConflict), "{kind:?}: {error}");
    let words = error.to_string();
    assert!(!words.is_empty() && words.len() <= MOST_WORDS, "{} bytes: {words}", words.len());
}

/// Two, so that the order of batches is as in a load.
fn workers() -> NonZeroUsize {
    NonZeroUsize::new(2).expect("is not 0")
}

fn column_type(choice: u8) -> ColumnType {
    use ColumnType::*;
    let types = [
        SmallInt,
        Integer,
        BigInt,
        Decimal { precision: 12, scale: 2 },
        Decimal { precision: 38, scale: 37 },
        Real,
        Double,
        Boolean,
        Date,
        Timestamp,
        TimestampTz,
        Time,
        Varchar { bytes: 20 },
        Char { bytes: 3 },
        Super,
        Varbyte { bytes: None },
    ];
    types[usize::from(choice & 0x0f)].clone()
}
