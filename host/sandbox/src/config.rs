//! Checks a plugin's config against the plugin's own JSON Schema, before the plugin sees a row or
//! the config.
//!
//! The schema is a guest's text and not trusted: it can name no file and no address, it cannot
//! unfold without bounds (`bounds`), patterns are matched in linear time, and the whole check has a
//! deadline. Messages name the key and the expected value, never the value in the config, which may
//! be a secret.

mod bounds;

use std::thread;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

use crate::error::{PluginError, PluginErrorKind, tame};
use crate::off_thread::{self, Unfinished};

/// The most mistakes that one message lists.
const SHOWN: usize = 5;
const MESSAGE_BYTES: usize = 512;
/// The stack of the checking thread. The validator recurses into deep schemas, and a caller's stack
/// may be too small for that.
const STACK_BYTES: usize = 16 << 20;

/// The result of checking a config.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Fits,
    /// The schema itself is not a JSON Schema.
    BadSchema(String),
    Mistakes(Vec<Mistake>),
}

/// A place in the config that does not fit the schema.
#[derive(Debug, PartialEq, Eq)]
struct Mistake {
    /// JSON pointer to the key at fault.
    pointer: String,
    /// The mistake in one line.
    fact: String,
}

/// Checks `config` against `schema`. A plugin without schema takes no settings; null stands for no
/// settings. `name` is the config's name in messages, and paths of keys begin with it: for example,
/// `config.decimal.scale`.
///
/// Errors: `Config` (a mistake in the config), `Protocol` (the schema is not a JSON Schema),
/// `Limit` (the check took too long).
pub(crate) fn check(
    schema: Option<&str>,
    config: &Value,
    name: &str,
    seconds: u64,
) -> Result<(), PluginError> {
    let Some(schema) = schema else { return refuse_settings(config, name) };
    let config = match config {
        Value::Null => Value::Object(serde_json::Map::new()),
        Value::Object(_) => config.clone(),
        _ => return Err(wrong_config(format!("`{name}` is no object of settings"), "")),
    };
    let (schema, name) = (schema.to_owned(), name.to_owned());
    match within(seconds, move || judge(&schema, &config, &name))? {
        Verdict::Fits => Ok(()),
        Verdict::BadSchema(fact) => Err(bad_schema(&fact)),
        Verdict::Mistakes(mistakes) => Err(told(&mistakes)),
    }
}

/// A plugin without schema takes no settings.
fn refuse_settings(config: &Value, name: &str) -> Result<(), PluginError> {
    match config {
        Value::Null => Ok(()),
        Value::Object(settings) if settings.is_empty() => Ok(()),
        _ => Err(wrong_config(format!("it takes no settings, but `{name}` has some"), "")
            .remedy("take them out")),
    }
}

/// Makes one error of the first mistakes; its pointer is that of the very first.
fn told(mistakes: &[Mistake]) -> PluginError {
    let shown: Vec<&str> =
        mistakes.iter().take(SHOWN).map(|mistake| mistake.fact.as_str()).collect();
    let mut fact = shown.join("; ");
    if mistakes.len() > SHOWN {
        fact.push_str(&format!("; and {} more", mistakes.len() - SHOWN));
    }
    wrong_config(fact, mistakes.first().map_or("", |mistake| &mistake.pointer))
}

fn wrong_config(fact: String, pointer: &str) -> PluginError {
    PluginError::new(PluginErrorKind::Config, fact).at_config(pointer.to_owned())
}

/// Checks that a text is a JSON Schema. Errors as for [`check`].
// The schema is tried on a null config. Mistakes of that config are no mistakes of the schema, and
// so they are ignored.
pub(crate) fn check_schema(schema: &str, seconds: u64) -> Result<(), PluginError> {
    let schema = schema.to_owned();
    match within(seconds, move || judge(&schema, &Value::Null, ""))? {
        Verdict::Fits | Verdict::Mistakes(_) => Ok(()),
        Verdict::BadSchema(fact) => Err(bad_schema(&fact)),
    }
}

fn bad_schema(fact: &str) -> PluginError {
    PluginError::protocol(format!(
        "its config schema is no JSON Schema: {}",
        tame(fact, MESSAGE_BYTES)
    ))
}

fn within<T: Send + 'static>(
    seconds: u64,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, PluginError> {
    let thread = thread::Builder::new().name("plugin-config".to_owned()).stack_size(STACK_BYTES);
    off_thread::within(thread, seconds, work).map_err(|unfinished| match unfinished {
        Unfinished::NotStarted(error) => {
            PluginError::host(format!("a thread does not start: {error}"))
        }
        Unfinished::TimeIsUp => PluginError::limit(format!(
            "its config took longer to check against its schema than plan_seconds = {seconds} s"
        )),
        Unfinished::Panicked => PluginError::host("the check of its config panicked in the host"),
    })
}

fn judge(schema: &str, config: &Value, name: &str) -> Verdict {
    let (schema, validator) = match compiled(schema) {
        Ok(compiled) => compiled,
        Err(fact) => return Verdict::BadSchema(fact),
    };
    let mistakes: Vec<Mistake> =
        validator.iter_errors(config).map(|error| mistake(&error, &schema, name)).collect();
    match mistakes.is_empty() {
        true => Verdict::Fits,
        false => Verdict::Mistakes(mistakes),
    }
}

/// The schema and its validator, or the reason why it is not a JSON Schema.
// `bounds::refuse` comes before `build`, so that the validator never sees a schema without bounds.
// `offline` keeps it from fetching anything, and the engine `regex` matches in linear time.
fn compiled(schema: &str) -> Result<(Value, Validator), String> {
    let schema: Value =
        serde_json::from_str(schema).map_err(|error| format!("it is no JSON ({error})"))?;
    bounds::refuse(&schema)?;
    let options = jsonschema::options().with_pattern_options(PatternOptions::regex()).offline();
    let validator = options.build(&schema).map_err(|error| {
        let at = error.instance_path().as_str();
        let place = if at.is_empty() { String::new() } else { format!("{at}: ") };
        format!("{place}{}", error.masked_with("it"))
    })?;
    Ok((schema, validator))
}

/// Describes a mistake by its place and the expected value. For example, `config.decimal.scale` is
/// greater than the maximum of 37.
// `masked_with` puts the key in the place of the value, which may be a secret.
fn mistake(error: &ValidationError<'_>, schema: &Value, name: &str) -> Mistake {
    let mut pointer = error.instance_path().as_str().to_owned();
    let path = path(name, &pointer);
    let fact = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            if let Some(key) = unexpected.first() {
                pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            }
            let known = known(error.schema_path().as_str(), schema);
            format!("{}{known}", not_settings(unexpected, &path))
        }
        ValidationErrorKind::Required { property } => {
            format!("`{path}.{}` is missing", property.as_str().unwrap_or_default())
        }
        _ => error.masked_with(format!("`{path}`")).to_string(),
    };
    Mistake { pointer, fact: tame(&fact, MESSAGE_BYTES) }
}

fn not_settings(unexpected: &[String], path: &str) -> String {
    let keys: Vec<String> = unexpected.iter().map(|key| format!("`{path}.{key}`")).collect();
    let verb = if keys.len() == 1 { "is not a setting" } else { "are not settings" };
    format!("{} {verb}", keys.join(", "))
}

/// The keys that the user could have meant: the `properties` beside the keyword that refused the
/// unknown key.
fn known(keyword: &str, schema: &Value) -> String {
    let parent = keyword.rsplit_once('/').map_or("", |(parent, _)| parent);
    let properties = schema
        .pointer(parent)
        .and_then(|schema| schema.get("properties"))
        .and_then(Value::as_object);
    match properties {
        Some(properties) if !properties.is_empty() => {
            let keys: Vec<String> = properties.keys().map(|key| format!("`{key}`")).collect();
            format!(", expected one of {}", keys.join(", "))
        }
        _ => String::new(),
    }
}

/// Writes a JSON pointer as people write a path: `/columns/0/name` becomes
/// `config.columns[0].name`, where `config` is the `name`.
// The order of the replacements is that of RFC 6901: `~1` first. The other way around `~01`, which
// is an escaped `~1`, would become `/`.
fn path(name: &str, pointer: &str) -> String {
    let mut path = name.to_owned();
    for key in pointer.split('/').skip(1) {
        let key = key.replace("~1", "/").replace("~0", "~");
        match key.bytes().all(|byte| byte.is_ascii_digit()) && !key.is_empty() {
            true => path.push_str(&format!("[{key}]")),
            false => path.push_str(&format!(".{key}")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use serde_json::json;

    use super::*;

    const SCHEMA: &str = r##"{
        "type": "object", "additionalProperties": false, "required": ["columns"],
        "properties": {
            "columns": {"type": "array", "items": {"type": "string", "minLength": 1}},
            "mode": {"enum": ["hash", "redact"]},
            "key": {"type": "string", "pattern": "^[0-9a-f]{4}$"},
            "decimal": {"$ref": "#/$defs/decimal"}
        },
        "$defs": {"decimal": {
            "type": "object", "additionalProperties": false,
            "properties": {"scale": {"type": "integer", "maximum": 37}}
        }}
    }"##;

    fn refusal(schema: &str, config: Value) -> String {
        let error = check(Some(schema), &config, "config", 5).expect_err("is refused");
        format!("{:?}: {error}", error.kind())
    }

    #[test]
    fn a_good_config_passes() {
        let good =
            json!({"columns": ["email"], "mode": "hash", "key": "00ff", "decimal": {"scale": 2}});
        assert!(check(Some(SCHEMA), &good, "config", 5).is_ok());
        assert!(check(Some("{}"), &Value::Null, "config", 5).is_ok());
    }

    #[test]
    fn mistakes_are_named_with_path_and_what_is_expected() {
        insta::assert_snapshot!(refusal(SCHEMA, json!({"columns": ["a"], "mood": 1})), @"Config: `config.mood` is not a setting, expected one of `columns`, `mode`, `key`, `decimal`");
        insta::assert_snapshot!(refusal(SCHEMA, json!({})), @"Config: `config.columns` is missing");
        insta::assert_snapshot!(refusal(SCHEMA, json!([])), @"Config: `config` is no object of settings");
        insta::assert_snapshot!(refusal(SCHEMA, json!({"columns": ["a", 7, ""], "mode": "hide"})), @r#"Config: `config.columns[1]` is not of type "string"; `config.columns[2]` is shorter than 1 character; `config.mode` is not one of "hash" or "redact""#);
        insta::assert_snapshot!(refusal(SCHEMA, json!({"columns": [], "decimal": {"scale": 50, "scales": 1}})), @"Config: `config.decimal.scale` is greater than the maximum of 37; `config.decimal.scales` is not a setting, expected one of `scale`");
    }

    #[test]
    fn paths_begin_with_the_configs_own_name_and_the_first_mistake_is_pointed_at() {
        let error =
            check(Some(SCHEMA), &json!({"columns": ["a"], "de/mo": 1}), "t.plugins[1].config", 5)
                .unwrap_err();
        insta::assert_snapshot!(error, @"`t.plugins[1].config.de/mo` is not a setting, expected one of `columns`, `mode`, `key`, `decimal`");
        assert_eq!(error.config_pointer(), Some("/de~1mo"));
        let error = check(Some(SCHEMA), &json!({"columns": ["a", 7]}), "x", 5).unwrap_err();
        assert_eq!(error.config_pointer(), Some("/columns/1"));
    }

    #[test]
    fn values_are_not_repeated() {
        let said = refusal(SCHEMA, json!({"columns": ["a"], "key": "s3cret"}));
        assert!(said.contains("`config.key`") && !said.contains("s3cret"), "{said}");
    }

    #[test]
    fn a_plugin_without_schema_takes_no_settings() {
        assert!(check(None, &Value::Null, "config", 5).is_ok());
        assert!(check(None, &json!({}), "config", 5).is_ok());
        insta::assert_snapshot!(check(None, &json!({"a": 1}), "config", 5).unwrap_err(), @"it takes no settings, but `config` has some; take them out");
    }

    #[test]
    fn what_is_no_schema_is_the_plugins_mistake() {
        insta::assert_snapshot!(refusal("not json", json!({})), @"Protocol: its config schema is no JSON Schema: it is no JSON (expected ident at line 1 column 2); this is a mistake in the plugin: report it to its author");
        insta::assert_snapshot!(refusal(r#"{"type": "objekt"}"#, json!({})), @"Protocol: its config schema is no JSON Schema: /type: it is not valid under any of the schemas listed in the 'anyOf' keyword; this is a mistake in the plugin: report it to its author");
        insta::assert_snapshot!(refusal(r#"{"$ref": "https://example.com/schema.json"}"#, json!({})), @r#"Protocol: its config schema is no JSON Schema: $ref "https://example.com/schema.json" is not followed: only #/… within the schema is; this is a mistake in the plugin: report it to its author"#);
    }

    #[test]
    fn a_check_that_takes_too_long_is_left_behind() {
        let (_held, never) = sync_channel::<()>(0);
        let refused = within(0, move || never.recv()).expect_err("there is no time");
        insta::assert_snapshot!(refused, @"its config took longer to check against its schema than plan_seconds = 0 s; raise it in [limits] or mend the plugin");
    }
}
