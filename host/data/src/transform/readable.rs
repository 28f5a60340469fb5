//! Takes out the rows of a decoded batch that have a field which is not as the user says.
//!
//! In: a decoded batch. Out: the batch that plugins get, and a reject for each row that they do not
//! get.

use arrow::array::AsArray;
use arrow::compute::filter;
use arrow::datatypes::Int64Type;
use loader_csv::{Decoded, RefusedBecause, RefusedField};
use loader_model::error::{Context, Kind, Result};
use loader_sandbox::Reject;

use crate::infer::Spool;
use crate::refusals::Refusals;

pub(super) fn run(decoded: Decoded, spool: &Spool) -> Result<(Decoded, Vec<Reject>)> {
    if decoded.refused.is_empty() {
        return Ok((decoded, Vec::new()));
    }
    let Decoded { batch, rows, refused } = decoded;
    let mut refusals = Refusals::default();
    for field in refused {
        let column = spool.header.names.get(field.column).map_or("", String::as_str);
        let (code, message) = reason(field, spool);
        refusals.add(field.row, column, code, || message);
    }
    let left = match refusals.kept(rows.len()) {
        Some(kept) => filter(&rows, &kept)
            .context(Kind::Internal, "the numbers of rejected rows cannot be taken out")?
            .as_primitive::<Int64Type>()
            .clone(),
        None => rows.clone(),
    };
    let (batch, rejects) = refusals.take_out(batch, &rows)?;
    Ok((Decoded { batch, rows: left, refused: Vec::new() }, rejects))
}

/// The code and the message of a reject. The message does not have the value, which may be secret.
fn reason(field: RefusedField, spool: &Spool) -> (&'static str, String) {
    let spec = spool.columns.get(field.column).and_then(Option::as_ref);
    let source = spec.map_or_else(String::new, ToString::to_string);
    let form = spec.and_then(|spec| spec.rule.form.as_ref());
    match (field.because, form) {
        (RefusedBecause::IsNot, Some(form)) => {
            ("does-not-fit", format!("the value is not {}, as {source} asks", form.expected()))
        }
        (RefusedBecause::IsNot, None) => {
            ("does-not-fit", format!("the value is not as {source} asks"))
        }
        (RefusedBecause::Null, _) => ("null", format!("NULL, but {source} requires a value")),
    }
}
