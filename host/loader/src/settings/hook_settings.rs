//! Who is told of loads: webhooks and commands, in `[hooks]` of the settings file.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Who is told of which end of a load.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HookSettings {
    /// Told of each load that put rows into a table.
    pub on_success: Hooks,
    /// Told of each load that failed.
    pub on_failure: Hooks,
    /// Told of each load that changed a table's columns or made it.
    pub on_schema_change: Hooks,
}

/// One or several who are told: `"https://…"`, `{ command = ["./tell.sh", "us"] }`, or a list of
/// these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hooks(pub Vec<Hook>);

/// Who is told. It is written without what may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Hook {
    /// Gets a POST request.
    Webhook(#[serde(serialize_with = "without_path")] String),
    /// Gets the same on its stdin: a program, and its arguments.
    Command { command: Vec<String> },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Written),
    Many(Vec<Written>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Webhook(String),
    Command(WrittenCommand),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCommand {
    command: Vec<String>,
}

impl<'de> Deserialize<'de> for Hooks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hooks, D::Error> {
        let wrong = || {
            D::Error::custom(
                "a hook is an address such as \"https://example.com/hook\", a table such as \
                 { command = [\"./tell.sh\"] }, or a list of these",
            )
        };
        let written = match OneOrMany::deserialize(deserializer).map_err(|_| wrong())? {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        };
        let hook = |written| match written {
            Written::Webhook(url) if url.starts_with("https://") || url.starts_with("http://") => {
                Ok(Hook::Webhook(url))
            }
            Written::Command(WrittenCommand { command }) if !command.is_empty() => {
                Ok(Hook::Command { command })
            }
            Written::Webhook(_) | Written::Command(_) => Err(wrong()),
        };
        written.into_iter().map(hook).collect::<Result<_, _>>().map(Hooks)
    }
}

impl JsonSchema for Hooks {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Hooks".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = serde_json::json!({ "anyOf": [
            { "type": "string", "pattern": "^https?://" },
            {
                "type": "object",
                "properties": { "command": {
                    "type": "array", "items": { "type": "string" }, "minItems": 1
                } },
                "required": ["command"],
                "additionalProperties": false,
            },
        ] });
        json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

/// The beginning of an address. What stands behind its host, or before it, often is a secret.
pub(crate) fn host(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    format!("{scheme}://{}", host.rsplit('@').next().unwrap_or_default())
}

fn without_path<S: Serializer>(url: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{}/…", host(url)))
}

impl HookSettings {
    /// The key of a hook that is a command, if there is one.
    pub(crate) fn command(&self) -> Option<&'static str> {
        let HookSettings { on_success, on_failure, on_schema_change } = self;
        let all = [
            ("on-success", on_success),
            ("on-failure", on_failure),
            ("on-schema-change", on_schema_change),
        ];
        let is_command = |hook: &Hook| matches!(hook, Hook::Command { .. });
        all.into_iter().find(|(_, hooks)| hooks.0.iter().any(is_command)).map(|(key, _)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_are_addresses_and_commands() {
        let read = |text: &str| toml::from_str::<HookSettings>(text);
        let hooks = read(
            "on-success = 'https://example.com/a'\non-failure = [{ command = ['./a', 'b'] }, \
             'http://127.0.0.1/x']",
        );
        let hooks = hooks.expect("hooks");
        assert_eq!(hooks.on_success.0, [Hook::Webhook("https://example.com/a".into())]);
        assert_eq!(hooks.on_failure.0.len(), 2);
        assert_eq!(hooks.command(), Some("on-failure"));
        let shown = serde_json::to_string(&hooks.on_success).expect("JSON");
        assert_eq!(shown, r#"["https://example.com/…"]"#);
        for url in ["https://a.b?token=s", "https://u:s@a.b/s", "https://a.b#s", "https://a.b"] {
            assert_eq!(host(url), "https://a.b");
        }
        for wrong in ["'./tell.sh'", "{ command = [] }", "{ cmd = ['x'] }", "7"] {
            let error = read(&format!("on-success = {wrong}")).expect_err("is wrong").to_string();
            assert!(error.contains("a hook is an address such as"), "{wrong}: {error}");
        }
    }
}
