//! Which plugins a load runs, and with which configs.
//!
//! A plugin's config stands beside its path in the settings file. `--plugin-config` is for chains
//! that no settings file holds: a chain that the user types (`--plugins a.wasm`), and the chains of
//! the Glue job, whose callers pass flags alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use loader_model::error::{Context, Error, Kind, Result};
use loader_model::names::TableName;
use serde_json::Value;

use super::required::{config, read_text};
use crate::settings::Settings;
use crate::settings::place::{Place, SettingsFile};
use crate::settings::plugin_entry::{Digest, Origin, PluginEntry};

/// A plugin of the chain.
#[derive(Clone, Debug)]
pub struct PluginSettings {
    pub path: PathBuf,
    /// The digests that the file must have: one for each entry of the settings that pins it.
    pub pins: Vec<(Digest, Origin)>,
    /// The plugin's config; `{}` when the settings have none.
    pub config: Value,
    /// Where the config stands, or would stand if there were one; for error messages.
    pub config_place: Option<Place>,
    /// Where the plugin is named.
    pub origin: Origin,
}

/// The configs of the file that `--plugin-config` names.
struct Configs {
    flag_value: PathBuf,
    by_name: BTreeMap<String, Value>,
}

/// The chain for the target, and notices about the choice.
pub(super) fn decide(
    settings: &Settings,
    target: Option<&TableName>,
) -> Result<(Vec<PluginSettings>, Vec<String>)> {
    let chosen = settings.chain(target);
    let built_in = [PluginEntry::built_in()];
    let entries = without_none(chosen.plugins.unwrap_or(&built_in))?;
    let configs = settings.plugin_config.as_deref().map(Configs::read).transpose()?;
    if let Some(configs) = &configs {
        configs.refuse_strangers(entries, chosen.are_typed(), settings)?;
    }
    let decide_one = |plugin| decide_one(plugin, settings, configs.as_ref());
    let plugins = entries.iter().map(decide_one).collect::<Result<_>>()?;
    let notice = chosen.overruled.map(|place| {
        format!("the plugins are those of --plugins, not those of {place} in {}", place.file())
    });
    Ok((plugins, notice.into_iter().collect()))
}

/// The entries of a chain, which are no entries where it says `none`. Errors: `Config` when it says
/// so beside plugins.
fn without_none(entries: &[PluginEntry]) -> Result<&[PluginEntry]> {
    match entries {
        [only] if only.is_none() => Ok(&[]),
        entries => match entries.iter().find(|entry| entry.is_none()) {
            Some(none) => Err(config(format!(
                "{} says `none` beside plugins; leave `none` away, or the plugins (a file of that \
                 name is `./none`)",
                none.origin
            ))),
            None => Ok(entries),
        },
    }
}

fn decide_one(
    plugin: &PluginEntry,
    settings: &Settings,
    configs: Option<&Configs>,
) -> Result<PluginSettings> {
    let (config, config_place) = config_of(plugin, configs)?;
    let PluginEntry { path, origin, .. } = plugin.clone();
    let pins =
        settings.pins_of(&path).map(|(digest, origin)| (digest.clone(), origin.clone())).collect();
    Ok(PluginSettings { path, pins, config, config_place, origin })
}

/// A plugin's config, and where it stands or would stand. Errors: `Config` when it has two.
fn config_of(plugin: &PluginEntry, configs: Option<&Configs>) -> Result<(Value, Option<Place>)> {
    let elsewhere = configs.and_then(|configs| configs.of(&plugin.path));
    match (&plugin.config, elsewhere) {
        // Neither wins: the user may be looking at the config that would lose.
        (Some(_), Some((_, place))) => Err(two_configs(&plugin.origin, &place)),
        (None, Some((config, place))) => Ok((config.clone(), Some(place))),
        (own, None) => {
            let none = || Value::Object(serde_json::Map::new());
            let place = plugin.origin.place().map(|place| place.key("config"));
            Ok((own.clone().unwrap_or_else(none), place))
        }
    }
}

fn two_configs(origin: &Origin, other: &Place) -> Error {
    let file = other.file();
    let error =
        config(format!("{origin} has a config, and {other} of {file} is another; keep one"));
    match origin.place() {
        Some(place) => place.blame(error),
        None => error,
    }
}

impl Configs {
    fn read(path: &Path) -> Result<Configs> {
        let by_name = serde_json::from_str(&read_text(path)?).context(
            Kind::Config,
            format!("{} is no JSON object of plugin configs", path.display()),
        )?;
        Ok(Configs { flag_value: path.to_path_buf(), by_name })
    }

    fn of(&self, plugin: &Path) -> Option<(&Value, Place)> {
        let name = name_of(plugin);
        let config = self.by_name.get(&name)?;
        let file = SettingsFile::new(&self.flag_value.display().to_string(), "");
        Some((config, Place::top(&file, &name)))
    }

    /// Refuses a config for a plugin that no chain has, which is a typing error. (For example, a
    /// config for `mask_pi` beside the plugin `mask_pii.wasm` would never be used.)
    // One file of configs may serve the chains of several tables, so a config for any plugin of the
    // settings is right. A typed chain is the only chain of its run, though.
    fn refuse_strangers(
        &self,
        chain: &[PluginEntry],
        is_typed: bool,
        settings: &Settings,
    ) -> Result<()> {
        let others = settings.all_plugins().filter(|_| !is_typed);
        let known: Vec<String> =
            chain.iter().chain(others).map(|plugin| name_of(&plugin.path)).collect();
        match self.by_name.keys().find(|name| !known.contains(name)) {
            Some(name) => Err(config(format!(
                "--plugin-config has a config for `{name}`, which is not among the plugins"
            ))),
            None => Ok(()),
        }
    }
}

/// The name by which `--plugin-config` knows a plugin: `plugins/mask_pii.wasm` is `mask_pii`.
fn name_of(plugin: &Path) -> String {
    plugin.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_own_table(settings: &Settings) -> Result<(Vec<PluginSettings>, Vec<String>)> {
        let table = settings.target_table.as_deref();
        let target = table.map(|table| settings.table_named(table)).transpose()?;
        decide(settings, target.as_ref())
    }

    /// What becomes of a chain when `--plugin-config` has a config for `mask`.
    fn decided(chain: &str) -> std::result::Result<Vec<String>, String> {
        decided_after(chain, &[])
    }

    /// And when plugins were typed.
    fn decided_after(chain: &str, typed: &[&str]) -> std::result::Result<Vec<String>, String> {
        let dir = tempfile::tempdir().expect("a folder");
        let configs = dir.path().join("config.json");
        std::fs::write(&configs, r#"{"mask": {"columns": ["email"]}}"#).expect("writes");
        let plugins = (!typed.is_empty())
            .then(|| typed.iter().map(|path| PathBuf::from(path).into()).collect());
        let settings = Settings { plugins, ..Settings::default() };
        let settings = settings.or(Settings::from_toml(chain, "loader.toml").expect("valid"));
        let settings = Settings {
            target_table: Some("T".into()),
            plugin_config: Some(configs.clone()),
            ..settings
        };
        let shown = |plugin: &PluginSettings| {
            let place = plugin.config_place.as_ref().map_or(String::new(), ToString::to_string);
            format!("{} {} {place}", plugin.path.display(), plugin.config)
        };
        match of_own_table(&settings) {
            Ok((plugins, _)) => Ok(plugins.iter().map(shown).collect()),
            Err(error) => {
                Err(error.to_string().replace(&configs.display().to_string(), "config.json"))
            }
        }
    }

    #[test]
    fn a_plugin_without_a_config_has_that_of_its_name() {
        let chain = "[tables.t]\nplugins = ['x/mask.wasm', 'other.wasm', 'mask.wasm']\n";
        let expected = [
            r#"x/mask.wasm {"columns":["email"]} mask"#,
            "other.wasm {} tables.t.plugins[1].config",
            r#"mask.wasm {"columns":["email"]} mask"#,
        ];
        assert_eq!(decided(chain).as_deref(), Ok(expected.map(str::to_owned).as_slice()));
    }

    #[test]
    fn the_plugin_of_the_program_runs_where_none_is_named() {
        let of = |settings: Settings| {
            let (plugins, _) = of_own_table(&settings).map_err(|error| error.to_string())?;
            let shown =
                |plugin: &PluginSettings| format!("{} by {}", plugin.path.display(), plugin.origin);
            Ok::<_, String>(plugins.iter().map(shown).collect::<Vec<_>>().join(", "))
        };
        let typed = |list: &str| {
            let plugins = list.split(',').map(|path| PathBuf::from(path).into()).collect();
            Settings { plugins: Some(plugins), ..Settings::default() }
        };
        let file = |text: &str| Settings::from_toml(text, "loader.toml").expect("valid");
        assert_eq!(of(Settings::default()).as_deref(), Ok("default by the program"));
        assert_eq!(of(file("[tables.t]\n")).as_deref(), Ok("default by the program"));
        assert_eq!(of(file("plugins = []\n")).as_deref(), Ok(""));
        assert_eq!(of(file("plugins = ['none']\n")).as_deref(), Ok(""));
        assert_eq!(of(typed("none")).as_deref(), Ok(""));
        assert_eq!(of(typed("none").or(file("plugins = ['a.wasm']\n"))).as_deref(), Ok(""));
        let two = of(typed("default,b.wasm"));
        assert_eq!(two.as_deref(), Ok("default by --plugins, b.wasm by --plugins"));
        insta::assert_snapshot!(of(typed("a.wasm,none")).unwrap_err(), @"--plugins says `none` beside plugins; leave `none` away, or the plugins (a file of that name is `./none`)");
    }

    #[test]
    fn a_config_is_given_once_and_for_a_plugin_that_is_there() {
        let twice =
            "[tables.t]\nplugins = [\n  { path = 'mask.wasm', config = { columns = [] } }]\n";
        insta::assert_snapshot!(decided(twice).unwrap_err(), @"tables.t.plugins[0] has a config, and mask of config.json is another; keep one (file loader.toml, line 3)");
        insta::assert_snapshot!(decided("plugins = \
                                         ['default.wasm']\n").unwrap_err(), @"--plugin-config has a config for `mask`, which is not among the plugins");
        // Another table's plugin is no mistake.
        let elsewhere = "plugins = ['a.wasm']\n[tables.u]\nplugins = ['mask.wasm']\n";
        assert_eq!(decided(elsewhere).map(|plugins| plugins.len()), Ok(1));
        // But what was typed is all there is.
        insta::assert_snapshot!(decided_after(elsewhere, &["a.wasm"]).unwrap_err(), @"--plugin-config has a config for `mask`, which is not among the plugins");
    }
}
