//! The error for a file with more rejected rows than are allowed.

use loader_model::error::{Error, Kind};
use loader_model::max_rejects::MaxRejects;

/// Refuses the file. `first`: the first rejected rows in words. `is_partial`: not all rows were
/// looked at.
pub(crate) fn too_many(
    first: &[String],
    rejected: u64,
    max_rejects: MaxRejects,
    is_partial: bool,
) -> Error {
    let at_least = if is_partial { "at least " } else { "" };
    let rows = if rejected == 1 { "row was" } else { "rows were" };
    let allowed = match max_rejects {
        MaxRejects::Rows(0) => "none may be".to_owned(),
        most => format!("at most {most} may be"),
    };
    let more = if rejected > first.len() as u64 { "; …" } else { "" };
    let fact = format!(
        "{at_least}{rejected} {rows} rejected, and {allowed}: {}{more}; correct the file, or allow \
         rejects with --max-rejects",
        first.join("; ")
    );
    Error::new(Kind::Data, fact)
}
