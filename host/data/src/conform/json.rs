//! JSON as a SUPER takes it. In: a text. Out: whether Redshift reads it into a SUPER.

use loader_model::column_type::MAX_VARCHAR_BYTES;
use serde::de::IgnoredAny;
use serde_json::Value;

/// Whether a text is JSON, and no string in it is too long. A SUPER takes 16 MB, and each string of
/// it what a VARCHAR takes. (A database may be set to take longer ones,
/// `enable_large_strings_opt_in`, which a load cannot rely on.)
pub(super) fn fits_super(text: &str) -> bool {
    match text.len() <= MAX_VARCHAR_BYTES as usize {
        true => serde_json::from_str::<IgnoredAny>(text).is_ok(),
        false => serde_json::from_str(text).is_ok_and(|value| strings_fit(&value)),
    }
}

fn strings_fit(value: &Value) -> bool {
    let fits = |text: &String| text.len() <= MAX_VARCHAR_BYTES as usize;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => fits(text),
        Value::Array(values) => values.iter().all(strings_fit),
        Value::Object(members) => {
            members.iter().all(|(name, value)| fits(name) && strings_fit(value))
        }
    }
}
