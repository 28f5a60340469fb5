//! Plugins as they are written in settings: chains for all tables and for single ones, configs,
//! pinned digests.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::settings::Settings;
use crate::settings::place::Place;
use loader_model::error::{Error, Kind, Result};
use loader_model::names::TableName;

/// A plugin of a chain. In TOML a path, or a table with the path and what goes with it.
#[derive(Clone, Debug, Default)]
pub struct PluginEntry {
    pub path: PathBuf,
    /// What its digest has to be.
    pub sha256: Option<Digest>,
    pub config: Option<Value>,
    /// Where it is written.
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
    File(Place),
}

/// What the settings file says of one table.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TableSettings {
    /// Its chain, in place of the one for all tables; empty: no plugins.
    pub plugins: Option<Vec<PluginEntry>>,
    /// Where it says so.
    #[serde(skip)]
    place: Option<Place>,
}

/// A SHA-256 digest: 64 hexadecimal digits, lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest(String);

/// The plugins of a load.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chain<'a> {
    pub plugins: &'a [PluginEntry],
    /// What the settings file says, when `--plugins` is used in place of it: the table's entry, or
    /// a plugin for all tables that has a config or a pin.
    pub overruled: Option<&'a Place>,
}

impl Settings {
    /// The chain for a table: what was typed, else the file's for this table, else the one for all
    /// tables.
    pub fn chain(&self, target: Option<&TableName>) -> Chain<'_> {
        let table = target.and_then(|target| self.table(target));
        let of_table = table.and_then(|table| table.plugins.as_deref());
        let of_all = self.plugins.as_deref();
        match of_all.filter(|plugins| are_typed(plugins)) {
            Some(typed) => {
                // Paths alone are overruled as any setting is; with a config or a pin more goes
                // than was typed.
                let says_more =
                    |plugin: &&PluginEntry| plugin.config.is_some() || plugin.sha256.is_some();
                let of_all = || {
                    self.overruled_plugins
                        .iter()
                        .find(says_more)
                        .and_then(|plugin| plugin.origin.place())
                };
                let overruled = table.and_then(|table| table.place.as_ref()).or_else(of_all);
                Chain { plugins: typed, overruled }
            }
            None => Chain { plugins: of_table.or(of_all).unwrap_or_default(), overruled: None },
        }
    }

    /// The table's entry with a chain. A name with its schema is meant before one without.
    fn table(&self, target: &TableName) -> Option<&TableSettings> {
        let tables = self.tables.as_ref()?;
        let named = |name: &str| {
            let mut named =
                tables.iter().filter(|(key, _)| key.to_lowercase() == name).map(|(_, table)| table);
            named.find(|table| table.plugins.is_some())
        };
        named(&target.to_string()).or_else(|| named(&target.table))
    }

    /// Every plugin that is named anywhere in the settings.
    pub fn all_plugins(&self) -> impl Iterator<Item = &PluginEntry> {
        let of_tables = self.tables.iter().flatten().flat_map(|(_, table)| &table.plugins);
        self.plugins.iter().chain(of_tables).flatten().chain(&self.overruled_plugins)
    }

    /// The digests to which the settings pin a plugin's file.
    pub fn pins_of<'a>(&'a self, file: &Path) -> impl Iterator<Item = (&'a Digest, &'a Origin)> {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let file = real(file);
        let pinned =
            self.all_plugins().filter_map(|plugin| Some((plugin, plugin.sha256.as_ref()?)));
        pinned
            .filter(move |(plugin, _)| real(&plugin.path) == file)
            .map(|(plugin, digest)| (digest, &plugin.origin))
    }

    /// Notes where each plugin is written. Errors: `Config`, for two entries that are one table to
    /// Redshift.
    pub(super) fn written_at(mut self, top: impl Fn(&str) -> Place) -> Result<Settings> {
        locate(&mut self.plugins, &top("plugins"));
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        for (name, table) in self.tables.iter_mut().flatten() {
            let place = top("tables").key(name);
            locate(&mut table.plugins, &place.key("plugins"));
            table.place = Some(place.clone());
            if let Some(other) = known.insert(name.to_lowercase(), place.to_string()) {
                let fact =
                    format!("{other} and {place} are one table to Redshift; keep one of them");
                return Err(place.blame(Error::new(Kind::Config, fact)));
            }
        }
        Ok(self)
    }
}

/// Whether they come from the command line.
pub fn are_typed(plugins: &[PluginEntry]) -> bool {
    plugins.iter().any(|plugin| matches!(plugin.origin, Origin::Flag))
}

fn locate(plugins: &mut Option<Vec<PluginEntry>>, list: &Place) {
    for (index, plugin) in plugins.iter_mut().flatten().enumerate() {
        plugin.origin = Origin::File(list.item(index));
    }
}

impl Origin {
    /// Its place in a file, if it is in one.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Origin::File(place) => Some(place),
            Origin::Flag | Origin::Variable => None,
        }
    }
}

/// `tables.orders.plugins[1]`, or the flag or variable.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag => f.write_str("--plugins"),
            Origin::Variable => f.write_str("LOADER_PLUGINS"),
            Origin::File(place) => place.fmt(f),
        }
    }
}

impl From<PathBuf> for PluginEntry {
    fn from(path: PathBuf) -> PluginEntry {
        PluginEntry { path, ..PluginEntry::default() }
    }
}

impl<'de> Deserialize<'de> for PluginEntry {
    fn deserialize<D: Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<PluginEntry, D::Error> {
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

/// A table of settings as the plugin gets it.
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

#[cfg(test)]
mod tests;
