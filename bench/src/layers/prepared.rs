//! What each layer gets, made beforehand, and the work of each layer.

use std::hint::black_box;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use loader_csv::FileProfile;
use loader_data::parts::Format;
use loader_data::parts::staged::PartSinks;
use loader_data::transform::Sink;
use loader_ipc::{encode_columns, trusted};
use loader_model::choices::ParquetCompression;
use loader_model::target_column::ROW_COLUMN;
use loader_sdk::Expr;
use tempfile::TempDir;

use crate::native::{Native, process};
use crate::outcome::Result;
use crate::rows::CutFile;

/// The input of every layer.
pub(super) struct Prepared<'a> {
    file: CutFile<'a>,
    profile: FileProfile,
    native: Native,
    /// What the plugin gets of each batch, and what it answers.
    crossing: Vec<(RecordBatch, Vec<ArrayRef>)>,
    /// Batches as parts get them: the columns behind the plugin, and the number of the row.
    staged: Vec<RecordBatch>,
    /// Where parts are written.
    folder: TempDir,
}

impl<'a> Prepared<'a> {
    /// Runs all layers once, so that each has the input that a load gives it.
    pub(super) fn new(file: CutFile<'a>) -> Result<Prepared<'a>> {
        let profile = file.profile()?;
        let mut batches = Vec::new();
        file.decode(&profile, |batch, rows| {
            batches.push((batch, rows));
            Ok(())
        })?;
        let native = Native::plan(&batches.first().ok_or("no rows")?.0.schema())?;
        let mut session = native.session()?;
        let (mut crossing, mut staged) = (Vec::new(), Vec::new());
        for (batch, rows) in batches {
            let inputs = native.project(&batch)?;
            let answer = process(&mut session, &inputs)?;
            staged.push(stage(&native, &batch, &answer, rows)?);
            crossing.push((inputs, answer));
        }
        let folder = tempfile::tempdir()?;
        Ok(Prepared { file, profile, native, crossing, staged, folder })
    }

    pub(super) fn rows(&self) -> usize {
        self.staged.iter().map(RecordBatch::num_rows).sum()
    }

    // In all layers, `black_box` keeps the compiler from dropping a result that this program never
    // uses.
    pub(super) fn split(&self) -> Result<()> {
        black_box(CutFile::split(self.file.text)?);
        Ok(())
    }

    pub(super) fn profile(&self) -> Result<()> {
        black_box(self.file.profile()?);
        Ok(())
    }

    // Batches are dropped at once, as a worker drops them when they are written.
    pub(super) fn decode(&self) -> Result<()> {
        self.file.decode(&self.profile, |batch, rows| {
            black_box((batch, rows));
            Ok(())
        })
    }

    pub(super) fn decimal(&self) -> Result<()> {
        let mut session = self.native.session()?;
        for (inputs, _) in &self.crossing {
            black_box(process(&mut session, inputs)?);
        }
        Ok(())
    }

    // `trusted`: these bytes are our own, so they go without the check of a plugin's.
    pub(super) fn boundary(&self) -> Result<()> {
        for (inputs, answer) in &self.crossing {
            let bytes = encode_columns(inputs.num_rows(), inputs.columns())?;
            black_box(trusted::decode_batch(bytes, &self.native.inputs)?);
            let bytes = encode_columns(inputs.num_rows(), answer)?;
            black_box(trusted::decode_batch(bytes, &self.native.outputs)?);
        }
        Ok(())
    }

    pub(super) fn encode(&self) -> Result<()> {
        let schema = self.staged.first().ok_or("no rows")?.schema();
        let format = Format::Parquet(ParquetCompression::Snappy);
        let hand_over = |_| Ok(());
        let sinks = PartSinks::new(self.folder.path(), schema, &format, &hand_over);
        let mut sink = sinks.sink();
        for batch in &self.staged {
            sink.write(batch)?;
        }
        Ok(sink.finish()?)
    }
}

/// A batch as a part gets it.
// Without the plugin's columns of one value (the run, the file), which cost a part next to nothing.
fn stage(
    native: &Native,
    batch: &RecordBatch,
    answer: &[ArrayRef],
    rows: Int64Array,
) -> Result<RecordBatch> {
    let mut columns: Vec<ArrayRef> = Vec::new();
    let mut fields = Vec::new();
    for planned in native.plan.columns() {
        columns.push(match &planned.expr {
            Expr::Passthrough(index) => Arc::clone(batch.column(*index)),
            Expr::Computed(index) => Arc::clone(&answer[*index]),
            _ => continue,
        });
        fields.push(Arc::clone(&planned.field));
    }
    columns.push(Arc::new(rows));
    fields.push(Arc::new(Field::new(ROW_COLUMN, DataType::Int64, false)));
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    Ok(RecordBatch::try_new(schema, columns)?)
}
