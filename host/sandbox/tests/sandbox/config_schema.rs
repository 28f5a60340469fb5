//! Config schemas that are none, that lead elsewhere, or that would keep a validator busy.

use std::net::TcpListener;
use std::path::Path;

use arrow_schema::DataType;
use loader_sandbox::{CacheLocation, ChainPlan, Runtime};
use serde_json::{Value, json};

use crate::guest::{Guest, Out};
use crate::{limits, load, message, schema};

fn honest() -> Guest {
    Guest::new().plans(&[0], vec![("id", DataType::Int64, Out::Computed(0))])
}

/// The message when a plugin with this config schema gets this config.
fn planning(config_schema: &str, config: Value) -> String {
    asking(honest().config_schema(config_schema), config)
}

fn asking(guest: Guest, config: Value) -> String {
    message(ChainPlan::make(&[(load(guest), config)], "target", &[], None, schema()))
}

#[test]
fn schemas_that_are_none() {
    insta::assert_snapshot!(planning("<schema/>", json!({})), @"Protocol: plugin test 0 (sha256 …): its config schema is no JSON Schema: it is no JSON (expected value at line 1 column 1); this is a mistake in the plugin: report it to its author");
    insta::assert_snapshot!(planning("[7]", json!({})), @r#"Protocol: plugin test 0 (sha256 …): its config schema is no JSON Schema: it is not of types "boolean", "object"; this is a mistake in the plugin: report it to its author"#);
    insta::assert_snapshot!(planning(r#"{"type": "\u001b[2J\u202e"}"#, json!({})), @"Protocol: plugin test 0 (sha256 …): its config schema is no JSON Schema: /type: it is not valid under any of the schemas listed in the 'anyOf' keyword; this is a mistake in the plugin: report it to its author");
    insta::assert_snapshot!(planning(&"[".repeat(100_000), json!({})), @"Protocol: plugin test 0 (sha256 …): its config schema is no JSON Schema: it is no JSON (recursion limit exceeded at line 1 column 128); this is a mistake in the plugin: report it to its author");
    insta::assert_snapshot!(planning(r#"{"minimum": "1e999999"}"#, json!({})), @r#"Protocol: plugin test 0 (sha256 …): its config schema is no JSON Schema: /minimum: it is not of type "number"; this is a mistake in the plugin: report it to its author"#);
    insta::assert_snapshot!(planning(r#"{"$schema": "https://example.com/mine"}"#, json!({})), @"Protocol: plugin test 0 (sha256 …): its config schema is no JSON Schema: Unknown meta-schema: 'https://example.com/mine'. Custom meta-schemas must be registered in the registry before use; this is a mistake in the plugin: report it to its author");
}

#[test]
fn schemas_that_never_end() {
    insta::assert_snapshot!(planning(r##"{"$ref": "#"}"##, json!({})), @"Protocol: plugin test 0 (sha256 …): its config schema is no JSON Schema: it refers to itself without going into a value; this is a mistake in the plugin: report it to its author");
    let doubling: String = (0..60)
        .map(|level| {
            format!(
                r##""d{level}": {{"anyOf": [{{"$ref": "#/$defs/d{0}"}}, {{"$ref": "#/$defs/d{0}"}}]}},"##,
                level + 1
            )
        })
        .collect();
    let doubling = format!(r##"{{"$ref": "#/$defs/d0", "$defs": {{{doubling} "d60": {{}}}}}}"##);
    insta::assert_snapshot!(planning(&doubling, json!({})), @"Protocol: plugin test 0 (sha256 …): its config schema is no JSON Schema: it unfolds into more than 10000 subschemas; this is a mistake in the plugin: report it to its author");
}

/// A regular expression that backtracks would take longer than the universe has been there.
#[test]
fn patterns_that_explode() {
    let pattern = |pattern: &str| json!({"properties": {"a": {"pattern": pattern}}}).to_string();
    let config = json!({"a": "a".repeat(50_000) + "!"});
    insta::assert_snapshot!(planning(&pattern("^(a+)+$"), config.clone()), @r#"Config: plugin test 0 (sha256 …): `config.a` does not match "^(a+)+$""#);
    insta::assert_snapshot!(planning(&pattern("((a{1000}){1000}){1000}"), config.clone()), @r#"Protocol: plugin test 0 (sha256 …): its config schema is no JSON Schema: /properties/a/pattern: it is not a "regex"; this is a mistake in the plugin: report it to its author"#);
    insta::assert_snapshot!(planning(&pattern("(?=a)a"), config), @r#"Protocol: plugin test 0 (sha256 …): its config schema is no JSON Schema: /properties/a/pattern: it is not a "regex"; this is a mistake in the plugin: report it to its author"#);
}

/// The validator fetches nothing, even when a schema refers to an address.
#[test]
fn references_are_not_followed_out_of_the_schema() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("it can");
    let address = format!("http://{}/schema.json", listener.local_addr().expect("it has one"));
    let said =
        planning(&json!({"properties": {"a": {"$ref": address}}}).to_string(), json!({"a": 1}));
    insta::assert_snapshot!(said.replace(&address, "ADDRESS"), @r#"Protocol: plugin test 0 (sha256 …): its config schema is no JSON Schema: $ref "ADDRESS" is not followed: only #/… within the schema is; this is a mistake in the plugin: report it to its author"#);
    // A schema that calls itself its own rules is taken at its word.
    let own_rules =
        honest().config_schema(&json!({"$id": address, "$schema": address}).to_string());
    assert!(
        ChainPlan::make(&[(load(own_rules), json!({"a": 1}))], "target", &[], None, schema())
            .is_ok()
    );
    assert!(listener.accept().is_err(), "somebody asked for it");
    insta::assert_snapshot!(planning(r#"{"$ref": "file:///etc/passwd"}"#, json!({})), @r#"Protocol: plugin test 0 (sha256 …): its config schema is no JSON Schema: $ref "file:///etc/passwd" is not followed: only #/… within the schema is; this is a mistake in the plugin: report it to its author"#);
    insta::assert_snapshot!(planning(r#"{"$dynamicRef": "other.json"}"#, json!({})), @"Protocol: plugin test 0 (sha256 …): its config schema is no JSON Schema: $dynamicRef is not followed; this is a mistake in the plugin: report it to its author");
}

#[test]
fn asking_for_the_schema_fails() {
    insta::assert_snapshot!(asking(honest().config_schema_body("unreachable"), json!({})), @"Trap: plugin test 0 (sha256 …): config-schema: crashed: it panicked or aborted (unreachable code) (in config_schema); report it to its author");
    insta::assert_snapshot!(asking(honest().config_schema_body("(loop $again br $again) \
                                                                unreachable"), json!({})), @"Limit: plugin test 0 (sha256 …): config-schema: ran longer than plan_seconds = 1 s (in config_schema); raise it in [limits] or mend the plugin");
    insta::assert_snapshot!(asking(honest().config_schema_body("(i32.const \
                                                                0x7ffffff0)"), json!({})), @"Protocol: plugin test 0 (sha256 …): config-schema: the host could not take what it passed: pointer out of bounds of memory; one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
    let bytes = honest().config_schema_body("unreachable").build();
    let runtime = Runtime::new(limits(), CacheLocation::Off).unwrap();
    assert!(runtime.load(Path::new("x.wasm"), bytes).is_ok(), "loading asks for nothing");
}
