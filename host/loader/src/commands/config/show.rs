//! `loader config show`: every setting, with its value and where that comes from.

use clap::Args;
use loader_model::choices::ReportFormat;
use loader_model::error::{Context, Kind, Result};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::cli::RunArgs;
use crate::job::Project;
use crate::report::indented_json;
use crate::settings::Settings;
use crate::settings::place::Place;
use crate::settings::sources::variable_of;

/// What stands for a secret.
const HIDDEN: &str = "(hidden)";
/// Words in the names of keys whose values are secrets. (`upsert-keys` has none of them.)
const SECRETS: [&str; 14] = [
    "secret",
    "passw",
    "passphrase",
    "token",
    "salt",
    "pepper",
    "credential",
    "private",
    "hmac",
    "auth",
    "apikey",
    "api_key",
    "api-key",
    "encryption",
];
/// Keys of the file that are shown in the first lines, or elsewhere.
const NOT_SHOWN: [&str; 5] = ["include", "profiles", "default-profile", "tables", "profile"];

/// A setting as it holds.
struct Shown {
    key: String,
    value: Value,
    from: String,
}

/// The settings as TOML with comments, or as JSON.
pub(super) fn text(args: RunArgs) -> Result<String> {
    let project = Project::read(args)?;
    let settings = project.settings()?;
    let shown = shown(&project, &settings)?;
    Ok(match settings.report.unwrap_or_default() {
        ReportFormat::Human => human(&project, &settings, &shown),
        ReportFormat::Json => {
            let one =
                |one: &Shown| (one.key.clone(), json!({"value": one.value, "from": one.from}));
            let settings: Map<String, Value> = shown.iter().map(one).collect();
            indented_json(&json!({
                "files": files(&project),
                "profile": project.sources.profile,
                "tables": project.tables().collect::<Vec<_>>(),
                "settings": settings,
            }))
        }
    })
}

fn files(project: &Project) -> Vec<&str> {
    project.sources.files.iter().map(|file| file.name()).collect()
}

fn human(project: &Project, settings: &Settings, shown: &[Shown]) -> String {
    let mut out = match files(project).as_slice() {
        [] => "# no settings file\n".to_owned(),
        files => format!("# settings file: {}\n", files.join(", ")),
    };
    if let Some(profile) = &project.sources.profile {
        out.push_str(&format!("# profile: {profile}\n"));
    }
    if let Some(table) = &settings.target_table {
        out.push_str(&format!("# settings of a load of {table}\n"));
    } else if project.tables().next().is_some() {
        let tables: Vec<&str> = project.tables().collect();
        out.push_str(&format!("# tables, shown by --target-table: {}\n", tables.join(", ")));
    }
    let parser = Settings::augment_args(clap::Command::new("settings"));
    let mut heading = "";
    for argument in parser.get_arguments() {
        let (Some(key), Some(of)) = (argument.get_long(), argument.get_help_heading()) else {
            continue;
        };
        let lines: Vec<String> = of_key(key, shown).map(line).collect();
        let default = || argument.get_help().and_then(|help| default_of(&help.to_string()));
        let lines = match lines.is_empty() {
            true => default().map(|default| format!("# {key}: {default}\n")).into_iter().collect(),
            false => lines,
        };
        if !lines.is_empty() && heading != of {
            out.push_str(&format!("\n# {of}\n"));
            heading = of;
        }
        lines.iter().for_each(|line| out.push_str(line));
    }
    let only_in_files =
        ["files", "columns", "limits", "hooks"].into_iter().flat_map(|key| of_key(key, shown));
    let only_in_files: String = only_in_files.map(line).collect();
    if !only_in_files.is_empty() {
        out.push_str(&format!("\n# Only in the settings file\n{only_in_files}"));
    }
    out
}

/// What is shown of a key, or of the keys below it.
fn of_key<'a>(key: &'a str, shown: &'a [Shown]) -> impl Iterator<Item = &'a Shown> {
    shown.iter().filter(move |one| {
        one.key == key || one.key.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'))
    })
}

fn line(one: &Shown) -> String {
    let value = toml::Value::try_from(&one.value).map(|value| value.to_string());
    format!("{} = {}  # {}\n", one.key, value.unwrap_or_default(), one.from)
}

/// The default that a flag's help names: `[default: 900]`.
fn default_of(help: &str) -> Option<String> {
    let (_, default) = help.split_once("[default:")?;
    Some(format!("default {}", default.split(']').next()?.trim()))
}

/// The settings of one source, and where it says them.
struct Layer {
    values: Map<String, Value>,
    source: Source,
}

enum Source {
    Flags,
    /// The places below which its keys stand, in one of the files.
    Files(Vec<Place>),
    Environment,
}

/// The settings that are given, the strongest of each.
fn shown(project: &Project, settings: &Settings) -> Result<Vec<Shown>> {
    let mut shown: Vec<Shown> = Vec::new();
    for layer in layers(project, settings)? {
        for (key, value) in layer.values {
            // Every layer may say something of one column.
            let is_said = shown.iter().any(|one| one.key == key) && !key.starts_with("columns.");
            if !is_said && !NOT_SHOWN.contains(&key.as_str()) {
                shown.push(layer.source.shown(key, value));
            }
        }
    }
    Ok(shown)
}

/// All layers, the strongest first.
fn layers(project: &Project, settings: &Settings) -> Result<Vec<Layer>> {
    let roots = || project.sources.files.iter().map(Place::root);
    let [flags, profile, file, environment] = project.parts();
    let mut layers = vec![Layer { values: with_columns(flags)?, source: Source::Flags }];
    if let Some(table) = &settings.target_table {
        for (name, entry) in settings.entries_of(&settings.table_named(table)?) {
            let places = roots().map(|root| root.key("tables").key(name));
            let places = places.flat_map(|place| [place.key("dialect"), place]);
            let source = Source::Files(places.collect());
            layers.push(Layer { values: flat(values(entry)?), source });
        }
    }
    if let Some(name) = &project.sources.profile {
        let places = roots().map(|root| root.key("profiles").key(name)).collect();
        layers.push(Layer { values: flat(values(profile)?), source: Source::Files(places) });
    }
    layers.push(Layer { values: flat(values(file)?), source: Source::Files(roots().collect()) });
    layers.push(Layer { values: flat(values(environment)?), source: Source::Environment });
    Ok(layers)
}

/// What is given, by its key.
fn values(settings: &impl Serialize) -> Result<Map<String, Value>> {
    let value = serde_json::to_value(settings).context(Kind::Internal, "settings are no JSON")?;
    match without_null(value) {
        Value::Object(map) => Ok(map),
        _ => Ok(Map::new()),
    }
}

/// What flags say, with the columns that `--column` names.
fn with_columns(settings: &Settings) -> Result<Map<String, Value>> {
    let mut all = values(settings)?;
    for column in settings.column.iter().flatten() {
        let key = format!("columns.{}", column.name);
        all.insert(key, Value::Object(values(&column.settings)?));
    }
    Ok(all)
}

/// Keys of a table's dialect among its own, and a key for each column.
fn flat(values: Map<String, Value>) -> Map<String, Value> {
    let mut all = Map::new();
    for (key, value) in values {
        match (key.as_str(), value) {
            ("dialect", Value::Object(dialect)) => all.extend(dialect),
            ("columns", Value::Object(columns)) => {
                let named = |(name, column)| (format!("columns.{name}"), column);
                all.extend(columns.into_iter().map(named));
            }
            (_, value) => {
                all.insert(key, value);
            }
        }
    }
    all
}

fn without_null(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let map = map.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(map.map(|(key, value)| (key, without_null(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_null).collect()),
        value => value,
    }
}

impl Source {
    fn shown(&self, key: String, value: Value) -> Shown {
        let (from, value) = match self {
            Source::Flags if key.starts_with("columns.") => ("--column".to_owned(), value),
            Source::Flags => (format!("--{key}"), value),
            Source::Environment if key.starts_with("columns.") => (variable_of("column"), value),
            Source::Environment => (variable_of(&key), value),
            Source::Files(places) => match places.iter().find_map(|place| written(place, &key)) {
                Some((from, Some(text))) => (from, text),
                Some((from, None)) => (from, value),
                None => ("the settings file".to_owned(), value),
            },
        };
        Shown { value: without_secrets(&key, value), key, from }
    }
}

/// Where a key stands in a file. With its value as it is written where that names a variable: what
/// the variable holds may be a secret.
fn written(base: &Place, key: &str) -> Option<(String, Option<Value>)> {
    let place = match key.strip_prefix("columns.") {
        Some(column) => base.key("columns").key(column),
        None => base.key(key),
    };
    let line = place.line()?;
    let whose = base.to_string();
    let whose = whose.strip_suffix(".dialect").unwrap_or(&whose);
    let whose = if whose.is_empty() { String::new() } else { format!(" ({whose})") };
    let from = format!("{}:{line}{whose}", place.file());
    let text = place.written_value().filter(|value| value.to_string().contains("${"));
    Some((from, text))
}

/// The value without what should not be read over a shoulder.
fn without_secrets(key: &str, value: Value) -> Value {
    let name = key.to_ascii_lowercase();
    let is_secret = name == "key" || SECRETS.iter().any(|word| name.contains(word));
    match value {
        // An ARN names a secret, and is none.
        Value::String(text) if text.starts_with("arn:") => Value::String(text),
        Value::Null => Value::Null,
        // Whatever is below it, too.
        _ if is_secret => json!(HIDDEN),
        Value::Object(map) => {
            let hidden = |(key, value): (String, Value)| {
                let value = without_secrets(&key, value);
                (key, value)
            };
            Value::Object(map.into_iter().map(hidden).collect())
        }
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| without_secrets(key, item)).collect())
        }
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_plugins_are_hidden_and_names_of_secrets_are_not() {
        let config = json!([{"path": "m.wasm", "config": {"Salt": "x", "keys": ["a"], "n": 1}}]);
        let expected =
            json!([{"path": "m.wasm", "config": {"Salt": HIDDEN, "keys": ["a"], "n": 1}}]);
        assert_eq!(without_secrets("plugins", config), expected);
        let nested = json!({"secrets": {"of_a": "x"}, "api_key": ["x"], "key": "x"});
        let expected = json!({"secrets": HIDDEN, "api_key": HIDDEN, "key": HIDDEN});
        assert_eq!(without_secrets("config", nested), expected);
        assert_eq!(without_secrets("upsert-keys", json!(["a"])), json!(["a"]));
        assert_eq!(without_secrets("secret-arn", json!("arn:aws:x")), json!("arn:aws:x"));
        assert_eq!(without_secrets("secret-arn", json!("hunter2")), json!(HIDDEN));
    }
}
