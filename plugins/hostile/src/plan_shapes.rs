//! Plans from a few parts: a schema, an expression for each of its columns, the inputs.

use loader_sdk::arrow_schema::{DataType, Field, Schema, TimeUnit};
use loader_sdk::bindings::exports::loader::plugin::transform as wire;
use loader_sdk::ipc;

pub(crate) fn columns(fields: Vec<Field>, outputs: Vec<wire::Expr>) -> wire::Plan {
    wire::Plan {
        inputs: Vec::new(),
        schema: ipc::encode_schema(&Schema::new(fields)),
        outputs,
        state: Vec::new(),
    }
}

pub(crate) fn identity(input: &Schema) -> wire::Plan {
    renamed(input, |_, name| name.to_owned())
}

pub(crate) fn renamed(input: &Schema, name: impl Fn(usize, &str) -> String) -> wire::Plan {
    let fields = input.fields().iter().enumerate();
    let fields = fields
        .map(|(index, field)| field.as_ref().clone().with_name(name(index, field.name())))
        .collect();
    columns(fields, (0..input.fields().len() as u32).map(wire::Expr::Passthrough).collect())
}

/// Needs the first input column and computes one column from it.
pub(crate) fn one_computed(data_type: DataType) -> wire::Plan {
    let plan =
        columns(vec![Field::new("computed", data_type, true)], vec![wire::Expr::Computed(0)]);
    wire::Plan { inputs: vec![0], ..plan }
}

pub(crate) fn with_total(input: &Schema) -> wire::Plan {
    let fields: Vec<Field> = input.fields().iter().map(|field| field.as_ref().clone()).collect();
    let total = Field::new("total", DataType::Int64, true);
    let mut plan = identity(input);
    plan.schema = ipc::encode_schema(&Schema::new([fields, vec![total]].concat()));
    plan.outputs.push(wire::Expr::Computed(0));
    plan.inputs = vec![0];
    plan
}

pub(crate) fn with_metadata(input: &Schema) -> wire::Plan {
    // The host writes the first note itself and must not believe a plugin's. It knows no other.
    let notes = [("loader.logical", "decimal"), ("\u{1b}[2J", "\0")]
        .map(|(key, note)| (key.to_owned(), note.to_owned()));
    let fields =
        input.fields().iter().map(|field| field.as_ref().clone().with_metadata(notes.clone()));
    columns(
        fields.collect(),
        (0..input.fields().len() as u32).map(wire::Expr::Passthrough).collect(),
    )
}

pub(crate) fn cast_to(input: &Schema, data_type: DataType) -> wire::Plan {
    columns(vec![Field::new(input.field(0).name(), data_type, true)], vec![wire::Expr::Cast(0)])
}

/// A passthrough that declares another type than its input has.
pub(crate) fn changed_type(input: &Schema) -> wire::Plan {
    let field = input.field(0);
    let other =
        if field.data_type() == &DataType::Int64 { DataType::Utf8 } else { DataType::Int64 };
    columns(vec![Field::new(field.name(), other, true)], vec![wire::Expr::Passthrough(0)])
}

pub(crate) fn literal(bytes: Vec<u8>) -> wire::Plan {
    columns(vec![Field::new("constant", DataType::Int64, true)], vec![wire::Expr::Literal(bytes)])
}

pub(crate) fn host_values() -> wire::Plan {
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

pub(crate) fn lowercase_text(input: &Schema) -> wire::Plan {
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
