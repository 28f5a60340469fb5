//! The component around a [`Plugin`]: the way from the contract's bytes to Arrow and back. It is
//! only built for the sandbox.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::{Arc, Once};

use arrow_schema::{Schema, SchemaRef};
use loader_ipc::{encode_columns, encode_schema, trusted};

use crate::bindings::exports::loader::plugin::transform as wire;
use crate::error::Error;
use crate::log::{Level, log};
use crate::output::{Counter, Output};
use crate::plan::{Context, Expr, Plan};
use crate::plugin::{Plugin, Session};

/// Reports panics to the host's log. The error about the trap quotes them from there. For example,
/// the log says: panicked at src/lib.rs:27:9: attempt to divide by zero.
///
/// The host may call `config-schema`, `make-plan` or `open` first, so each of them calls this.
pub fn report_panics() {
    // Each instance has statics of its own, so a new instance installs its hook again.
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let message = panic.payload_as_str().unwrap_or("no message");
            let place = panic.location().map(|place| format!(" at {place}")).unwrap_or_default();
            log(Level::Error, &format!("panicked{place}: {message}"));
        }));
    });
}

/// The type that a component exports; `export_plugin!` names it.
#[derive(Debug)]
pub struct Component<P>(PhantomData<P>);

impl<P: Plugin> wire::Guest for Component<P> {
    type Session = OpenSession<P>;

    fn config_schema() -> String {
        report_panics();
        P::config_schema()
    }

    fn make_plan(context: wire::Context, schema: Vec<u8>) -> Result<wire::Plan, wire::Error> {
        report_panics();
        plan::<P>(context, &schema).map_err(wire_error)
    }
}

/// A session that the host holds.
// The contract calls a session through a shared reference, but `process` changes it and `finish`
// consumes it. Hence the cell, which is empty after `finish`. A guest has one thread and the host
// makes one call at a time, so the cell is never borrowed twice.
#[derive(Debug)]
pub struct OpenSession<P: Plugin> {
    session: RefCell<Option<P::Session>>,
    inputs: SchemaRef,
}

impl<P: Plugin> wire::GuestSession for OpenSession<P> {
    fn open(state: Vec<u8>, schema: Vec<u8>) -> Result<wire::Session, wire::Error> {
        report_panics();
        open::<P>(&state, &schema).map(wire::Session::new).map_err(wire_error)
    }

    fn process(&self, batch: Vec<u8>) -> Result<wire::Output, wire::Error> {
        self.run(batch).map_err(wire_error)
    }

    fn finish(&self) -> Result<Vec<wire::Counter>, wire::Error> {
        let session = self.session.borrow_mut().take().ok_or_else(finished).map_err(wire_error)?;
        let counters = session.finish().map_err(wire_error)?;
        Ok(counters
            .into_iter()
            .map(|Counter { name, value }| wire::Counter { name, value })
            .collect())
    }
}

impl<P: Plugin> OpenSession<P> {
    fn run(&self, batch: Vec<u8>) -> Result<wire::Output, Error> {
        let mut session = self.session.borrow_mut();
        let session = session.as_mut().ok_or_else(finished)?;
        let batch = trusted::decode_batch(batch, &self.inputs)?;
        let Output { columns, rejects } = session.process(&batch)?;
        // The contract wants no bytes at all when nothing is computed.
        let batch = match columns.first() {
            Some(first) => encode_columns(first.len(), &columns)?,
            None => Vec::new(),
        };
        let (rejected, reasons, messages) = rejects.into_parts();
        Ok(wire::Output {
            batch,
            rejected,
            reasons,
            messages: messages.into_iter().map(wire_error).collect(),
        })
    }
}

fn plan<P: Plugin>(context: wire::Context, schema: &[u8]) -> Result<wire::Plan, Error> {
    let input = trusted::decode_schema(schema)?;
    // In the contract, an empty schema means that the target does not exist yet.
    let target = if context.target.is_empty() {
        None
    } else {
        Some(trusted::decode_schema(&context.target)?)
    };
    let context =
        Context { table: context.table, keys: context.keys, target, config: context.config };
    wire_plan(P::make_plan(&context, &input)?)
}

fn open<P: Plugin>(state: &[u8], schema: &[u8]) -> Result<OpenSession<P>, Error> {
    let inputs: Arc<Schema> = trusted::decode_schema(schema)?.into();
    let session = P::open_session(state, &inputs)?;
    Ok(OpenSession { session: RefCell::new(Some(session)), inputs })
}

// Indexes count columns, so `as u32` cuts nothing here and in `wire_expr`.
fn wire_plan(plan: Plan) -> Result<wire::Plan, Error> {
    let outputs =
        plan.columns().iter().map(|column| wire_expr(&column.expr)).collect::<Result<_, _>>()?;
    Ok(wire::Plan {
        inputs: plan.inputs().into_iter().map(|input| input as u32).collect(),
        schema: encode_schema(&plan.schema()),
        outputs,
        state: plan.state,
    })
}

fn wire_expr(expr: &Expr) -> Result<wire::Expr, Error> {
    Ok(match expr {
        Expr::Passthrough(input) => wire::Expr::Passthrough(*input as u32),
        Expr::Cast(input) => wire::Expr::Cast(*input as u32),
        Expr::Literal(value) => {
            wire::Expr::Literal(encode_columns(1, std::slice::from_ref(value))?)
        }
        Expr::HostValue(value) => wire::Expr::HostValue(value.key().to_owned()),
        Expr::Computed(index) => wire::Expr::Computed(*index as u32),
    })
}

fn wire_error(error: Error) -> wire::Error {
    wire::Error { code: error.code, message: error.message, column: error.column, row: error.row }
}

fn finished() -> Error {
    Error::new("session-finished", "the session is finished already; nothing may be called on it")
}
