//! What a plugin is run on: CSV text, rows of text, or a batch as it is.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, SchemaRef, TimeUnit};
use arrow_select::concat::concat_batches;
use loader_csv::{ColumnProfile, DecodeAs, Dialect, LogicalType, RepeatedHeader, arrow_schema};
use loader_sandbox::ChainPlan;

use crate::csv_text::{CsvText, Row, push_line};
use crate::error::HarnessError;
use crate::text;

/// Stands for NULL in text that is made of rows. A cell with the same text is quoted.
const NULL: &str = "\\N";
/// How often the plan is made until it and the types of the input agree, as in a load.
const MAX_PASSES: usize = 4;

/// Typed rows, all in one batch.
#[derive(Clone)]
pub(crate) struct Input {
    pub(crate) batch: RecordBatch,
    /// Numbers of the rows, from 1.
    pub(crate) records: Int64Array,
    /// The line in which each row begins; the row's number when the input is not a file.
    pub(crate) lines: Vec<u64>,
}

impl Input {
    pub(crate) fn of_batch(batch: RecordBatch) -> Input {
        let rows = batch.num_rows();
        let records = Int64Array::from_iter_values((1..).take(rows));
        Input { batch, records, lines: (1..).take(rows).collect() }
    }

    /// Reads rows of columns whose types are known. The header must name the same columns in the
    /// same order.
    pub(crate) fn of_typed_csv(
        text: &[u8],
        dialect: &Dialect,
        columns: &SchemaRef,
    ) -> Result<Input, HarnessError> {
        let file = CsvText::read(text, dialect)?;
        check_names(&file.header.names, columns)?;
        let (rows, lines) = (file.texts()?, file.lines());
        let typed = columns.fields().iter().enumerate();
        let typed = typed.map(|(index, field)| typed_column(field, index, &rows, &lines));
        let batch = RecordBatch::try_new(Arc::clone(columns), typed.collect::<Result<_, _>>()?);
        let batch = batch.map_err(|error| HarnessError::Input(error.to_string()))?;
        Ok(Input { lines, ..Input::of_batch(batch) })
    }

    /// Infers types as a load does, asks for a plan with `plan`, and decodes.
    // A fixed point: the plan says where a column lands in the target, the target's column says how
    // the column is read, and how it is read may change the plan. (A column of `1` and `2` that
    // lands in a VARCHAR is read as text, and a plugin that adds it up has to plan anew.) The loop
    // ends when a plan expects just the types that it was made from. A load does the same, in
    // `host/data/src/plan/agree_on_types.rs`.
    pub(crate) fn of_csv(
        text: &[u8],
        dialect: &Dialect,
        target: Option<&SchemaRef>,
        plan: impl Fn(SchemaRef) -> Result<ChainPlan, HarnessError>,
    ) -> Result<(Input, ChainPlan), HarnessError> {
        dialect.check().map_err(|error| HarnessError::Input(error.to_string()))?;
        let file = CsvText::read(text, dialect)?;
        let inferred =
            file.profile.columns.iter().map(|column| DecodeAs::of_new(&column.new_type(false)));
        let mut decode_as: Vec<DecodeAs> = inferred.collect();
        for _ in 0..MAX_PASSES {
            let chain = plan(arrow_schema(&file.header, &decode_as))?;
            let expected = expected(target, &chain, &file.profile.columns, &decode_as);
            if expected == decode_as {
                return Ok((decoded(&file, &decode_as, &chain.input)?, chain));
            }
            decode_as = expected;
        }
        Err(HarnessError::Input(
            "the plugin's plan changes whenever the types of its input do; a plan must settle"
                .to_owned(),
        ))
    }
}

fn check_names(header: &[String], columns: &SchemaRef) -> Result<(), HarnessError> {
    let names: Vec<&str> = columns.fields().iter().map(|field| field.name().as_str()).collect();
    if header == names {
        return Ok(());
    }
    let (has, wanted) = (header.join(", "), names.join(", "));
    Err(HarnessError::Input(format!("its columns are {has}, but case.toml has {wanted}")))
}

/// The values of column `index`. Errors: the line of the first text that is not a value of the
/// column's type.
fn typed_column(
    field: &Field,
    index: usize,
    rows: &[Row],
    lines: &[u64],
) -> Result<ArrayRef, HarnessError> {
    let cells = rows.iter().map(|row| row.get(index).and_then(Option::as_deref));
    text::parse(StringArray::from_iter(cells), field.data_type()).map_err(|row| {
        let line = lines.get(row).copied().unwrap_or_default();
        let (name, data_type) = (field.name(), field.data_type());
        HarnessError::Input(format!("line {line}, column `{name}` is no {data_type}"))
    })
}

/// Writes rows as CSV text, and returns the dialect that reads the text back. Of the caller's
/// dialect only `leading_zeros` counts: the rest is about how a text is written, and this one is
/// written here.
pub(crate) fn rows_as_csv<'a>(
    header: &[&str],
    rows: impl IntoIterator<Item = impl IntoIterator<Item = Option<&'a str>>>,
    dialect: &Dialect,
) -> (String, Dialect) {
    let mut text = String::new();
    push_line(&mut text, header.iter().copied().map(Some), NULL);
    for row in rows {
        push_line(&mut text, row, NULL);
    }
    let dialect = Dialect {
        null_tokens: vec![NULL.to_owned()],
        leading_zeros: dialect.leading_zeros,
        repeated_header: RepeatedHeader::Keep,
        ..Dialect::default()
    };
    (text, dialect)
}

fn decoded(
    file: &CsvText<'_>,
    decode_as: &[DecodeAs],
    schema: &SchemaRef,
) -> Result<Input, HarnessError> {
    let (batches, numbers): (Vec<RecordBatch>, Vec<Int64Array>) =
        file.decode(decode_as)?.into_iter().unzip();
    let batch =
        concat_batches(schema, &batches).map_err(|error| HarnessError::Input(error.to_string()))?;
    let records = numbers.iter().flat_map(|numbers| numbers.values().iter().copied());
    Ok(Input { batch, records: Int64Array::from_iter_values(records), lines: file.lines() })
}

/// How columns are to be read so that they become what their columns in the target expect, where
/// their values allow it.
// `origin` is `None` for a column that a plugin computes: no single column of the file becomes it,
// so the target's type says nothing about how to read the file.
fn expected(
    target: Option<&SchemaRef>,
    chain: &ChainPlan,
    profile: &[ColumnProfile],
    decode_as: &[DecodeAs],
) -> Vec<DecodeAs> {
    let mut expected = decode_as.to_vec();
    let Some(target) = target else { return expected };
    for (index, field) in chain.output.fields().iter().enumerate() {
        let existing = target
            .fields()
            .iter()
            .find(|existing| existing.name().eq_ignore_ascii_case(field.name()));
        if let (Some(existing), Some(origin)) = (existing, chain.origin(index))
            && let Some(decode_as) = decode_for(existing.data_type(), &profile[origin])
        {
            expected[origin] = decode_as;
        }
    }
    expected
}

/// How a column is read that lands in a column of type `target`. `None` when one of its values is
/// not of that type: the column is then read as inference found it.
// A SMALLINT is read as 32 bits, because `DecodeAs` has no 16 bits. All texts are a VARCHAR, so
// there is nothing to check.
fn decode_for(target: &DataType, profile: &ColumnProfile) -> Option<DecodeAs> {
    let (decode_as, logical) = match target {
        DataType::Utf8 => return Some(DecodeAs::Text),
        DataType::Boolean => {
            return profile.accepts_boolean_literals().is_ok().then_some(DecodeAs::Boolean);
        }
        DataType::Int16 | DataType::Int32 => (DecodeAs::Int32, LogicalType::Int32),
        DataType::Int64 => (DecodeAs::Int64, LogicalType::Int64),
        DataType::Decimal128(precision, scale) => {
            let scale = scale.max(&0).unsigned_abs();
            (
                DecodeAs::Decimal { precision: *precision, scale, is_given: false },
                LogicalType::Decimal,
            )
        }
        DataType::Float32 | DataType::Float64 => (DecodeAs::Double, LogicalType::Double),
        DataType::Date32 => (DecodeAs::Date32, LogicalType::Date),
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            (DecodeAs::TimestampMicros, LogicalType::Timestamp)
        }
        _ => return None,
    };
    profile.accepts(logical).is_ok().then_some(decode_as)
}

/// Rows of the same schema without a single value.
pub(crate) fn all_null(batch: &RecordBatch) -> Result<RecordBatch, HarnessError> {
    let nulls = batch
        .columns()
        .iter()
        .map(|column| arrow_array::new_null_array(column.data_type(), column.len()));
    // A batch without columns knows the number of its rows only if it is told.
    let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(batch.schema_ref()), nulls.collect(), &options)
        .map_err(|error| HarnessError::Input(error.to_string()))
}
