//! Misdeeds of `make-plan`, and the plans of the others: what is wrong in a session needs a plan
//! that is right.

use std::sync::Arc;

use loader_sdk::arrow_array::{ArrayRef, Int64Array, StringArray};
use loader_sdk::arrow_schema::{DataType, Field, Schema, TimeUnit};
use loader_sdk::ipc;

use crate::words::{HONEST, IN_FINISH, IN_SESSION, TOTALS};
use crate::{refusal, spin, wire};

pub(crate) fn make(what: &str, input: &Schema) -> Result<wire::Plan, wire::Error> {
    let mut plan = identity(input);
    match what {
        "none" => {}
        "loop-in-plan" => spin(),
        "panic-in-plan" => panic!("asked to panic in make-plan"),
        "refuse-plan" => return Err(refusal("refused", "asked to refuse the plan")),
        "refuse-plan-at-length" => return Err(refusal("refused", &"very ".repeat(1 << 20))),
        "refuse-plan-with-control-characters" => {
            return Err(refusal("re\u{1b}[31mfused", "line one\nline\u{7} two\u{1b}[2J"));
        }
        "refuse-plan-without-code" => return Err(refusal("", "")),
        "flood-log-in-plan" => crate::sessions::flood_log(),
        "allocate-in-plan" => crate::sessions::allocate_forever(),
        "huge-state" => plan.state = vec![7; 10 << 20],
        "garbage-schema" => plan.schema = b"this is not a schema".to_vec(),
        "trailing-schema-bytes" => plan.schema.extend_from_slice(&[0; 8]),
        "no-columns" => plan = columns(Vec::new(), Vec::new()),
        "duplicate-names" => plan = renamed(input, |_, _| "Same".to_owned()),
        "duplicate-names-by-case" => {
            plan =
                renamed(input, |index, _| if index % 2 == 0 { "same" } else { "SAME" }.to_owned())
        }
        "empty-name" => plan = renamed(input, |_, _| String::new()),
        "long-name" => plan = renamed(input, |_, name| name.repeat(200)),
        "control-character-in-name" => {
            plan = renamed(input, |_, name| format!("{name}\u{1b}[2J\n"))
        }
        "nul-in-name" => plan = renamed(input, |_, name| format!("{name}\0")),
        "direction-mark-in-name" => {
            plan = renamed(input, |_, name| format!("{name}\u{202e}gpj.exe"))
        }
        "name-of-the-host" => {
            plan = renamed(input, |index, _| format!("_LOADER_ROW{}", &"1234"[..index]))
        }
        "quote-in-name" => plan = renamed(input, |_, name| format!("{name}\"; DROP TABLE t; --")),
        "many-columns" => {
            let fields = (0..5000)
                .map(|index| Field::new(format!("c{index}"), DataType::Int64, true))
                .collect();
            plan = columns(fields, vec![wire::Expr::HostValue("source.row".to_owned()); 5000]);
        }
        "unknown-type" => {
            let nested = DataType::List(Arc::new(Field::new("item", DataType::Int64, true)));
            plan = columns(vec![Field::new("nested", nested, true)], vec![wire::Expr::Computed(0)]);
        }
        "nested-type-with-control-characters" => {
            let item = Field::new("\u{1b}[2J\n".repeat(100), DataType::Int64, true);
            plan = columns(
                vec![Field::new("nested", DataType::List(Arc::new(item)), true)],
                vec![wire::Expr::Computed(0)],
            );
        }
        "dictionary-type" => {
            plan = one_computed(DataType::Dictionary(
                Box::new(DataType::Int32),
                Box::new(DataType::Utf8),
            ))
        }
        "other-time-zone" => {
            plan = one_computed(DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())))
        }
        "made-up-metadata" => plan = with_metadata(input),
        "batch-for-a-schema" => plan.schema = encoded(1, Arc::new(Int64Array::from(vec![1]))),
        "bad-decimal-type" => plan = one_computed(DataType::Decimal128(38, -3)),
        "fewer-exprs" => drop(plan.outputs.pop()),
        "more-exprs" => plan.outputs.push(wire::Expr::Passthrough(0)),
        "expr-out-of-range" => plan.outputs[0] = wire::Expr::Passthrough(9999),
        "cast-out-of-range" => plan.outputs[0] = wire::Expr::Cast(9999),
        "impossible-cast" => plan = cast_to(input, DataType::Binary),
        "changed-type" => plan = changed_type(input),
        "control-characters-in-host-value" => {
            plan.outputs[0] = wire::Expr::HostValue(format!("\u{1b}[2J{}", "x".repeat(1 << 16)))
        }
        "unknown-host-value" => plan.outputs[0] = wire::Expr::HostValue("host.password".to_owned()),
        "host-value-of-other-type" => {
            let field = Field::new("run", DataType::Int64, false);
            plan = columns(vec![field], vec![wire::Expr::HostValue("run.id".to_owned())]);
        }
        "garbage-literal" => plan = literal(b"nonsense".to_vec()),
        "long-literal" => plan = literal(encoded(3, Arc::new(Int64Array::from(vec![1, 2, 3])))),
        "literal-of-other-type" => {
            plan = literal(encoded(1, Arc::new(StringArray::from(vec!["one"]))))
        }
        "literal" => plan = literal(encoded(1, Arc::new(Int64Array::from(vec![42])))),
        "many-inputs" => plan.inputs = vec![0; 10 << 20],
        "many-outputs" => plan.outputs = vec![wire::Expr::Passthrough(0); 1 << 20],
        "inputs-out-of-range" => plan.inputs = vec![9999],
        "inputs-descending" => plan.inputs = vec![1, 0],
        "inputs-twice" => plan.inputs = vec![0, 0],
        "computed-twice" => {
            let fields = ["a", "b"].map(|name| Field::new(name, DataType::Int64, true)).to_vec();
            plan = columns(fields, vec![wire::Expr::Computed(0), wire::Expr::Computed(0)]);
        }
        "computed-out-of-range" => {
            plan =
                columns(vec![Field::new("a", DataType::Int64, true)], vec![wire::Expr::Computed(7)])
        }
        "host-values" => plan = host_values(),
        _ if TOTALS.contains(&what) => plan = with_total(input),
        "lowercase-text" => plan = lowercase_text(input),
        "reject-odd-rows" | "count-rows" => plan.inputs = vec![0],
        "text-too-long"
        | "bad-utf8"
        | "offsets-descending"
        | "offsets-past-the-end"
        | "incomplete-utf8" => plan = one_computed(DataType::Utf8),
        "decimal-too-big" => plan = one_computed(DataType::Decimal128(38, 18)),
        "date-too-far" => plan = one_computed(DataType::Date32),
        "timestamp-too-early" => {
            plan = one_computed(DataType::Timestamp(TimeUnit::Microsecond, None))
        }
        "binary-too-long" => plan = one_computed(DataType::Binary),
        "null-where-none-may-be" => {
            plan = columns(
                vec![Field::new("computed", DataType::Int64, false)],
                vec![wire::Expr::Computed(0)],
            );
            plan.inputs = vec![0];
        }
        _ if IN_SESSION.contains(&what) || IN_FINISH.contains(&what) => {
            plan = one_computed(DataType::Int64)
        }
        _ => return Err(refusal("bad-config", &unknown(what))),
    }
    if IN_SESSION.contains(&what)
        || TOTALS.contains(&what)
        || IN_FINISH.contains(&what)
        || HONEST.contains(&what)
    {
        plan.state = what.as_bytes().to_vec();
    }
    Ok(plan)
}

fn unknown(what: &str) -> String {
    format!(
        "config: \"do\" is {what:?}, which this plugin cannot do; see plugins/hostile/src/words.rs"
    )
}

fn columns(fields: Vec<Field>, outputs: Vec<wire::Expr>) -> wire::Plan {
    wire::Plan {
        inputs: Vec::new(),
        schema: ipc::encode_schema(&Schema::new(fields)),
        outputs,
        state: Vec::new(),
    }
}

fn identity(input: &Schema) -> wire::Plan {
    renamed(input, |_, name| name.to_owned())
}

fn renamed(input: &Schema, name: impl Fn(usize, &str) -> String) -> wire::Plan {
    let fields = input.fields().iter().enumerate();
    let fields = fields
        .map(|(index, field)| field.as_ref().clone().with_name(name(index, field.name())))
        .collect();
    columns(fields, (0..input.fields().len() as u32).map(wire::Expr::Passthrough).collect())
}

/// Needs the first input column and computes one of its own.
fn one_computed(data_type: DataType) -> wire::Plan {
    let plan =
        columns(vec![Field::new("computed", data_type, true)], vec![wire::Expr::Computed(0)]);
    wire::Plan { inputs: vec![0], ..plan }
}

fn with_total(input: &Schema) -> wire::Plan {
    let fields: Vec<Field> = input.fields().iter().map(|field| field.as_ref().clone()).collect();
    let total = Field::new("total", DataType::Int64, true);
    let mut plan = identity(input);
    plan.schema = ipc::encode_schema(&Schema::new([fields, vec![total]].concat()));
    plan.outputs.push(wire::Expr::Computed(0));
    plan.inputs = vec![0];
    plan
}

/// The host's own notes on a column, and other people's, that nobody asked for.
fn with_metadata(input: &Schema) -> wire::Plan {
    let notes = [("loader.logical", "decimal"), ("\u{1b}[2J", "\0")]
        .map(|(key, note)| (key.to_owned(), note.to_owned()));
    let fields =
        input.fields().iter().map(|field| field.as_ref().clone().with_metadata(notes.clone()));
    columns(
        fields.collect(),
        (0..input.fields().len() as u32).map(wire::Expr::Passthrough).collect(),
    )
}

fn cast_to(input: &Schema, data_type: DataType) -> wire::Plan {
    columns(vec![Field::new(input.field(0).name(), data_type, true)], vec![wire::Expr::Cast(0)])
}

/// A passthrough that declares another type than its input has.
fn changed_type(input: &Schema) -> wire::Plan {
    let field = input.field(0);
    let other =
        if field.data_type() == &DataType::Int64 { DataType::Utf8 } else { DataType::Int64 };
    columns(vec![Field::new(field.name(), other, true)], vec![wire::Expr::Passthrough(0)])
}

fn literal(bytes: Vec<u8>) -> wire::Plan {
    columns(vec![Field::new("constant", DataType::Int64, true)], vec![wire::Expr::Literal(bytes)])
}

fn encoded(rows: usize, array: ArrayRef) -> Vec<u8> {
    ipc::encode_columns(rows, &[array]).unwrap_or_default()
}

fn host_values() -> wire::Plan {
    let values = [
        ("run.started-at", DataType::Timestamp(TimeUnit::Microsecond, None)),
        ("run.id", DataType::Utf8),
        ("source.file-name", DataType::Utf8),
        ("source.uri", DataType::Utf8),
        ("source.row", DataType::Int64),
    ];
    let fields = values
        .iter()
        .map(|(key, data_type)| Field::new(key.replace(['.', '-'], "_"), data_type.clone(), false));
    columns(
        fields.collect(),
        values.iter().map(|(key, _)| wire::Expr::HostValue((*key).to_owned())).collect(),
    )
}

fn lowercase_text(input: &Schema) -> wire::Plan {
    let mut plan = identity(input);
    for (index, field) in input.fields().iter().enumerate() {
        if field.data_type() == &DataType::Utf8 && field.metadata().get("loader.logical").is_none()
        {
            plan.outputs[index] = wire::Expr::Computed(plan.inputs.len() as u32);
            plan.inputs.push(index as u32);
        }
    }
    plan
}
