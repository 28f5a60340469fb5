//! What the settings say of single columns, put together and checked.
//!
//! In: the columns of all tables, those of the target, and those of the command line. Out: a spec
//! for each column, or a `Config` error with the place of the setting.

mod forms;

use std::collections::BTreeMap;

use loader_csv::ColumnRule;
use loader_data::column_spec::{ColumnSpec, SpecSource};
use loader_model::choices::LeadingZeros;
use loader_model::column_type::ColumnType;
use loader_model::error::Result;
use loader_model::names::TableName;
use loader_model::target_column::ROW_COLUMN;
use loader_names::{Reserved, clean, refused};

use super::required::config;
use crate::settings::Settings;
use crate::settings::column_settings::{ColumnSettings, GivenType};
use crate::settings::sources::variable_of;

/// A column, and which settings speak of it.
struct Said {
    name: String,
    settings: ColumnSettings,
    source: SpecSource,
}

/// The specs of the columns of a target. `None`: there is no target, and the settings of no table
/// count.
pub(super) fn decide(settings: &Settings, target: Option<&TableName>) -> Result<Vec<ColumnSpec>> {
    let mut said = Vec::new();
    let of_table = target.and_then(|target| settings.columns_of(target));
    add(&mut said, of_file(settings.columns.as_ref(), SpecSource::AllTables));
    add(&mut said, of_file(of_table, SpecSource::Table));
    let flags = settings.column.iter().flatten().map(|flag| Said {
        name: flag.name.clone(),
        settings: flag.settings.clone(),
        source: SpecSource::Flag,
    });
    add(&mut said, flags.collect());
    said.into_iter().map(spec).collect()
}

pub(super) fn leading_zeros(choice: LeadingZeros) -> loader_csv::LeadingZeros {
    match choice {
        LeadingZeros::Text => loader_csv::LeadingZeros::Text,
        LeadingZeros::Number => loader_csv::LeadingZeros::Number,
    }
}

fn of_file(
    columns: Option<&BTreeMap<String, ColumnSettings>>,
    source: impl Fn(String) -> SpecSource,
) -> Vec<Said> {
    let said = |(name, settings): (&String, &ColumnSettings)| Said {
        name: name.clone(),
        source: source(settings.place().map_or_else(|| variable_of("column"), ToString::to_string)),
        settings: settings.clone(),
    };
    columns.into_iter().flatten().map(said).collect()
}

/// Adds stronger settings to weaker ones. Two columns of the same settings that are alike once
/// clean stay two: a file may have both.
fn add(weaker: &mut Vec<Said>, stronger: Vec<Said>) {
    let mut known = std::mem::take(weaker);
    for said in stronger {
        let is_spelt = |known: &Said| known.name == said.name;
        let is_alike = |known: &Said| is_alike(&known.name, &said.name);
        let found = known.iter().position(is_spelt).or_else(|| known.iter().position(is_alike));
        let of_weaker = found.map(|place| known.remove(place));
        let settings = match of_weaker {
            Some(of_weaker) => said.settings.or(of_weaker.settings),
            None => said.settings,
        };
        weaker.push(Said { settings, ..said });
    }
    weaker.extend(known);
}

fn is_alike(one: &str, other: &str) -> bool {
    let cleaned = clean(one);
    !cleaned.is_empty() && cleaned == clean(other)
}

/// Checks the new name of a column.
fn check_name(settings: &ColumnSettings) -> std::result::Result<(), String> {
    let Some(name) = &settings.rename else { return Ok(()) };
    if name.chars().any(char::is_control) {
        return Err("`rename` has a control character, which no name of a column has".to_owned());
    }
    let called = |_| "the name in `rename`".to_owned();
    let ours = Reserved { name: ROW_COLUMN, owner: "one that the loader keeps for itself" };
    match refused(&[name.to_ascii_lowercase()], called, &[ours]).into_iter().next() {
        Some(fact) => Err(fact),
        None => Ok(()),
    }
}

fn spec(Said { name, settings, source }: Said) -> Result<ColumnSpec> {
    let checked = check_name(&settings).and_then(|()| forms::of(&settings));
    let form = checked.map_err(|fact| {
        let place = match &source {
            SpecSource::Flag => format!("--column {name}"),
            SpecSource::Table(place) | SpecSource::AllTables(place) => place.clone(),
        };
        let error = config(format!("{place}: {fact}"));
        match settings.place() {
            Some(place) => place.blame(error),
            None => error,
        }
    })?;
    let rule = ColumnRule {
        nulls: settings.null.map(|texts| texts.0),
        quoted_nulls: settings.null_quoted.unwrap_or(false),
        trim: settings.trim.unwrap_or(false),
        required: settings.required.unwrap_or(false),
        leading_zeros: settings.leading_zeros.map(leading_zeros),
        form,
    };
    let column_type: Option<ColumnType> = match settings.given_type {
        Some(GivenType::Of(column_type)) => Some(column_type),
        Some(GivenType::Text) | None => None,
    };
    Ok(ColumnSpec { name, rename: settings.rename, rule, column_type, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(toml: &str, flags: &[&str]) -> Vec<String> {
        let flags = flags.iter().map(|flag| flag.parse().expect("a column"));
        let flags = Settings { column: Some(flags.collect()), ..Settings::default() };
        let settings = Settings::from_toml(toml, "loader.toml").expect("valid");
        let target = TableName::new("public", "orders").expect("a name");
        match decide(&flags.or(settings), Some(&target)) {
            Ok(specs) => {
                specs.iter().map(|spec| format!("{spec} {:?}", spec.column_type)).collect()
            }
            Err(error) => vec![error.to_string()],
        }
    }

    #[test]
    fn the_command_line_goes_before_the_table_before_all_tables() {
        let toml = "[columns]\na = 'integer'\nb = 'integer'\n'C d' = 'integer'\n\
                    [tables.orders.columns]\na = 'bigint'\nb = 'bigint'\n\
                    [tables.other.columns]\ne = 'bigint'\n";
        assert_eq!(
            decided(toml, &["A=smallint", "c_d=double"]),
            [
                "--column A Some(SmallInt)",
                "--column c_d Some(Double)",
                "tables.orders.columns.b Some(BigInt)",
            ]
        );
    }

    #[test]
    fn how_values_are_written_goes_with_the_type() {
        let all = "[columns.amount]\ntype = 'decimal(12,2)'\ndecimal-mark = ','\n";
        assert_eq!(decided(all, &["amount=text"]), ["--column amount None"],);
        let settings = Settings::from_toml(all, "loader.toml").expect("valid");
        let specs = decide(&settings, None).expect("decided");
        assert!(format!("{:?}", specs[0].rule.form).contains("decimal_mark: ','"));
    }

    #[test]
    fn what_does_not_go_together_is_named_with_its_place() {
        let error = |toml: &str| decided(toml, &[]).join(" ");
        insta::assert_snapshot!(error("[columns.a]\ndecimal-mark = ','\n"), @r#"columns.a: `decimal-mark` says how numbers are written, so the column needs a type of numbers, such as type = "decimal(12,2)" (file loader.toml, line 1)"#);
        insta::assert_snapshot!(error("[columns.a]\ntype = 'date'\nthousands = '.'\n"), @r#"columns.a: `thousands` says how numbers are written, so the column needs a type of numbers, such as type = "decimal(12,2)" (file loader.toml, line 1)"#);
        insta::assert_snapshot!(error("[columns.a]\ntype = 'text'\nformat = '%d'\n"), @"columns.a: `format` says how dates and times are written, so the column needs the type date, timestamp or timestamptz (file loader.toml, line 1)");
        insta::assert_snapshot!(error("[columns.a]\ntype = 'date'\nformat = 'DD.MM.YYYY'\n"), @"columns.a: the format `DD.MM.YYYY` has no letter behind a percent sign; a date such as 31.01.2024 has the format %d.%m.%Y, a time such as 10:30:00 has %H:%M:%S, and seconds since 1970 have epochsecs (all letters: docs/columns.md) (file loader.toml, line 1)");
        insta::assert_snapshot!(error("[columns.a]\ntype = 'double'\nthousands = '.'\n"), @r#"columns.a: `thousands` and `decimal-mark` are both `.`; say which mark stands before the fraction, such as decimal-mark = "," (file loader.toml, line 1)"#);
        insta::assert_snapshot!(error("[columns.a]\ntype = 'double'\ndecimal-mark = '1'\n"), @"columns.a: `decimal-mark` cannot be `1`, which is a part of numbers (file loader.toml, line 1)");
        insta::assert_snapshot!(decided("", &["a=date:%d"]).join(" "), @"--column a: the format `%d` does not tell the whole day; it needs year, month and day, as %d.%m.%Y has them");
    }

    #[test]
    fn what_is_no_column_is_named_with_its_line() {
        let error = |toml: &str| {
            Settings::from_toml(toml, "loader.toml").expect_err("must be refused").to_string()
        };
        insta::assert_snapshot!(error("[columns]\na = 'decimal'\n"), @"loader.toml is no valid settings file: line 2, column 5: columns.a: `decimal` is no type that a column can have; there are text, smallint, integer, bigint, decimal(12,2) with any precision and scale, real, double, boolean, date, timestamp, timestamptz, time, timetz, super, varchar(100) and char(10) with any length, and varbyte");
        insta::assert_snapshot!(error("[columns]\na = { typ = 'date' }\n"), @"loader.toml is no valid settings file: line 2, column 7: columns.a.typ: unknown key `typ`; did you mean `type`?");
        insta::assert_snapshot!(error("[tables.t.columns]\na = 7\n"), @r#"loader.toml is no valid settings file: line 2, column 5: tables.t.columns.a: invalid type: integer `7`, expected the type of a column, or a table such as { type = "date" }"#);
        insta::assert_snapshot!(error("[columns.a]\ndecimal-mark = ',,'\n"), @r#"loader.toml is no valid settings file: line 2, column 16: columns.a.decimal-mark: invalid value: string ",,", expected a character"#);
        insta::assert_snapshot!(error("[columns.a]\nnull = 7\n"), @"loader.toml is no valid settings file: line 2, column 8: columns.a.null: a text or a list of texts is expected");
    }
}
