//! The plan: where each output column comes from.

use std::sync::Arc;

use loader_names::{Columns, Reserved};
use loader_sdk::arrow_schema::{DataType, Field, Schema};
use loader_sdk::{Context, Error, HostValue, Plan};

use crate::config::{Config, DecimalType};
use crate::{decimals, names};

/// The most columns that a Redshift table can have.
const MAX_COLUMNS: usize = 1600;

/// What becomes of one input column.
enum Treatment {
    /// The host passes it through.
    Keep,
    /// The host casts it.
    Cast(DataType),
    /// The plugin computes a DECIMAL of this precision and scale.
    Decimal(u8, u8),
}

pub(crate) fn make(context: &Context, config: &Config, input: &Schema) -> Result<Plan, Error> {
    let headers: Vec<&str> = input.fields().iter().map(|field| field.name().as_str()).collect();
    let metadata = metadata(config);
    refuse_same_names(&metadata)?;
    check_count(headers.len(), metadata.len())?;
    let target = context.target.as_ref().map(Target::new);
    let names = {
        let owners: Vec<String> = metadata.iter().map(|(key, ..)| owner(key)).collect();
        let taken = metadata.iter().zip(&owners);
        let taken = taken.map(|((_, name, _), owner)| Reserved { name, owner }).collect::<Vec<_>>();
        let columns = target.as_ref().map(|target| &target.columns);
        names::of_headers(&headers, config.names, columns, &taken)?
    };

    let mut plan = Plan::new(input);
    let treatments = treatments(context, config, input, &names, target.as_ref());
    add_columns(&mut plan, &names, treatments);
    for (_, name, value) in metadata {
        plan.host_value(name, value);
    }
    Ok(plan)
}

/// Adds a column for each input column, and leaves the types of the decimals to the sessions.
// `computed` numbers its columns in the order of these calls, and `types` is filled in the same
// order. The sessions rely on it: pair n of the state belongs to their input n.
fn add_columns(plan: &mut Plan, names: &[String], treatments: Vec<Treatment>) {
    let mut types = Vec::new();
    for (index, (name, treatment)) in names.iter().zip(treatments).enumerate() {
        match treatment {
            Treatment::Keep => plan.passthrough(index, name),
            Treatment::Cast(to) => plan.cast(index, name, to),
            Treatment::Decimal(precision, scale) => {
                types.push((precision, scale));
                plan.computed(name, DataType::Decimal128(precision, scale as i8), &[index]);
            }
        }
    }
    plan.state = decimals::state(&types);
}

fn treatments(
    context: &Context,
    config: &Config,
    input: &Schema,
    names: &[String],
    target: Option<&Target<'_>>,
) -> Vec<Treatment> {
    // The user may name a key as the header spells it or by its clean name; cleaning a clean name
    // changes nothing.
    let keys: Vec<String> = context.keys.iter().map(|key| config.names.name(key)).collect();
    let columns = input.fields().iter().zip(names);
    let treatment = |(field, name): (&Arc<Field>, &String)| match Numbers::of(field) {
        Some(numbers) => {
            let type_there = target.and_then(|target| target.type_of(name, field.name()));
            of_numbers(numbers, type_there, keys.contains(name), config)
        }
        None => Treatment::Keep,
    };
    columns.map(treatment).collect()
}

/// Numbers that travel as text, such as `19.99` or `1e3`. All other columns have the type already
/// that they are loaded with.
#[derive(Clone, Copy)]
enum Numbers {
    /// The DECIMAL that holds them. `None`: the host has not said which.
    Decimal(Option<DecimalType>),
    /// The DECIMAL that the settings of the load give this column, which goes before the config.
    Given(DecimalType),
    /// A DECIMAL would lose what some of them say.
    Double,
}

impl Numbers {
    // The host notes the kind of number in the field's metadata and sends the text itself, as a
    // float would have lost digits. An earlier plugin may have made a number of it; then nothing is
    // to do.
    fn of(field: &Field) -> Option<Numbers> {
        if field.data_type() != &DataType::Utf8 {
            return None;
        }
        match field.metadata().get("loader.logical").map(String::as_str) {
            Some("decimal") => {
                let decimal = field.metadata().get("loader.decimal");
                let decimal = decimal.and_then(|text| DecimalType::parse(text));
                let is_given = field.metadata().contains_key("loader.given");
                Some(match decimal.filter(|_| is_given) {
                    Some(given) => Numbers::Given(given),
                    None => Numbers::Decimal(decimal),
                })
            }
            Some("double") => Some(Numbers::Double),
            _ => None,
        }
    }
}

/// What becomes of numbers: the type that the target's column has. Without a target, that of the
/// config, unless the host knows better: keys and long whole numbers must stay exact, and some
/// numbers only a float holds.
// A VARCHAR gets the text as the file has it: `1.50` stays `1.50`. A type that cannot hold numbers,
// such as DATE, counts as no target: the host decides whether the table may be changed. (`max(0)`:
// Arrow allows a negative scale.)
fn of_numbers(
    numbers: Numbers,
    target: Option<&DataType>,
    is_key: bool,
    config: &Config,
) -> Treatment {
    match target {
        Some(&DataType::Decimal128(precision, scale)) => {
            return Treatment::Decimal(precision, scale.max(0) as u8);
        }
        Some(DataType::Utf8) => return Treatment::Keep,
        Some(number) if number.is_integer() || number.is_floating() => {
            return Treatment::Cast(number.clone());
        }
        Some(_) | None => {}
    }
    let chosen = config.decimal;
    match numbers {
        Numbers::Double => Treatment::Cast(DataType::Float64),
        Numbers::Given(DecimalType { precision, scale }) => Treatment::Decimal(precision, scale),
        Numbers::Decimal(Some(held)) if is_key || held.scale == 0 || chosen.is_none() => {
            Treatment::Decimal(held.precision, held.scale)
        }
        Numbers::Decimal(_) => {
            let DecimalType { precision, scale } = chosen.unwrap_or(DecimalType::WIDEST);
            Treatment::Decimal(precision, scale)
        }
    }
}

/// The target's columns, found as the host finds them.
struct Target<'a> {
    schema: &'a Schema,
    columns: Columns,
}

impl<'a> Target<'a> {
    fn new(schema: &'a Schema) -> Target<'a> {
        let names = schema.fields().iter().map(|field| field.name().as_str());
        Target { schema, columns: Columns::new(names) }
    }

    fn type_of(&self, name: &str, header: &str) -> Option<&'a DataType> {
        self.columns.find(name, header).place().map(|place| self.schema.field(place).data_type())
    }
}

/// The metadata columns that the config asks for: config key, name, value.
fn metadata(config: &Config) -> Vec<(&'static str, &str, HostValue)> {
    let columns = [
        ("run_date", &config.run_date, HostValue::RunStartedAt),
        ("file_name", &config.file_name, HostValue::SourceFileName),
    ];
    let asked_for = columns.into_iter().filter(|_| config.metadata);
    asked_for.filter_map(|(key, name, value)| Some((key, name.as_deref()?, value))).collect()
}

/// Whose the name of a metadata column is, and how a file can have a column of that name all the
/// same.
fn owner(key: &str) -> String {
    format!(
        "the column that this plugin adds (\"{key}\": \"another_name\" in its config renames that \
         one, \"{key}\": null leaves it out)"
    )
}

fn refuse_same_names(columns: &[(&str, &str, HostValue)]) -> Result<(), Error> {
    match columns {
        [(first_key, first, _), (second_key, second, _)] if first == second => {
            let message = format!("config: {first_key} and {second_key} are both {first:?}");
            Err(Error::new("bad-config", message))
        }
        _ => Ok(()),
    }
}

fn check_count(columns: usize, metadata: usize) -> Result<(), Error> {
    if columns + metadata > MAX_COLUMNS {
        let message = format!(
            "the file has {columns} columns and {metadata} metadata columns are added; a Redshift \
             table has at most {MAX_COLUMNS}; split the file"
        );
        return Err(Error::new("too-many-columns", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::fmt::Write;

    use loader_sdk::Expr;

    use super::*;

    fn text(name: &str, logical: &str) -> Field {
        let metadata = HashMap::from([("loader.logical".to_owned(), logical.to_owned())]);
        Field::new(name, DataType::Utf8, true).with_metadata(metadata)
    }

    fn lineitem() -> Schema {
        Schema::new(vec![
            Field::new("L OrderKey", DataType::Int64, true),
            text("Price", "decimal"),
            text("Ratio", "double"),
            Field::new("Comment", DataType::Utf8, true),
        ])
    }

    fn check(context: &Context, input: &Schema) -> String {
        let config = match Config::read(context) {
            Ok(config) => config,
            Err(error) => return format!("{}: {}", error.code, error.message),
        };
        match make(context, &config, input) {
            Err(error) => format!("{}: {}", error.code, error.message),
            Ok(plan) => plan.columns().iter().fold(String::new(), |mut lines, column| {
                let from = match &column.expr {
                    Expr::Passthrough(index) => format!("column {index}"),
                    Expr::Cast(index) => format!("cast of column {index}"),
                    Expr::HostValue(value) => value.key().to_owned(),
                    Expr::Computed(index) => {
                        format!("computed {index} of column {}", plan.inputs()[*index])
                    }
                    other => format!("{other:?}"),
                };
                let _ = writeln!(
                    lines,
                    "{} {} = {from}",
                    column.field.name(),
                    column.field.data_type()
                );
                lines
            }),
        }
    }

    fn config(config: &str) -> Context {
        Context { config: config.to_owned(), ..Context::default() }
    }

    #[test]
    fn a_new_table_gets_decimals_and_metadata() {
        insta::assert_snapshot!(check(&Context::default(), &lineitem()), @"
        l_orderkey Int64 = column 0
        price Decimal128(38, 18) = computed 0 of column 1
        ratio Float64 = cast of column 2
        comment Utf8 = column 3
        run_date Timestamp(µs) = run.started-at
        file_name Utf8 = source.file-name
        ");
    }

    #[test]
    fn the_host_says_which_decimal_holds_the_numbers() {
        let held = |name: &str, decimal: &str| {
            let mut metadata = text(name, "decimal").metadata().clone();
            metadata.insert("loader.decimal".to_owned(), decimal.to_owned());
            text(name, "decimal").with_metadata(metadata)
        };
        let input = Schema::new(vec![held("Id", "38,0"), held("Key", "38,19"), held("n", "38,16")]);
        let context = Context { keys: vec!["Key".to_owned()], ..config(r#"{"metadata": false}"#) };
        insta::assert_snapshot!(check(&context, &input), @"
        id Decimal128(38, 0) = computed 0 of column 0
        key Decimal128(38, 19) = computed 1 of column 1
        n Decimal128(38, 16) = computed 2 of column 2
        ");
        // What the settings of the load give to a column goes before all.
        let given = |name: &str, decimal: &str| {
            let mut metadata = held(name, decimal).metadata().clone();
            metadata.insert("loader.given".to_owned(), "true".to_owned());
            text(name, "decimal").with_metadata(metadata)
        };
        let chosen = r#"{"metadata": false, "decimal": {"precision": 18, "scale": 4}}"#;
        let both = Context { config: chosen.to_owned(), ..config("") };
        insta::assert_snapshot!(check(&both, &Schema::new(vec![given("a", "9,2"), held("b", "38,18")])), @"
        a Decimal128(9, 2) = computed 0 of column 0
        b Decimal128(18, 4) = computed 1 of column 1
        ");
        // The config decides on fractions of columns that are no keys.
        let chosen = r#"{"metadata": false, "decimal": {"precision": 18, "scale": 4}}"#;
        let context = Context { config: chosen.to_owned(), ..context };
        insta::assert_snapshot!(check(&context, &input), @"
        id Decimal128(38, 0) = computed 0 of column 0
        key Decimal128(38, 19) = computed 1 of column 1
        n Decimal128(18, 4) = computed 2 of column 2
        ");
    }

    #[test]
    fn an_existing_table_says_what_numbers_become() {
        let input = Schema::new(
            ["a", "b", "c", "d", "e", "f", "g"].map(|name| text(name, "decimal")).to_vec(),
        );
        let target = Schema::new(vec![
            Field::new("a", DataType::Decimal128(12, 2), true),
            Field::new("b", DataType::Utf8, true),
            Field::new("c", DataType::Float64, true),
            Field::new("d", DataType::Float32, true),
            Field::new("e", DataType::Int32, true),
            Field::new("f", DataType::Date32, true),
        ]);
        let keys = vec!["a".to_owned(), "e".to_owned()];
        let context = Context { target: Some(target), keys, ..config(r#"{"metadata": false}"#) };
        insta::assert_snapshot!(check(&context, &input), @r"
        a Decimal128(12, 2) = computed 0 of column 0
        b Utf8 = column 1
        c Float64 = cast of column 2
        d Float32 = cast of column 3
        e Int32 = cast of column 4
        f Decimal128(38, 18) = computed 1 of column 5
        g Decimal128(38, 18) = computed 2 of column 6
        ");
    }

    #[test]
    fn the_config_changes_type_and_metadata() {
        let context = config(
            r#"{"decimal": {"precision": 18, "scale": 4}, "run_date": "loaded_at", "file_name": null}"#,
        );
        insta::assert_snapshot!(check(&context, &lineitem()), @"
        l_orderkey Int64 = column 0
        price Decimal128(18, 4) = computed 0 of column 1
        ratio Float64 = cast of column 2
        comment Utf8 = column 3
        loaded_at Timestamp(µs) = run.started-at
        ");
    }

    #[test]
    fn metadata_columns_do_not_hide_those_of_the_file() {
        let input = Schema::new(vec![Field::new("File Name", DataType::Utf8, true)]);
        insta::assert_snapshot!(check(&Context::default(), &input), @r#"bad-header: header "File Name" (column 1) has the name file_name, which is the column that this plugin adds ("file_name": "another_name" in its config renames that one, "file_name": null leaves it out); name the columns with --column-names or by rename in [columns], or correct the header in the file"#);
        insta::assert_snapshot!(check(&config(r#"{"run_date": "file_name"}"#), &lineitem()), @r#"bad-config: config: run_date and file_name are both "file_name""#);
    }

    #[test]
    fn a_table_has_so_many_columns() {
        let fields: Vec<_> =
            (0..1599).map(|index| Field::new(format!("c{index}"), DataType::Utf8, true)).collect();
        insta::assert_snapshot!(check(&Context::default(), &Schema::new(fields)), @"too-many-columns: the file has 1599 columns and 2 metadata columns are added; a Redshift table has at most 1600; split the file");
    }
}
