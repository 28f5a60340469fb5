//! The staged parts of a load: each worker writes its rows into parts of its own, on disk.
//!
//! In: a worker's batches. Out: whole parts, each handed over as soon as it is complete. A part has
//! only types that COPY is known to read (`loader_model::column_type::part_type`); they hold every
//! value of the batch. For example, decimals of nine digits become decimals of 18.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Field, Schema, SchemaRef};
use loader_model::column_type::part_type;
use loader_model::error::{Context, Kind, Result};

use crate::parts::{Format, Writer};
use crate::transform::Sink;

/// A part is closed once it has this size. Redshift recommends files of 1 MB to 1 GB, and files
/// below 128 MB need no splitting.
/// Source:
/// <https://docs.aws.amazon.com/redshift/latest/dg/c_best-practices-use-multiple-files.html>
const PART_BYTES: u64 = 64 * 1024 * 1024;

/// A complete part on disk.
#[derive(Debug)]
pub struct Part {
    /// The file's path on this machine.
    pub path: PathBuf,
    /// The object's name below the staging prefix, for example `part-00000.parquet`.
    pub name: String,
}

/// Makes the sinks of the workers.
// All sinks draw the numbers of their parts from `next`, so names never meet. The numbers say
// nothing of the order of the rows: part 2 may hold earlier rows than part 1.
pub struct PartSinks<'a> {
    dir: &'a Path,
    /// What the names of the parts begin with.
    prefix: String,
    schema: SchemaRef,
    format: &'a Format,
    next: AtomicUsize,
    hand_over: &'a (dyn Fn(Part) -> Result<()> + Sync),
}

impl<'a> PartSinks<'a> {
    /// Parts for batches of this schema in the folder `dir`. `hand_over` gets each complete part on
    /// its worker's thread, and may block there until there is room for the part.
    pub fn new(
        dir: &'a Path,
        schema: SchemaRef,
        format: &'a Format,
        hand_over: &'a (dyn Fn(Part) -> Result<()> + Sync),
    ) -> PartSinks<'a> {
        PartSinks {
            dir,
            prefix: "part".to_owned(),
            schema: part_schema(&schema),
            format,
            next: AtomicUsize::new(0),
            hand_over,
        }
    }

    /// The same, with names that no other attempt at the same rows has, on whatever machine.
    #[must_use]
    pub fn of_attempt(self) -> PartSinks<'a> {
        PartSinks { prefix: format!("part-{}", uuid::Uuid::now_v7().simple()), ..self }
    }

    /// A worker's sink.
    pub fn sink(&self) -> PartSink<'_> {
        PartSink { sinks: self, current: None }
    }

    /// Starts a part.
    fn start(&self) -> Result<(Writer, Part)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let suffix = match self.format {
            Format::Parquet(_) => "parquet",
            Format::Csv(_) => "csv.gz",
        };
        let name = format!("{}-{number:05}.{suffix}", self.prefix);
        let path = self.dir.join(&name);
        Ok((Writer::create(&path, &self.schema, self.format)?, Part { path, name }))
    }
}

/// Writes one worker's rows into parts.
pub struct PartSink<'a> {
    sinks: &'a PartSinks<'a>,
    current: Option<(Writer, Part)>,
}

impl PartSink<'_> {
    /// Completes the current part, if there is one, and hands it over.
    // `take` comes first: a part that could not be completed is neither handed over nor written on.
    fn close(&mut self) -> Result<()> {
        let Some((writer, part)) = self.current.take() else { return Ok(()) };
        writer.finish()?;
        (self.sinks.hand_over)(part)
    }
}

impl Sink for PartSink<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        // A batch whose rows were all rejected must not start a part: it could stay without rows.
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let batch = in_part(batch, &self.sinks.schema)?;
        let (writer, _) = match &mut self.current {
            Some(current) => current,
            none => none.insert(self.sinks.start()?),
        };
        writer.write(&batch)?;
        if writer.size_bytes() >= PART_BYTES { self.close() } else { Ok(()) }
    }

    fn finish(mut self) -> Result<()> {
        self.close()
    }
}

/// The schema of the parts for batches of this schema.
fn part_schema(batches: &Schema) -> SchemaRef {
    let fields = batches
        .fields()
        .iter()
        .map(|field| Field::new(field.name(), part_type(field.data_type()), field.is_nullable()));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn in_part(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    const FAILED: &str = "rows do not become rows of a part";
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| wider(column, field.data_type()));
    let columns = columns.collect::<std::result::Result<_, _>>().context(Kind::Internal, FAILED)?;
    RecordBatch::try_new(Arc::clone(schema), columns).context(Kind::Internal, FAILED)
}

// Decimals of one scale differ in nothing but the name of their type, so they are not copied.
fn wider(column: &ArrayRef, to: &DataType) -> arrow::error::Result<ArrayRef> {
    match to {
        DataType::Decimal128(precision, scale) => {
            let values = column.as_primitive::<Decimal128Type>().clone();
            Ok(Arc::new(values.with_precision_and_scale(*precision, *scale)?))
        }
        to if to == column.data_type() => Ok(Arc::clone(column)),
        to => cast(column, to),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use arrow::array::{Decimal128Array, Int8Array, Int64Array};
    use loader_model::choices::{Choice, ParquetCompression, StagingFormat};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::basic::{Compression, Type as PhysicalType};

    use super::*;

    const MOST: i128 = 999_999_999;

    fn batch() -> RecordBatch {
        let decimals = |precision| {
            let values = Decimal128Array::from(vec![Some(MOST), None, Some(-MOST)]);
            Arc::new(values.with_precision_and_scale(precision, 2).expect("fits")) as ArrayRef
        };
        RecordBatch::try_from_iter([
            ("nine", decimals(9)),
            ("ten", decimals(10)),
            ("nineteen", decimals(19)),
            ("tiny", Arc::new(Int8Array::from(vec![-128, 0, 127]))),
            ("_loader_row", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ])
        .expect("a batch")
    }

    /// A part with the batch, opened.
    fn part(compression: ParquetCompression) -> ParquetRecordBatchReaderBuilder<std::fs::File> {
        let dir = tempfile::tempdir().expect("a folder");
        let format = Format::staged(StagingFormat::Parquet, compression, "r1");
        let paths = Mutex::new(Vec::new());
        let hand_over = |part: Part| {
            paths.lock().expect("one thread").push(part.path);
            Ok(())
        };
        let sinks = PartSinks::new(dir.path(), batch().schema(), &format, &hand_over);
        let mut sink = sinks.sink();
        sink.write(&batch()).and_then(|()| sink.finish()).expect("writes");
        let path = paths.lock().expect("one thread").pop().expect("a part");
        let file = std::fs::File::open(path).expect("is there");
        ParquetRecordBatchReaderBuilder::try_new(file).expect("is Parquet")
    }

    #[test]
    fn parts_have_the_physical_types_that_copy_is_known_to_read() {
        let part = part(ParquetCompression::default());
        let schema = part.parquet_schema();
        let columns: Vec<_> = (0..schema.num_columns())
            .map(|index| schema.column(index))
            .map(|column| (column.physical_type(), column.type_length(), column.type_precision()))
            .collect();
        assert_eq!(
            columns,
            [
                (PhysicalType::INT64, -1, 18),
                (PhysicalType::INT64, -1, 18),
                (PhysicalType::FIXED_LEN_BYTE_ARRAY, 16, 38),
                (PhysicalType::INT32, -1, -1),
                (PhysicalType::INT64, -1, -1),
            ]
        );
    }

    #[test]
    fn every_compression_keeps_the_values() {
        for option in ParquetCompression::OPTIONS {
            let part = part(option.value);
            let codec = part.metadata().row_group(0).column(0).compression();
            let is_as_named = match option.value {
                ParquetCompression::Snappy => codec == Compression::SNAPPY,
                ParquetCompression::Zstd => matches!(codec, Compression::ZSTD(_)),
                ParquetCompression::Gzip => matches!(codec, Compression::GZIP(_)),
            };
            assert!(is_as_named, "{} gives {codec}", option.name);
            let rows = part.build().expect("reads").next().expect("rows").expect("a batch");
            for column in 0..3 {
                let values = rows.column(column).as_primitive::<Decimal128Type>();
                let values: Vec<Option<i128>> = values.iter().collect();
                assert_eq!(values, [Some(MOST), None, Some(-MOST)]);
            }
        }
    }
}
