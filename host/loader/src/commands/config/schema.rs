//! The JSON Schema of the settings file, which editors complete and check it by.

use serde_json::{Value, json};

use crate::settings::Settings;

/// Keys that the top of the file has, and a profile has not.
const OF_THE_FILE: [&str; 4] = ["include", "profiles", "default-profile", "tables"];

/// The schema, with its last line end.
pub(crate) fn text() -> String {
    let schema = schemars::schema_for!(Settings);
    let mut schema = Value::from(schema);
    schema["title"] = json!("loader.toml");
    schema["description"] = json!("The settings of loader. `loader config check` says more.");
    // A profile is read as the file itself is, and has less in it.
    let mut of_profile = schema.clone();
    if let Some(properties) = of_profile["properties"].as_object_mut() {
        OF_THE_FILE.iter().for_each(|key| drop(properties.remove(*key)));
    }
    for key in ["$schema", "$defs", "title", "description"] {
        of_profile.as_object_mut().map(|profile| profile.remove(key));
    }
    schema["$defs"]["Profile"] = of_profile;
    schema["properties"]["profiles"]["additionalProperties"] = json!({ "$ref": "#/$defs/Profile" });
    without_null(&mut schema);
    format!("{schema:#}\n")
}

/// Takes NULL out of the types: TOML has none, and a key that is not there is no mistake.
fn without_null(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    map.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(options)) = map.get_mut("anyOf") {
                options.retain(|option| option["type"] != "null");
                if let [Value::Object(only)] = options.as_slice() {
                    let only = only.clone();
                    map.remove("anyOf");
                    map.extend(only);
                }
            }
            if map.get("default") == Some(&Value::Null) {
                map.remove("default");
            }
            map.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The schema as editors find it in the repository.
    const PUBLISHED: &str = "../../docs/loader.schema.json";

    #[test]
    fn the_published_schema_is_the_programs() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PUBLISHED);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, text()).expect("it can be written");
        }
        let published = std::fs::read_to_string(&path).expect("it is there");
        assert!(published == text(), "run this test with UPDATE=1");
    }

    #[test]
    fn the_schema_takes_what_the_program_reads_and_refuses_the_rest() {
        let schema: Value = serde_json::from_str(&text()).expect("is JSON");
        let schema = jsonschema::validator_for(&schema).expect("is a schema");
        let check = |toml: &str| {
            let value: toml::Value = toml::from_str(toml).expect("TOML");
            let takes = schema.is_valid(&serde_json::to_value(value).expect("JSON"));
            let reads = Settings::from_toml(toml, "x.toml");
            assert_eq!(takes, reads.is_ok(), "{toml}: {reads:?}");
            takes
        };
        assert!(check("src-bucket = 'b'\nplugins = ['default', { path = 'a', config = {} }]"));
        assert!(check("include = ['t/*.toml']\n[profiles.dev]\nlocal = 'wh'\nworkers = 2"));
        assert!(check("[columns]\na = 'date'\nb = { type = 'date', format = ['%d'] }"));
        assert!(check("[tables.t]\nfiles = 'a_*'\nmax-rejects = '5%'\nsortkey = 'a,b'"));
        assert!(check("[tables.t.dialect]\ndelimiter = ';'\nskip-rows = 2"));
        assert!(check("max-rejects = 10\n[limits]\nprocess_seconds = 1"));
        assert!(!check("databse = 'b'"));
        assert!(!check("workers = 'two'"));
        assert!(!check("strategy = 'upsert'"));
        assert!(!check("[tables.t]\nlocal = 'x'"));
        assert!(!check("[tables.t.dialect]\ndelimeter = ';'"));
        assert!(!check("[columns]\na = { typ = 'date' }"));
        assert!(!check("plugins = [{ config = {} }]"));
        assert!(!check("[profiles.dev.tables.t]"));
        assert!(!check("[limits]\nprocess = 1"));
    }
}
