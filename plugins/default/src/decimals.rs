//! The computed columns: the text of a number becomes a `Decimal128`, digit by digit and never
//! through a float. For example, in a DECIMAL(12,2) the text `19.99` becomes 1999 hundredths.
//!
//! This is the hot loop of most loads. It reads offsets and bytes as they lie in the input, and
//! writes one buffer.

use std::sync::Arc;

use loader_sdk::arrow_array::cast::AsArray;
use loader_sdk::arrow_array::{Array, ArrayRef, Decimal128Array, RecordBatch, StringArray};
use loader_sdk::arrow_schema::SchemaRef;
use loader_sdk::values::{DecimalError, parse_decimal};
use loader_sdk::{Counter, Error, Output, Rejects, Session};

/// The session of one worker.
pub struct Decimals {
    columns: Vec<DecimalColumn>,
    rounded: u64,
}

/// A computed column. The n-th computed column is made of the n-th input.
struct DecimalColumn {
    header: String,
    precision: u8,
    scale: u8,
}

/// The state of the plan: two bytes for each computed column, precision and scale.
pub(crate) fn state(types: &[(u8, u8)]) -> Vec<u8> {
    types.iter().flat_map(|(precision, scale)| [*precision, *scale]).collect()
}

impl Decimals {
    // An odd number of bytes, or another number of pairs than inputs, cannot come from this
    // plugin's plan. Such a session is refused, as it might take a scale for a precision.
    pub(crate) fn open(state: &[u8], inputs: &SchemaRef) -> Result<Self, Error> {
        let (types, []) = state.as_chunks::<2>() else {
            return Err(Error::new("bad-state", "the state is not the one of the plan"));
        };
        if types.len() != inputs.fields().len() {
            let message = format!(
                "the state is about {} columns, the input has {}",
                types.len(),
                inputs.fields().len()
            );
            return Err(Error::new("bad-state", message));
        }
        let columns = inputs.fields().iter().zip(types).map(|(field, [precision, scale])| {
            DecimalColumn { header: field.name().clone(), precision: *precision, scale: *scale }
        });
        Ok(Self { columns: columns.collect(), rounded: 0 })
    }
}

impl Session for Decimals {
    fn process(&mut self, batch: &RecordBatch) -> Result<Output, Error> {
        let mut rejects = Rejects::default();
        let mut columns = Vec::with_capacity(self.columns.len());
        for (column, texts) in self.columns.iter().zip(batch.columns()) {
            columns.push(column.compute(texts.as_string(), &mut rejects, &mut self.rounded)?);
        }
        Ok(Output { columns, rejects })
    }

    fn finish(self) -> Result<Vec<Counter>, Error> {
        Ok(vec![Counter::new("rounded", self.rounded)])
    }
}

impl DecimalColumn {
    // The texts of all rows lie in `bytes` one behind the other, and row n ends where row n + 1
    // starts. So each offset is read once. The first offset need not be 0, when the batch is a
    // slice of a larger one. A NULL has offsets too; its value is 0 and the bitmap of NULLs hides
    // it.
    fn compute(
        &self,
        texts: &StringArray,
        rejects: &mut Rejects,
        rounded: &mut u64,
    ) -> Result<ArrayRef, Error> {
        let bytes = texts.values().as_slice();
        let nulls = texts.nulls();
        let mut values: Vec<i128> = Vec::with_capacity(texts.len());
        let mut start = texts.offsets().first() as usize;
        for (row, end) in texts.offsets().iter().skip(1).enumerate() {
            let end = *end as usize;
            let text = bytes.get(start..end).unwrap_or_default();
            start = end;
            values.push(match nulls.is_some_and(|nulls| nulls.is_null(row)) {
                true => 0,
                false => self.value(text, row, rejects, rounded),
            });
        }
        let array = Decimal128Array::try_new(values.into(), nulls.cloned());
        let array = array
            .and_then(|array| array.with_precision_and_scale(self.precision, self.scale as i8));
        Ok(Arc::new(array.map_err(|error| Error::new("internal", error.to_string()))?))
    }

    /// The unscaled value of a text. For a text that has none, rejects the row and returns 0.
    // A value is needed anyway: the array must have one for each row, and the host takes rejected
    // rows out only afterwards. A row that two columns reject keeps the reason of the first.
    #[inline]
    fn value(&self, text: &[u8], row: usize, rejects: &mut Rejects, rounded: &mut u64) -> i128 {
        match parse_decimal(text, self.precision, self.scale) {
            Ok(decimal) => {
                *rounded += u64::from(decimal.rounded);
                decimal.unscaled
            }
            Err(error) => {
                let reason = rejects.reason(self.refusal(error));
                rejects.add(row, reason);
                0
            }
        }
    }

    /// Why a value is rejected. The message does not have the value.
    // Messages come into the log, where values must not be. Also, rows with the same message share
    // one reason, and a batch has 256 reasons at most.
    fn refusal(&self, error: DecimalError) -> Error {
        let Self { header, precision, scale } = self;
        let (code, message) = match error {
            DecimalError::OutOfRange => (
                "out-of-range",
                format!(
                    "column {header:?}: the number has more than the {} digits before the point \
                     that DECIMAL({precision},{scale}) holds; correct it, or allow more \
                     digits, in the table's column or, for a new column, by \"decimal\" in the \
                     plugin's config",
                    precision - scale
                ),
            ),
            DecimalError::NotFinite => (
                "not-finite",
                format!(
                    "column {header:?}: NaN and infinity are not numbers that \
                     DECIMAL({precision},{scale}) holds; leave the field empty, or make it DOUBLE \
                     PRECISION in the target"
                ),
            ),
            DecimalError::NotANumber => {
                ("not-a-number", format!("column {header:?}: the field is not a number"))
            }
        };
        Error::new(code, message).column(header)
    }
}

#[cfg(test)]
mod tests {
    use loader_sdk::arrow_schema::{DataType, Field, Schema};

    use super::*;

    fn compute(
        texts: &[Option<&str>],
        precision: u8,
        scale: u8,
    ) -> (Vec<Option<String>>, Vec<String>, u64) {
        let schema = Arc::new(Schema::new(vec![Field::new("Unit Price", DataType::Utf8, true)]));
        let mut session = Decimals::open(&state(&[(precision, scale)]), &schema).expect("opens");
        let texts: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
        let batch = RecordBatch::try_new(schema, vec![texts]).expect("is a batch");
        let output = session.process(&batch).expect("computes");
        let column =
            output.columns[0].as_primitive::<loader_sdk::arrow_array::types::Decimal128Type>();
        let values = (0..column.len())
            .map(|row| column.is_valid(row).then(|| column.value_as_string(row)))
            .collect();
        let (rows, reasons, messages) = output.rejects.into_parts();
        let rejects = rows.iter().zip(reasons).map(|(row, reason)| {
            let Error { code, message, .. } = &messages[usize::from(reason)];
            format!("row {row}: {code}: {message}")
        });
        (values, rejects.collect(), session.finish().expect("finishes")[0].value)
    }

    #[test]
    fn sums_are_exact() {
        let (values, rejects, rounded) =
            compute(&[Some("0.1"), None, Some("0.2"), Some("-1234567.89"), Some("1e3")], 38, 18);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            values,
            [
                some("0.100000000000000000"),
                None,
                some("0.200000000000000000"),
                some("-1234567.890000000000000000"),
                some("1000.000000000000000000")
            ]
        );
        assert_eq!((rejects.len(), rounded), (0, 0));
    }

    #[test]
    fn digits_past_the_scale_are_rounded_and_counted() {
        let (values, _, rounded) = compute(&[Some("1.005"), Some("1.00"), Some("-1.999")], 9, 2);
        assert_eq!(
            values,
            [Some("1.01".to_owned()), Some("1.00".to_owned()), Some("-2.00".to_owned())]
        );
        assert_eq!(rounded, 2);
    }

    #[test]
    fn what_does_not_fit_is_a_rejected_row() {
        let (_, rejects, _) =
            compute(&[Some("1e20"), Some("1"), None, Some("NaN"), Some("x"), Some("1e20")], 38, 18);
        insta::assert_snapshot!(rejects.join("\n"), @r#"
        row 0: out-of-range: column "Unit Price": the number has more than the 20 digits before the point that DECIMAL(38,18) holds; correct it, or allow more digits, in the table's column or, for a new column, by "decimal" in the plugin's config
        row 3: not-finite: column "Unit Price": NaN and infinity are not numbers that DECIMAL(38,18) holds; leave the field empty, or make it DOUBLE PRECISION in the target
        row 4: not-a-number: column "Unit Price": the field is not a number
        row 5: out-of-range: column "Unit Price": the number has more than the 20 digits before the point that DECIMAL(38,18) holds; correct it, or allow more digits, in the table's column or, for a new column, by "decimal" in the plugin's config
        "#);
    }

    #[test]
    fn a_state_that_is_not_ours_is_refused() {
        let schema = Arc::new(Schema::new(vec![Field::new("a", DataType::Utf8, true)]));
        assert_eq!(
            Decimals::open(&[38, 18, 1], &schema).err().map(|error| error.code),
            Some("bad-state".to_owned())
        );
        assert_eq!(
            Decimals::open(&[], &schema).err().map(|error| error.code),
            Some("bad-state".to_owned())
        );
    }
}
