//! What does not fit between a file and its table.
//!
//! In: all mismatches. Out: the one refusal that names them and says what can be done.

use loader_model::choices::SchemaPolicy;
use loader_model::error::{Error, Kind};

use crate::plan::input::PlanInput;

/// Why a column does not fit.
pub(super) enum Mismatch {
    /// The table would have to change.
    Schema(String),
    /// A value that no change of the table would help.
    Value(String),
}

/// One error for all mismatches. A schema conflict, if a change of the table would solve any of
/// them; else the file's fault.
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
