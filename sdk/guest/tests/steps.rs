//! What steps promise: they see what the steps before them made, only what they read crosses the
//! sandbox, typed columns read as text and as values, and mistakes are named with what there is
//! instead.

use loader_sdk::arrow_schema::{DataType, Field, Schema};
use loader_sdk::testing::Sample;
use loader_sdk::{
    Context, Date, Error, HostValue, Kind, NoConfig, Plugin, Reject, Rows, Session, Timestamp,
    Transform,
};

/// Defines a transform without config.
macro_rules! transform {
    ($name:ident, |$rows:ident| $steps:block) => {
        struct $name;

        impl Transform for $name {
            type Config = NoConfig;

            fn steps(_config: NoConfig, $rows: &mut Rows) -> Result<(), Error> {
                $steps
                Ok(())
            }
        }
    };
}

fn text(text: Option<&str>) -> Result<Option<String>, Reject> {
    Ok(text.map(|text| format!("<{text}>")))
}

#[test]
fn a_step_sees_what_the_steps_before_it_made() {
    transform!(Chained, |rows| {
        rows.map("a", text)?.rename("a", "b")?.map("b", text)?;
        rows.constant("c", "!")?;
        rows.derive("d", ["b", "c"], |[b, c]| {
            Ok(b.text().zip(c.text()).map(|(b, c)| format!("{b}{c}")))
        })?;
        rows.drop("b")?;
    });
    let ran = Sample::new(["a"]).row(["x"]).row([None]).run::<Chained>("").expect("runs");
    assert_eq!(ran.to_string(), "c,d\n!,<<x>>!\n!,\n");
}

#[test]
fn a_rejected_row_is_not_seen_again_and_keeps_its_reason() {
    transform!(Strict, |rows| {
        let seen = rows.counter("seen");
        rows.reject_when("n", Reject::new("negative", "below zero"), |n| {
            Ok(n.integer()?.is_some_and(|n| n < 0))
        })?;
        rows.map("n", move |n| {
            seen.add(1);
            if n == Some("0") { Err(Reject::new("zero", "n is zero")) } else { text(n) }
        })?;
    });
    let ran = Sample::new(["n"])
        .row(["-1"])
        .row(["0"])
        .row(["x"])
        .row(["7"])
        .run::<Strict>("")
        .expect("runs");
    assert_eq!(
        ran.to_string(),
        "n\n<7>\nrow 1: negative: below zero\nrow 2: zero: n is zero\n\
         row 3: not-an-integer: column \"n\": the field is not a whole number of 64 bits\n"
    );
    assert_eq!(ran.rejects[1].1.column.as_deref(), Some("n"));
    assert_eq!(ran.counters[0].value, 2);
}

#[test]
fn only_what_steps_read_crosses_the_sandbox() {
    transform!(Mixed, |rows| {
        rows.rename("a", "first")?.cast("b", Kind::Decimal(12, 2))?.drop("c")?;
        rows.reject_when("d", Reject::new("empty", "no d"), |d| Ok(d.is_null()))?;
        rows.host_value("run", HostValue::RunId)?;
        rows.order_first(["run"])?;
    });
    let fields = ["a", "b", "c", "d"].map(|name| Field::new(name, DataType::Utf8, true));
    let plan = Mixed::make_plan(&Context::default(), &Schema::new(fields.to_vec())).expect("plans");
    assert_eq!(plan.inputs(), [3]);
    let schema = plan.schema();
    let names: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| format!("{} {}", field.name(), field.data_type()))
        .collect();
    assert_eq!(names, ["run Utf8", "first Utf8", "b Decimal128(12, 2)", "d Utf8"]);

    let mut session =
        Mixed::open_session(&plan.state, &plan.inputs_schema().into()).expect("opens");
    let d = std::sync::Arc::new(loader_sdk::arrow_array::StringArray::from(vec![Some("x"), None]));
    let batch = loader_sdk::arrow_array::RecordBatch::try_new(plan.inputs_schema().into(), vec![d]);
    let output = session.process(&batch.expect("is a batch")).expect("computes");
    assert_eq!((output.columns.len(), output.rejects.len()), (0, 1));
}

#[test]
fn typed_columns_are_read_as_text_and_as_values() {
    transform!(Typed, |rows| {
        let names: Vec<String> = rows.columns().map(|(name, _)| name.to_owned()).collect();
        rows.derive("texts", &names, |cells| {
            Ok(Some(
                cells
                    .iter()
                    .map(|cell| cell.text().unwrap_or("NULL"))
                    .collect::<Vec<_>>()
                    .join(" | "),
            ))
        })?;
        rows.derive("next", "integer", |n| Ok(n.integer()?.map(|n| n + 1)))?;
        rows.derive("no", "boolean", |value| Ok(value.boolean()?.map(|value| !value)))?;
        rows.derive("tomorrow", "date", |day| {
            Ok(day.date()?.map(|day| Date::from_days(day.days() + 1)))
        })?;
        rows.derive("midnight", "date", |day| day.timestamp())?;
        rows.derive("later", "timestamp", |at| {
            Ok(at.timestamp()?.map(|at| Timestamp::from_micros(at.micros() + 1)))
        })?;
        rows.derive_decimal("exact", "number", (38, 18), |number| number.decimal())?;
        rows.derive("half", "double", |number| Ok(number.double()?.map(|number| number / 2.0)))?;
        rows.select(["texts", "next", "no", "tomorrow", "midnight", "later", "exact", "half"])?;
    });
    let kinds = [
        ("integer", Kind::Integer, "41"),
        ("bigint", Kind::BigInteger, "-9223372036854775808"),
        ("boolean", Kind::Boolean, "true"),
        ("date", Kind::Date, "2024-02-29"),
        ("timestamp", Kind::Timestamp, "2024-02-29 23:59:59"),
        ("number", Kind::Number, "1234567890123456789.10"),
        ("decimal", Kind::Decimal(5, 2), "-0.5"),
        ("double", Kind::Double, "3"),
    ];
    let sample = kinds
        .iter()
        .fold(Sample::new(kinds.map(|kind| kind.0)), |sample, kind| sample.kind(kind.0, kind.1));
    let ran = sample.row(kinds.map(|kind| kind.2)).row([None; 8]).run::<Typed>("").expect("runs");
    assert_eq!(
        ran.to_string(),
        "texts,next,no,tomorrow,midnight,later,exact,half\n41 | -9223372036854775808 | true | \
         2024-02-29 | 2024-02-29 23:59:59 | 1234567890123456789.10 | -0.50 | \
         3,42,false,2024-03-01,2024-02-29 00:00:00,2024-02-29 \
         23:59:59.000001,1234567890123456789.100000000000000000,1.5\nNULL | NULL | NULL | NULL | \
         NULL | NULL | NULL | NULL,,,,,,,\n"
    );
    assert_eq!(
        ran.kinds[1..],
        ["bigint", "boolean", "date", "timestamp", "timestamp", "decimal(38,18)", "double"]
    );
}

#[test]
fn mistakes_are_named_with_what_there_is() {
    transform!(Wrong, |rows| {
        let check = |result: Result<&mut Rows, Error>| {
            result.err().map(|error| format!("{}: {error}", error.code))
        };
        let found = [
            check(rows.map("c", text)),
            check(rows.drop("A")),
            check(rows.rename("a", "b")),
            check(rows.constant("a", 1)),
            check(rows.derive_decimal("d", "a", (20, 2), |a| a.decimal())),
            check(rows.host_value("run", HostValue::RunId)?.map("run", text)),
            check(rows.cast("run", Kind::Date)),
        ];
        if !found.is_empty() {
            return Err(Error::new("found", found.map(Option::unwrap_or_default).join("\n")));
        }
    });
    let error = Sample::new(["a", "b"]).run::<Wrong>("").expect_err("stops");
    assert_eq!(
        error.message.lines().collect::<Vec<_>>(),
        [
            r#"no-column: no column "c"; there are: "a", "b""#,
            r#"no-column: no column "A"; did you mean "a"?; there are: "a", "b""#,
            r#"column-exists: there is a column "b" already; drop or rename it first, or take another name"#,
            r#"column-exists: there is a column "a" already; drop or rename it first, or take another name"#,
            "bad-decimal: DECIMAL(20,2) cannot be loaded; precision is 1 to 18 or 38, scale at \
             most the precision and at most 37",
            r#"unreadable-column: column "run" is filled by the host, so that no step can read it"#,
            r#"not-an-input: column "run" is made by this plugin; only a column of the input is cast"#,
        ]
    );
}

#[test]
fn steps_that_depend_on_earlier_batches_are_found() {
    transform!(Numbered, |rows| {
        let last = std::cell::Cell::new(0_i64);
        rows.derive("number", "a", move |_| {
            last.set(last.get() + 1);
            Ok(Some(last.get()))
        })?;
    });
    let error = Sample::new(["a"]).row(["x"]).row(["y"]).run::<Numbered>("").expect_err("is found");
    assert_eq!(error.code, "batches-matter");
}

#[test]
fn a_header_too_large_for_a_plan_says_so() {
    transform!(Nothing, |_rows| {});
    let fields: Vec<_> =
        (0..1600).map(|n| Field::new(format!("{n:0>60}"), DataType::Utf8, true)).collect();
    let error =
        Nothing::make_plan(&Context::default(), &Schema::new(fields)).expect_err("is refused");
    assert_eq!(error.code, "too-much-state");
    let fields: Vec<_> =
        (0..1600).map(|n| Field::new(format!("column_{n:0>20}"), DataType::Utf8, true)).collect();
    assert!(Nothing::make_plan(&Context::default(), &Schema::new(fields)).is_ok());
}
