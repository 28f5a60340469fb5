//! The mismatches between a file and its table.
//!
//! In: all mismatches. Out: one refusal that names them and says what the user can do.

use loader_model::choices::SchemaPolicy;
use loader_model::error::{Error, Kind};

use crate::plan::input::PlanInput;

/// Why a column does not fit.
pub(super) enum Mismatch {
    /// The table would have to change: for example, a column of the file is new.
    Schema(String),
    /// No change of the table would help: for example, `n/a` stands in an INTEGER column.
    Value(String),
}

/// Makes one error for all mismatches. It is a schema conflict if a change of the table would solve
/// at least one of them; otherwise the file is at fault.
pub(super) fn refusal(input: &PlanInput<'_>, mismatches: Vec<Mismatch>) -> Error {
    let is_conflict = mismatches.iter().any(|mismatch| matches!(mismatch, Mismatch::Schema(_)));
    let facts = mismatches.into_iter().map(|mismatch| match mismatch {
        Mismatch::Schema(fact) | Mismatch::Value(fact) => fact,
    });
    let facts = facts.collect::<Vec<_>>().join("; ");
    let target = input.target;
    if is_conflict {
        let remedy = remedy(input.schema_policy);
        let fact = format!("the file does not fit {target}: {facts}; {remedy}");
        return Error::new(Kind::SchemaConflict, fact);
    }
    let remedy = "correct them in the file";
    Error::new(
        Kind::Data,
        format!("the file has values that {target} cannot take: {facts}; {remedy}"),
    )
}

fn remedy(policy: SchemaPolicy) -> &'static str {
    match policy {
        SchemaPolicy::Evolve => "change the table or the file so that they agree",
        SchemaPolicy::Freeze => {
            "--schema-policy freeze keeps the table as it is, evolve would change it where it can"
        }
        SchemaPolicy::DiscardColumns => {
            "--schema-policy discard-columns keeps the table as it is, evolve would change it \
             where it can"
        }
    }
}
