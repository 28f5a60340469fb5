//! What steps depend on, on its way from the plan to the sessions: the context, and all columns of
//! the input.
//!
//! A session's own schema has only the columns that steps read. But steps may look at the others
//! too (`rows.has("note")`), and must decide as they did for the plan.

use arrow_schema::{Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use super::kind::Kind;
use crate::error::Error;
use crate::plan::Context;

/// How much state the host takes from a plan.
const MAX_STATE_BYTES: usize = 64 * 1024;

#[derive(Serialize, Deserialize)]
pub(super) struct State {
    config: String,
    table: String,
    keys: Vec<String>,
    /// Name and [`Kind::code`] of all input columns, such as `amount` and `d12,2`.
    columns: Vec<(String, String)>,
    /// The columns that steps read, by their places in the input, ascending.
    pub(super) inputs: Vec<usize>,
}

impl State {
    pub(super) fn new(context: &Context, input: &Schema, inputs: Vec<usize>) -> State {
        let columns = input.fields().iter();
        State {
            config: context.config.clone(),
            table: context.table.clone(),
            keys: context.keys.clone(),
            columns: columns.map(|field| (field.name().clone(), Kind::of(field).code())).collect(),
            inputs,
        }
    }

    /// Errors: `too-much-state`.
    pub(super) fn write(&self) -> Result<Vec<u8>, Error> {
        let bytes =
            serde_json::to_vec(self).map_err(|error| Error::new("internal", error.to_string()))?;
        if bytes.len() > MAX_STATE_BYTES {
            let message = format!(
                "the config and the names of {} columns take {} bytes; the plan of a plugin holds \
                 {MAX_STATE_BYTES}; shorten the config or the headers",
                self.columns.len(),
                bytes.len()
            );
            return Err(Error::new("too-much-state", message));
        }
        Ok(bytes)
    }

    pub(super) fn read(bytes: &[u8]) -> Result<State, Error> {
        serde_json::from_slice(bytes).map_err(|error| Error::new("bad-state", error.to_string()))
    }

    pub(super) fn context(&self) -> Context {
        Context {
            table: self.table.clone(),
            keys: self.keys.clone(),
            // Steps never see the target, so the state does not carry it.
            target: None,
            config: self.config.clone(),
        }
    }

    /// The whole input as the plan saw it. `crossing` has the columns that cross the sandbox, with
    /// their exact types; for the others, name and kind are enough.
    // Both lists ascend, so one pass pairs them. A rest in `read` means that the state names an
    // input that does not exist.
    pub(super) fn input(&self, crossing: &SchemaRef) -> Result<Schema, Error> {
        let (expected, found) = (self.inputs.len(), crossing.fields().len());
        let mut read = self.inputs.iter().zip(crossing.fields()).peekable();
        let mut fields = Vec::with_capacity(self.columns.len());
        for (index, (name, code)) in self.columns.iter().enumerate() {
            match read.next_if(|(input, _)| **input == index) {
                Some((_, field)) => fields.push(field.as_ref().clone()),
                None => fields.push(Kind::from_code(code).field(name)),
            }
        }
        if expected != found || read.peek().is_some() {
            let message = format!("the plan reads {expected} columns, the session got {found}");
            return Err(Error::new("bad-state", message));
        }
        Ok(Schema::new(fields))
    }
}
