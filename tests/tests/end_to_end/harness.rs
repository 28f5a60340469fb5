//! The harness on the built plugins, as their authors use it from Rust.

use std::sync::Arc;

use loader_harness::arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use loader_harness::arrow_schema::{DataType, Field, Schema};
use loader_harness::{Harness, PluginErrorKind, Property};
use loader_tests::plugin;
use serde_json::json;

fn default() -> Harness {
    Harness::open(plugin("default")).expect("loads").config(json!({"metadata": false}))
}

fn hostile(what: &str) -> Harness {
    Harness::open(plugin("hostile")).expect("loads").config(json!({"do": what}))
}

#[test]
fn an_outcome_prints_as_a_table() {
    let outcome =
        default().run_csv("Order ID,Amount ($),Note\n1,0.1,\"\"\n2,NaN,x\n3,,\n").expect("runs");
    let table = outcome.to_string();
    for line in [
        "| row | order_id | amount               | note |",
        "|     | Int32    | Decimal128(38, 18)   | Utf8 |",
        "| 1   | 1        | 0.100000000000000000 | \"\"   |",
        "| 3   | 3        | NULL                 | NULL |",
        "| rejected | line | column     | code       |",
        "| 2        | 3    | Amount ($) | not-finite |",
    ] {
        assert!(
            table.lines().any(|written| written.starts_with(line)),
            "{line} is not in\n{table}"
        );
    }
    assert_eq!(outcome.column("amount"), Some(vec![Some("0.100000000000000000"), None]));
    assert!(outcome.cost.bytes_in > 0 && outcome.cost.peak_memory_bytes > 0, "{}", outcome.cost);
}

#[test]
fn rows_are_read_as_a_file_would_be() {
    let rows = [[Some("007"), None], [Some("\\N"), Some("")]];
    let outcome = default().run_rows(&["code", "note"], rows).expect("runs");
    assert_eq!(outcome.column("code"), Some(vec![Some("007"), Some("\\N")]));
    assert_eq!(outcome.column("note"), Some(vec![None, Some("")]));
    let alone = default().run_rows(&["n"], [[Some("1.5")], [None]]).expect("runs");
    assert_eq!(alone.column("n"), Some(vec![Some("1.500000000000000000"), None]));
}

#[test]
fn batches_pass_as_they_are() {
    let columns: [(&str, ArrayRef); 2] = [
        ("ID", Arc::new(Int64Array::from(vec![1, 2]))),
        ("Note", Arc::new(StringArray::from(vec![Some("0.5"), None]))),
    ];
    let outcome =
        default().run_batch(RecordBatch::try_from_iter(columns).expect("a batch")).expect("runs");
    assert_eq!(outcome.column("note"), Some(vec![Some("0.5"), None]));
    assert_eq!(outcome.records, [1, 2]);
}

#[test]
fn the_target_and_the_keys_say_what_numbers_become() {
    let target = Schema::new(vec![
        Field::new("price", DataType::Decimal128(12, 2), true),
        Field::new("code", DataType::Utf8, true),
    ]);
    let outcome = default()
        .target(Arc::new(target))
        .run_csv("price,code\n1,007.50\n2.345,1e3\n")
        .expect("runs");
    assert_eq!(outcome.column("price"), Some(vec![Some("1.00"), Some("2.35")]));
    assert_eq!(outcome.column("code"), Some(vec![Some("007.50"), Some("1e3")]));
    let keyed = default().keys(["price"]).run_csv("price\n0.1\n").expect("runs");
    assert_eq!(keyed.columns[0].data_type, DataType::Decimal128(38, 18));
}

#[test]
fn what_a_plugin_says_and_counts_comes_back() {
    let outcome = hostile("count-rows").batch_rows(2).run_csv("n\n1\n2\n3\n").expect("runs");
    assert_eq!((outcome.counter("seen"), outcome.cost.batches), (3, 2));
    let chatty = hostile("long-log-line").run_csv("n\n1\n").expect("runs");
    assert_eq!((chatty.log.len(), chatty.log[0].level), (1, 2));
    assert!(chatty.log[0].text.contains("long long") && !chatty.log[0].text.contains('\u{1b}'));
    assert_ne!(chatty, outcome);
}

#[test]
fn instructions_are_counted_and_are_the_same_every_time() {
    let run = || {
        let plugin = Harness::open_metered(plugin("default"))
            .expect("loads")
            .config(json!({"metadata": false}));
        plugin.run_csv("a\n0.5\n0.25\n").expect("runs").cost.fuel
    };
    let fuel = run().expect("it is counted");
    assert!(fuel > 100, "{fuel}");
    assert_eq!(run(), Some(fuel));
    assert_eq!(default().run_csv("a\n0.5\n").expect("runs").cost.fuel, None);
}

#[test]
fn a_wrong_config_never_reaches_the_plugin() {
    let refused =
        default().config(json!({"decimals": 2})).run_csv("a\n1\n").expect_err("is refused");
    let loader_harness::HarnessError::Plugin(refused) = refused else { panic!("{refused}") };
    assert_eq!(refused.kind(), PluginErrorKind::Config);
    assert!(
        refused.to_string().contains("`config.decimals` is not a setting, expected one of `names`"),
        "{refused}"
    );
}

#[test]
fn properties_hold_for_the_honest_and_not_for_others() {
    let file = "n,t\n5,A\n6,\n7,C\n,D\n9,E\n10,F\n11,G\n12,H\n";
    assert_eq!(default().broken_properties(file).expect("runs"), []);
    assert_eq!(hostile("lowercase-text").broken_properties(file).expect("runs"), []);
    assert_eq!(default().broken_properties("n\n").expect("runs"), []);
    let broken = |what| -> Vec<Property> {
        let broken = hostile(what).broken_properties(file).expect("runs");
        broken.into_iter().map(|broken| broken.property).collect()
    };
    assert_eq!(broken("total-of-batch"), [Property::Batches]);
    assert_eq!(broken("total-of-session"), [Property::Instances]);
    assert_eq!(broken("panic-without-rows"), [Property::EmptyBatch]);
    assert_eq!(broken("reject-odd-rows"), [Property::Batches]);
}
