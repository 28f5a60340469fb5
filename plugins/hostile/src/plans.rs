//! Misdeeds of `make-plan`, and honest plans for the misdeeds of other calls: a session is opened
//! only when the host has accepted its plan.

use std::sync::Arc;

use loader_sdk::arrow_array::{Int64Array, StringArray};
use loader_sdk::arrow_schema::{DataType, Field, Schema, TimeUnit};
use loader_sdk::bindings::exports::loader::plugin::transform as wire;

use crate::answers::refusal;
use crate::endless::{allocate_forever, flood_log, spin};
use crate::messages::encoded;
use crate::plan_shapes::{
    cast_to, changed_type, columns, host_values, identity, literal, lowercase_text, one_computed,
    renamed, with_metadata, with_total,
};
use crate::words::{HONEST, IN_FINISH, IN_SESSION, TOTALS};

pub(crate) fn make(what: &str, input: &Schema) -> Result<wire::Plan, wire::Error> {
    crash(what);
    if let Some(error) = refused(what) {
        return Err(error);
    }
    let mut plan = with_names(what, input)
        .or_else(|| with_schema_bytes(what, input))
        .or_else(|| with_types(what, input))
        .or_else(|| with_exprs(what, input))
        .or_else(|| with_host_value(what, input))
        .or_else(|| with_literal(what))
        .or_else(|| with_inputs(what, input))
        .or_else(|| for_session(what, input))
        .ok_or_else(|| refusal("bad-config", &unknown(what)))?;
    if is_for_session(what) {
        plan.state = what.as_bytes().to_vec();
    }
    Ok(plan)
}

fn unknown(what: &str) -> String {
    format!(
        "config: \"do\" is {what:?}, which this plugin cannot do; see plugins/hostile/src/words.rs"
    )
}

fn is_for_session(what: &str) -> bool {
    // The state carries the word to the session, which does not get the config.
    [IN_SESSION.as_slice(), &TOTALS, &IN_FINISH, &HONEST].iter().any(|words| words.contains(&what))
}

fn crash(what: &str) {
    match what {
        "loop-in-plan" => spin(),
        "panic-in-plan" => panic!("asked to panic in make-plan"),
        "allocate-in-plan" => allocate_forever(),
        "flood-log-in-plan" => flood_log(),
        _ => {}
    }
}

fn refused(what: &str) -> Option<wire::Error> {
    match what {
        "refuse-plan" => Some(refusal("refused", "asked to refuse the plan")),
        "refuse-plan-at-length" => Some(refusal("refused", &"very ".repeat(1 << 20))),
        "refuse-plan-with-control-characters" => {
            Some(refusal("re\u{1b}[31mfused", "line one\nline\u{7} two\u{1b}[2J"))
        }
        "refuse-plan-without-code" => Some(refusal("", "")),
        _ => None,
    }
}

fn with_names(what: &str, input: &Schema) -> Option<wire::Plan> {
    Some(match what {
        "duplicate-names" => renamed(input, |_, _| "Same".to_owned()),
        "duplicate-names-by-case" => {
            renamed(input, |index, _| if index % 2 == 0 { "same" } else { "SAME" }.to_owned())
        }
        "empty-name" => renamed(input, |_, _| String::new()),
        "long-name" => renamed(input, |_, name| name.repeat(200)),
        "control-character-in-name" => renamed(input, |_, name| format!("{name}\u{1b}[2J\n")),
        "nul-in-name" => renamed(input, |_, name| format!("{name}\0")),
        "direction-mark-in-name" => renamed(input, |_, name| format!("{name}\u{202e}gpj.exe")),
        "name-of-the-host" => renamed(input, |index, _| format!("_LOADER_ROW{}", &"1234"[..index])),
        "quote-in-name" => renamed(input, |_, name| format!("{name}\"; DROP TABLE t; --")),
        _ => return None,
    })
}

/// Bytes that are not a schema.
fn with_schema_bytes(what: &str, input: &Schema) -> Option<wire::Plan> {
    let plan = identity(input);
    let schema = match what {
        "garbage-schema" => b"this is not a schema".to_vec(),
        "trailing-schema-bytes" => [plan.schema, vec![0; 8]].concat(),
        "batch-for-a-schema" => encoded(Int64Array::from(vec![1])),
        _ => return None,
    };
    Some(wire::Plan { schema, ..plan })
}

/// Columns that no table can have.
fn with_types(what: &str, input: &Schema) -> Option<wire::Plan> {
    Some(match what {
        "no-columns" => columns(Vec::new(), Vec::new()),
        "many-columns" => many_columns(),
        "unknown-type" => one_nested("item"),
        "nested-type-with-control-characters" => one_nested(&"\u{1b}[2J\n".repeat(100)),
        "dictionary-type" => one_computed(dictionary()),
        "other-time-zone" => {
            one_computed(DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())))
        }
        "bad-decimal-type" => one_computed(DataType::Decimal128(38, -3)),
        "made-up-metadata" => with_metadata(input),
        _ => return None,
    })
}

fn many_columns() -> wire::Plan {
    let fields = (0..5000).map(|index| Field::new(format!("c{index}"), DataType::Int64, true));
    columns(fields.collect(), vec![wire::Expr::HostValue("source.row".to_owned()); 5000])
}

fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// A plan with a list, a type that no table can have. Its items have this name.
fn one_nested(item: &str) -> wire::Plan {
    let list = DataType::List(Arc::new(Field::new(item, DataType::Int64, true)));
    columns(vec![Field::new("nested", list, true)], vec![wire::Expr::Computed(0)])
}

/// Expressions that do not fit the schema or the input.
fn with_exprs(what: &str, input: &Schema) -> Option<wire::Plan> {
    let mut plan = identity(input);
    match what {
        "fewer-exprs" => drop(plan.outputs.pop()),
        "more-exprs" => plan.outputs.push(wire::Expr::Passthrough(0)),
        "many-outputs" => plan.outputs = vec![wire::Expr::Passthrough(0); 1 << 20],
        "expr-out-of-range" => plan.outputs[0] = wire::Expr::Passthrough(9999),
        "cast-out-of-range" => plan.outputs[0] = wire::Expr::Cast(9999),
        "impossible-cast" => plan = cast_to(input, DataType::Binary),
        "changed-type" => plan = changed_type(input),
        _ => return None,
    }
    Some(plan)
}

fn with_host_value(what: &str, input: &Schema) -> Option<wire::Plan> {
    let mut plan = identity(input);
    match what {
        "unknown-host-value" => plan.outputs[0] = wire::Expr::HostValue("host.password".to_owned()),
        "control-characters-in-host-value" => {
            plan.outputs[0] = wire::Expr::HostValue(format!("\u{1b}[2J{}", "x".repeat(1 << 16)));
        }
        "host-value-of-other-type" => {
            let field = Field::new("run", DataType::Int64, false);
            plan = columns(vec![field], vec![wire::Expr::HostValue("run.id".to_owned())]);
        }
        _ => return None,
    }
    Some(plan)
}

fn with_literal(what: &str) -> Option<wire::Plan> {
    let bytes = match what {
        "garbage-literal" => b"nonsense".to_vec(),
        "long-literal" => encoded(Int64Array::from(vec![1, 2, 3])),
        "literal-of-other-type" => encoded(StringArray::from(vec!["one"])),
        "literal" => encoded(Int64Array::from(vec![42])),
        _ => return None,
    };
    Some(literal(bytes))
}

/// Inputs that are not there, not in order, or not what the computed columns need.
fn with_inputs(what: &str, input: &Schema) -> Option<wire::Plan> {
    let inputs = |inputs| Some(wire::Plan { inputs, ..identity(input) });
    match what {
        "many-inputs" => inputs(vec![0; 10 << 20]),
        "inputs-out-of-range" => inputs(vec![9999]),
        "inputs-descending" => inputs(vec![1, 0]),
        "inputs-twice" => inputs(vec![0, 0]),
        "computed-twice" => {
            Some(integers(&["a", "b"], vec![wire::Expr::Computed(0), wire::Expr::Computed(0)]))
        }
        "computed-out-of-range" => Some(integers(&["a"], vec![wire::Expr::Computed(7)])),
        _ => None,
    }
}

fn integers(names: &[&str], outputs: Vec<wire::Expr>) -> wire::Plan {
    let fields = names.iter().map(|name| Field::new(*name, DataType::Int64, true));
    columns(fields.collect(), outputs)
}

fn for_session(what: &str, input: &Schema) -> Option<wire::Plan> {
    // Honest plans. The words with a plan of their own come first; the guards take all the others.
    Some(match what {
        "none" | "flood-log-in-plan" => identity(input),
        "huge-state" => wire::Plan { state: vec![7; 10 << 20], ..identity(input) },
        "host-values" => host_values(),
        "lowercase-text" => lowercase_text(input),
        "reject-odd-rows" | "count-rows" => wire::Plan { inputs: vec![0], ..identity(input) },
        "null-where-none-may-be" => {
            let field = Field::new("computed", DataType::Int64, false);
            let plan = columns(vec![field], vec![wire::Expr::Computed(0)]);
            wire::Plan { inputs: vec![0], ..plan }
        }
        _ if TOTALS.contains(&what) => with_total(input),
        _ if IN_SESSION.contains(&what) || IN_FINISH.contains(&what) => {
            one_computed(type_of_misdeed(what))
        }
        _ => return None,
    })
}

/// The type of the computed column that the session will get wrong.
fn type_of_misdeed(what: &str) -> DataType {
    match what {
        "text-too-long"
        | "bad-utf8"
        | "offsets-descending"
        | "offsets-past-the-end"
        | "incomplete-utf8" => DataType::Utf8,
        "decimal-too-big" => DataType::Decimal128(38, 18),
        "date-too-far" => DataType::Date32,
        "timestamp-too-early" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "binary-too-long" => DataType::Binary,
        _ => DataType::Int64,
    }
}
