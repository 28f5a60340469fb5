//! A plugin as it is written in settings: its path, alone or with a config and a pinned digest, and
//! the place where it stands.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::settings::place::Place;

/// The plugin that is part of the program, where a path is expected. (A file of that name is
/// `./default`.)
pub(crate) const BUILT_IN: &str = "default";
/// No plugins, in place of a list of them.
const NONE: &str = "none";

/// A plugin of a chain. In TOML it is a path, or a table with the path, a digest and a config: for
/// example, `"default.wasm"` or `{ path = "mask_pii.wasm", config = { columns = ["email"] } }`.
#[derive(Clone, Debug, Default)]
pub struct PluginEntry {
    pub path: PathBuf,
    /// The digest that the file must have.
    pub sha256: Option<Digest>,
    pub config: Option<Value>,
    /// Where the entry is written.
    pub origin: Origin,
}

/// Where a plugin is named.
#[derive(Clone, Debug, Default)]
pub enum Origin {
    /// On the command line, or by the program itself.
    #[default]
    Flag,
    /// In `LOADER_PLUGINS`.
    Variable,
    /// Nowhere: the plugin of loads for which none is named.
    Nowhere,
    File(Place),
}

/// A SHA-256 digest: 64 hexadecimal digits, lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest(String);

impl Origin {
    /// The place in the settings file, if the plugin is named in one.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Origin::File(place) => Some(place),
            Origin::Flag | Origin::Variable | Origin::Nowhere => None,
        }
    }
}

/// `tables.orders.plugins[1]`, or the flag or variable.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag => f.write_str("--plugins"),
            Origin::Variable => f.write_str("LOADER_PLUGINS"),
            Origin::Nowhere => f.write_str("the program"),
            Origin::File(place) => place.fmt(f),
        }
    }
}

impl PluginEntry {
    /// The plugin of loads for which none is named.
    pub fn built_in() -> PluginEntry {
        PluginEntry { path: BUILT_IN.into(), origin: Origin::Nowhere, ..PluginEntry::default() }
    }

    /// Whether the entry says that there are no plugins.
    pub fn is_none(&self) -> bool {
        self.path == Path::new(NONE)
    }
}

impl From<PathBuf> for PluginEntry {
    fn from(path: PathBuf) -> PluginEntry {
        PluginEntry { path, ..PluginEntry::default() }
    }
}

/// The path alone where nothing else is said.
impl Serialize for PluginEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let path = self.path.display().to_string();
        if self.sha256.is_none() && self.config.is_none() {
            return serializer.serialize_str(&path);
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("path", &path)?;
        if let Some(sha256) = &self.sha256 {
            map.serialize_entry("sha256", &sha256.0)?;
        }
        if let Some(config) = &self.config {
            map.serialize_entry("config", config)?;
        }
        map.end()
    }
}

impl JsonSchema for PluginEntry {
    fn schema_name() -> Cow<'static, str> {
        "Plugin".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The path of a plugin, alone or with a digest and a config; `default` is \
                            part of the program.",
            "anyOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "properties": {
                        "path": { "type": "string" },
                        "sha256": {
                            "description": "The digest that the file must have.",
                            "type": "string",
                            "pattern": "^[0-9A-Fa-f]{64}$"
                        },
                        "config": { "description": "The plugin's own settings.", "type": "object" }
                    },
                    "required": ["path"],
                    "additionalProperties": false
                }
            ]
        })
    }
}

impl<'de> Deserialize<'de> for PluginEntry {
    fn deserialize<D: Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<PluginEntry, D::Error> {
        // Not an untagged enum: that would answer every mistake with "did not match any variant",
        // where a visitor names the unknown key or the wrong type.
        deserializer.deserialize_any(PathOrTable)
    }
}

struct PathOrTable;

impl<'de> Visitor<'de> for PathOrTable {
    type Value = PluginEntry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the path of a plugin, or a table with `path`, `sha256` and `config`")
    }

    fn visit_str<E>(self, path: &str) -> std::result::Result<PluginEntry, E> {
        Ok(PathBuf::from(path).into())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<PluginEntry, A::Error> {
        let Written { path, sha256, config } =
            Written::deserialize(MapAccessDeserializer::new(map))?;
        // The place is not known while the file is parsed; `located` fills it in afterwards.
        Ok(PluginEntry {
            path,
            sha256,
            config: config.map(|config| config.0),
            origin: Origin::default(),
        })
    }
}

/// The table form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    path: PathBuf,
    sha256: Option<Digest>,
    config: Option<Config>,
}

/// A plugin's config: a TOML table, turned into the JSON that the plugin gets.
struct Config(Value);

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Config, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            table @ toml::Value::Table(_) => {
                loader_harness::config_from_toml(table).map(Config).map_err(D::Error::custom)
            }
            other => Err(D::Error::custom(format!(
                "a table of settings is expected, not a {}",
                other.type_str()
            ))),
        }
    }
}

impl Digest {
    /// The digest of a file's bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        use sha2::Digest as _;
        Digest(loader_model::names::hex(&sha2::Sha256::digest(bytes)))
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Digest, String> {
        if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Digest(text.to_ascii_lowercase()));
        }
        Err("this is no SHA-256 digest, which has 64 hexadecimal digits; `loader plugin check \
             FILE` prints a file's"
            .into())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Digest, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
