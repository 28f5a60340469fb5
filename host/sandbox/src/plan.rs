//! A plugin's plan: where each output column comes from. It is made once for a load and shared by
//! all workers.
//!
//! Only [`Plan::check`] makes a plan. So the indexes of every plan are in range, its types agree
//! with the input's, and each computed column is used exactly once.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::{Field, Schema, SchemaRef};
use loader_ipc::untrusted::{self, BatchLimits, SchemaLimits};

use crate::bindings::exports::loader::plugin::transform;
use crate::cast::can_cast;
use crate::error::{PluginError, tame};
use crate::host_values::HostValue;
use crate::limits::{Limits, size};
use crate::raw_plan::RawPlan;

/// The facts that a plan may depend on, beside the input schema.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanContext {
    /// The name of the target table.
    pub table: String,
    /// The merge keys, as columns of the target; empty when rows are appended.
    pub keys: Vec<String>,
    /// The target table's columns; `None` when it does not exist yet.
    pub target: Option<SchemaRef>,
    /// The plugin's own settings, as the user wrote them; null stands for no settings, `{}`.
    pub config: serde_json::Value,
}

/// Where an output column comes from.
#[derive(Clone, Debug)]
pub enum Expr {
    /// This input column, unchanged.
    Passthrough(usize),
    /// This input column, cast by the host. A value that cannot be cast exactly rejects its row.
    Cast(usize),
    /// A constant, as an array of one row.
    Literal(ArrayRef),
    /// A value of the host, such as the run's id.
    HostValue(HostValue),
    /// This column of the batch that `process` returns.
    Computed(usize),
}

/// A checked plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The input columns that cross into the sandbox, ascending.
    pub inputs: Vec<usize>,
    /// All output columns. A column that is passed through keeps the metadata and nullability of
    /// its input.
    pub schema: SchemaRef,
    /// Where each output column comes from.
    pub outputs: Vec<Expr>,
    pub(crate) state: Vec<u8>,
    pub(crate) computed: SchemaRef,
    /// The plan as the guest gave it, for other processes that check it again.
    pub(crate) raw: Arc<RawPlan>,
}

impl Plan {
    /// Checks a guest's plan against the input schema.
    pub(crate) fn check(
        plan: transform::Plan,
        input: &SchemaRef,
        limits: &Limits,
    ) -> Result<Plan, PluginError> {
        check_state(&plan.state, limits)?;
        let raw = Arc::new(RawPlan::of(&plan));
        let inputs = check_inputs(&plan.inputs, input)?;
        let declared = check_schema(&plan.schema, plan.outputs.len(), limits)?;
        let mut fields = Vec::with_capacity(plan.outputs.len());
        let mut outputs = Vec::with_capacity(plan.outputs.len());
        for (field, expr) in declared.fields().iter().zip(plan.outputs) {
            let (field, expr) = check_output(field, expr, input)
                .map_err(|error| error.for_column(Some(field.name().clone())))?;
            fields.push(field);
            outputs.push(expr);
        }
        let computed = computed_fields(&fields, &outputs)?;
        let schema = Arc::new(Schema::new(fields));
        Ok(Plan { inputs, schema, outputs, state: plan.state, computed, raw })
    }

    /// Whether rows cross into the sandbox; otherwise the plugin is not even instantiated.
    // A plugin with inputs and without computed columns still has work: it may reject rows.
    pub(crate) fn needs_process(&self) -> bool {
        !self.inputs.is_empty() || !self.computed.fields().is_empty()
    }
}

fn check_state(state: &[u8], limits: &Limits) -> Result<(), PluginError> {
    if state.len() <= limits.state_bytes {
        return Ok(());
    }
    let (has, allowed) = (size(state.len()), size(limits.state_bytes));
    let fact = format!("the plan's state has {has}, more than state_bytes = {allowed}");
    Err(PluginError::limit(fact))
}

fn check_inputs(inputs: &[u32], input: &Schema) -> Result<Vec<usize>, PluginError> {
    if let Some(pair) = inputs.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(PluginError::protocol(format!(
            "the plan's inputs are not ascending: {} comes before {}",
            pair[0], pair[1]
        )));
    }
    inputs.iter().map(|index| column(*index, input)).collect()
}

fn column(index: u32, input: &Schema) -> Result<usize, PluginError> {
    let columns = input.fields().len();
    match usize::try_from(index) {
        Ok(index) if index < columns => Ok(index),
        _ => Err(PluginError::protocol(format!(
            "the plan names input column {index} of {columns}, counted from 0"
        ))),
    }
}

/// The schema that the plan declares, which must have a column for each output.
fn check_schema(bytes: &[u8], n_outputs: usize, limits: &Limits) -> Result<Schema, PluginError> {
    let schema_limits = SchemaLimits { max_columns: limits.columns, ..SchemaLimits::default() };
    let declared = untrusted::check_schema(bytes, &schema_limits)
        .map_err(|violation| PluginError::protocol(format!("the plan's schema: {violation}")))?;
    match declared.fields().len() {
        n_columns if n_columns == n_outputs => Ok(declared),
        n_columns => Err(PluginError::protocol(format!(
            "the plan has {n_columns} columns in its schema and {n_outputs} outputs"
        ))),
    }
}

/// Checks an output column; returns its field, and where its values come from.
// Only `Computed` is not checked against a range here: how many columns the plugin computes is
// known once all outputs are counted, in `computed_fields`.
fn check_output(
    declared: &Field,
    expr: transform::Expr,
    input: &Schema,
) -> Result<(Field, Expr), PluginError> {
    match expr {
        transform::Expr::Passthrough(index) => check_passthrough(declared, index, input),
        transform::Expr::Cast(index) => check_cast(declared, index, input),
        transform::Expr::Literal(bytes) => check_literal(declared, bytes),
        transform::Expr::HostValue(key) => check_host_value(declared, &key),
        transform::Expr::Computed(index) => {
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            Ok((declared.clone(), Expr::Computed(index)))
        }
    }
}

fn check_passthrough(
    declared: &Field,
    index: u32,
    input: &Schema,
) -> Result<(Field, Expr), PluginError> {
    let index = column(index, input)?;
    let (from, to) = (input.field(index), declared.data_type());
    if from.data_type() != to {
        return Err(PluginError::protocol(format!(
            "input column {:?} is {}, but the plan passes it through as {to}; a cast would change \
             it",
            from.name(),
            from.data_type()
        )));
    }
    Ok((from.clone().with_name(declared.name()), Expr::Passthrough(index)))
}

fn check_cast(declared: &Field, index: u32, input: &Schema) -> Result<(Field, Expr), PluginError> {
    let index = column(index, input)?;
    let (from, to) = (input.field(index), declared.data_type());
    if !can_cast(from.data_type(), to) {
        return Err(PluginError::protocol(format!(
            "input column {:?} is {}, which the host does not cast to {to}",
            from.name(),
            from.data_type()
        )));
    }
    Ok((Field::new(declared.name(), to.clone(), from.is_nullable()), Expr::Cast(index)))
}

// The literal is decoded as nullable, since NULL is a fine constant. Whether the output column is
// nullable then follows from the value.
fn check_literal(declared: &Field, bytes: Vec<u8>) -> Result<(Field, Expr), PluginError> {
    let field = |nullable| Field::new(declared.name(), declared.data_type().clone(), nullable);
    let schema = Arc::new(Schema::new(vec![field(true)]));
    let batch = untrusted::check_batch(bytes, &schema, 1, &BatchLimits::default())
        .map_err(|violation| PluginError::protocol(format!("the plan's literal: {violation}")))?;
    let value = Arc::clone(batch.column(0));
    Ok((field(value.null_count() > 0), Expr::Literal(value)))
}

fn check_host_value(declared: &Field, key: &str) -> Result<(Field, Expr), PluginError> {
    let value = HostValue::from_key(key).ok_or_else(|| unknown_host_value(key))?;
    let (is, to) = (value.data_type(), declared.data_type());
    if is != *to {
        let fact = format!("host value {key:?} is {is}, but the plan declares {to}");
        return Err(PluginError::protocol(fact));
    }
    Ok((Field::new(declared.name(), is, false), Expr::HostValue(value)))
}

fn unknown_host_value(key: &str) -> PluginError {
    let known = HostValue::ALL.map(HostValue::key).join(", ");
    PluginError::protocol(format!("the host has no value {:?}; it has {known}", tame(key, 64)))
}

/// The schema of the batch that `process` returns: the computed columns 0, 1, 2 and so on, each
/// used exactly once.
// With n uses there are n slots. An index past them is refused, and so is a slot that is filled
// twice; then all n slots are full, and no index is missing. (For example, columns 0 and 2 are
// refused: two uses have the slots 0 and 1.)
fn computed_fields(fields: &[Field], outputs: &[Expr]) -> Result<SchemaRef, PluginError> {
    let used = outputs.iter().zip(fields).filter_map(|(expr, field)| match expr {
        Expr::Computed(index) => Some((*index, field)),
        Expr::Passthrough(_) | Expr::Cast(_) | Expr::Literal(_) | Expr::HostValue(_) => None,
    });
    let used: Vec<(usize, &Field)> = used.collect();
    let mut computed = vec![None; used.len()];
    for (index, field) in &used {
        let refused = match computed.get_mut(*index) {
            Some(slot) if slot.is_none() => {
                *slot = Some((*field).clone());
                continue;
            }
            Some(_) => format!("the plan uses computed column {index} twice"),
            None => format!(
                "the plan uses computed column {index}, but computes {}, counted from 0",
                used.len()
            ),
        };
        return Err(PluginError::protocol(refused).for_column(Some(field.name().clone())));
    }
    Ok(Arc::new(Schema::new(computed.into_iter().flatten().collect::<Vec<_>>())))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use arrow_array::{Int64Array, RecordBatch};
    use arrow_schema::DataType;
    use transform::Expr as E;

    use super::*;

    fn input() -> SchemaRef {
        let logical = HashMap::from([("loader.logical".to_owned(), "decimal".to_owned())]);
        Arc::new(Schema::new(vec![
            Field::new("Id", DataType::Int64, false),
            Field::new("Amount", DataType::Utf8, true).with_metadata(logical),
        ]))
    }

    fn check(inputs: &[u32], outputs: Vec<(&str, DataType, E)>) -> Result<Plan, PluginError> {
        let fields: Vec<Field> = outputs
            .iter()
            .map(|(name, data_type, _)| Field::new(*name, data_type.clone(), true))
            .collect();
        let plan = transform::Plan {
            inputs: inputs.to_vec(),
            schema: loader_ipc::encode_schema(&Schema::new(fields)),
            outputs: outputs.into_iter().map(|(_, _, expr)| expr).collect(),
            state: vec![7],
        };
        Plan::check(plan, &input(), &Limits::default())
    }

    fn refusal(inputs: &[u32], outputs: Vec<(&str, DataType, E)>) -> String {
        check(inputs, outputs).expect_err("is refused").to_string()
    }

    fn literal(value: i64) -> Vec<u8> {
        let schema = Arc::new(Schema::new(vec![Field::new("x", DataType::Int64, true)]));
        let batch =
            RecordBatch::try_new(schema, vec![Arc::new(Int64Array::from(vec![value]))]).unwrap();
        loader_ipc::encode_batch(&batch).unwrap()
    }

    #[test]
    fn a_sound_plan_keeps_the_metadata_of_what_is_passed_through() {
        let plan = check(
            &[1],
            vec![
                ("amount", DataType::Utf8, E::Passthrough(1)),
                ("d", DataType::Decimal128(38, 18), E::Cast(1)),
                ("one", DataType::Int64, E::Literal(literal(1))),
                ("row", DataType::Int64, E::HostValue("source.row".into())),
                ("b", DataType::Int32, E::Computed(1)),
                ("a", DataType::Utf8, E::Computed(0)),
            ],
        )
        .unwrap();
        assert_eq!(
            plan.schema.field(0).metadata().get("loader.logical").map(String::as_str),
            Some("decimal")
        );
        assert_eq!(plan.schema.field(0).name(), "amount");
        let nullable: Vec<bool> =
            plan.schema.fields().iter().map(|field| field.is_nullable()).collect();
        assert_eq!(nullable, [true, true, false, false, true, true]);
        let computed: Vec<&str> =
            plan.computed.fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(computed, ["a", "b"]);
        assert!(plan.needs_process());
    }

    #[test]
    fn a_plan_without_own_work_needs_no_process() {
        let plan = check(&[], vec![("id", DataType::Int64, E::Passthrough(0))]).unwrap();
        assert!(!plan.needs_process());
    }

    #[test]
    fn each_flaw_of_a_plan_has_its_message() {
        let id = || ("id", DataType::Int64, E::Passthrough(0));
        let one = |data_type, expr| vec![("x", data_type, expr)];
        insta::assert_snapshot!(refusal(&[1, 0], vec![id()]), @"the plan's inputs are not ascending: 1 comes before 0; this is a mistake in the plugin: report it to its author");
        insta::assert_snapshot!(refusal(&[2], vec![id()]), @"the plan names input column 2 of 2, counted from 0; this is a mistake in the plugin: report it to its author");
        insta::assert_snapshot!(refusal(&[], one(DataType::Int64, E::Passthrough(2))), @r#"column "x": the plan names input column 2 of 2, counted from 0; this is a mistake in the plugin: report it to its author"#);
        insta::assert_snapshot!(refusal(&[], one(DataType::Int32, E::Passthrough(0))), @r#"column "x": input column "Id" is Int64, but the plan passes it through as Int32; a cast would change it; this is a mistake in the plugin: report it to its author"#);
        insta::assert_snapshot!(refusal(&[], one(DataType::Boolean, E::Cast(0))), @r#"column "x": input column "Id" is Int64, which the host does not cast to Boolean; this is a mistake in the plugin: report it to its author"#);
        insta::assert_snapshot!(refusal(&[], one(DataType::Utf8, E::Literal(literal(1)))), @r#"column "x": the plan's literal: record batch has 2 buffers; its columns need 3; this is a mistake in the plugin: report it to its author"#);
        insta::assert_snapshot!(refusal(&[], one(DataType::Int64, E::HostValue("env.HOME".into()))), @r#"column "x": the host has no value "env.HOME"; it has run.started-at, run.id, source.file-name, source.uri, source.row; this is a mistake in the plugin: report it to its author"#);
        insta::assert_snapshot!(refusal(&[], one(DataType::Int64, E::HostValue("run.id".into()))), @r#"column "x": host value "run.id" is Utf8, but the plan declares Int64; this is a mistake in the plugin: report it to its author"#);
        insta::assert_snapshot!(refusal(&[], one(DataType::Int64, E::Computed(1))), @r#"column "x": the plan uses computed column 1, but computes 1, counted from 0; this is a mistake in the plugin: report it to its author"#);
        let twice =
            vec![("x", DataType::Int64, E::Computed(0)), ("y", DataType::Int64, E::Computed(0))];
        insta::assert_snapshot!(refusal(&[], twice), @r#"column "y": the plan uses computed column 0 twice; this is a mistake in the plugin: report it to its author"#);
        let same_name =
            vec![("x", DataType::Int64, E::Computed(0)), ("X", DataType::Int64, E::Computed(1))];
        insta::assert_snapshot!(refusal(&[], same_name), @r#"the plan's schema: columns 1 and 2 are both named "X", case aside; this is a mistake in the plugin: report it to its author"#);
    }
}
