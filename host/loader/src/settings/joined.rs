//! One settings file made of several: the one that is named or found, and those that it includes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use loader_model::error::{Error, Kind, Result};

use crate::settings::Settings;
use crate::settings::plugin_entry::{BUILT_IN, PluginEntry};
use crate::settings::shared::{self, Shared};

/// The settings of one file.
pub(crate) struct OfFile {
    /// The file's name, for messages.
    pub(crate) name: String,
    pub(crate) settings: Settings,
}

// The pattern in the macro has no `..`, so it must name every field: a new setting that is
// forgotten in the list does not compile.
macro_rules! join {
    ($mine:ident, $theirs:ident; $($setting:ident)+) => {{
        let both = Both { mine: &$mine.name, theirs: &$theirs.name };
        let mut mine = $mine.settings;
        let Settings {
            columns, tables, profiles, include, overruled_plugins: _, for_glue: _, $($setting),+
        } = $theirs.settings;
        if include.is_some() {
            return Err(both.nested());
        }
        mine.columns = both.maps("columns", mine.columns, columns)?;
        mine.tables = both.shared("tables", mine.tables, tables)?;
        mine.profiles = both.shared("profiles", mine.profiles, profiles)?;
        $(mine.$setting = both.one(stringify!($setting), mine.$setting, $setting)?;)+
        mine
    }};
}

/// What two files say, as if one had said it. Errors: `Config` for a setting that both have, and
/// for an included file that includes others.
pub(crate) fn joined(mine: OfFile, theirs: OfFile) -> Result<OfFile> {
    let name = mine.name.clone();
    let settings = join! {
        mine, theirs;
        profile default_profile job_id job_name src_bucket source_file_name dialect file_format
        encoding delimiter quote escape comment no_header column_names skip_rows skip_footer footer
        header_rows trim null_value null_quoted leading_zeros column repeated_header quotes
        short_rows trailing_delimiter schema_name target_table upsert_keys strategy change_keys
        keys_as_glue duplicates schema_policy missing_columns another_feed max_rejects distkey
        sortkey ledger_days force workgroup_name cluster_identifier db_user database region secret_arn iam_role
        lock_target lock_timeout statement_timeout request_timeout split_load_above local plugins plugin_config
        plugin_cache capture capture_dir limits hooks staging_format parquet_compression keep_staging
        queue_url look_every http lambda_largest_file lambda_too_large_queue_url workers engine split_bytes parallel
        file_order on_refusal progress report
    };
    Ok(OfFile { name, settings })
}

/// The names of two files.
struct Both<'a> {
    mine: &'a str,
    theirs: &'a str,
}

impl Both<'_> {
    fn one<T>(&self, setting: &str, mine: Option<T>, theirs: Option<T>) -> Result<Option<T>> {
        match (mine, theirs) {
            (Some(_), Some(_)) => Err(self.twice(&setting.replace('_', "-"))),
            (mine, theirs) => Ok(mine.or(theirs)),
        }
    }

    // Names are compared as Redshift does, without case.
    fn maps<T>(&self, key: &str, mine: Map<T>, theirs: Map<T>) -> Result<Map<T>> {
        let mut all = match (mine, theirs) {
            (Some(mine), Some(theirs)) => (mine, theirs),
            (mine, theirs) => return Ok(mine.or(theirs)),
        };
        for (name, value) in all.1 {
            if all.0.keys().any(|known| known.eq_ignore_ascii_case(&name)) {
                return Err(self.twice(&format!("{key}.{name}")));
            }
            all.0.insert(name, value);
        }
        Ok(Some(all.0))
    }

    fn shared<T: Clone>(
        &self,
        key: &str,
        mine: Option<Shared<T>>,
        theirs: Option<Shared<T>>,
    ) -> Result<Option<Shared<T>>> {
        let [mine, theirs] = [mine, theirs].map(|map| map.map(Arc::unwrap_or_clone));
        Ok(self.maps(key, mine, theirs)?.map(Arc::new))
    }

    fn twice(&self, key: &str) -> Error {
        let Both { mine, theirs } = self;
        let fact =
            format!("`{key}` is given in {mine} and in {theirs}, which it includes; keep one");
        Error::new(Kind::Config, fact)
    }

    fn nested(&self) -> Error {
        let Both { mine, theirs } = self;
        let fact = format!(
            "{theirs} has an `include`, and is itself included by {mine}; name all files there"
        );
        Error::new(Kind::Config, fact)
    }
}

type Map<T> = Option<BTreeMap<String, T>>;

impl Settings {
    /// The settings with every path seen from the folder of their file. A path that begins at the
    /// root of the file system stays as it is.
    #[must_use]
    pub fn in_folder(mut self, folder: &Path) -> Settings {
        let of_tables = shared::entries_mut(&mut self.tables);
        let of_tables = of_tables.flat_map(|(_, table)| table.plugins.iter_mut().flatten());
        let plugins = self.plugins.iter_mut().flatten().chain(of_tables);
        plugins.for_each(|plugin| plugin.path = plugin_in_folder(plugin, folder));
        let paths = [&mut self.plugin_config, &mut self.capture_dir, &mut self.local];
        paths.into_iter().flatten().for_each(|path| *path = folder.join(&*path));
        self.plugin_cache = self.plugin_cache.map(|cache| match cache.as_str() {
            "none" => cache,
            _ => folder.join(cache).to_string_lossy().into_owned(),
        });
        for (_, profile) in shared::entries_mut(&mut self.profiles) {
            *profile = std::mem::take(profile).in_folder(folder);
        }
        self
    }
}

/// A plugin that is no file stays what it is.
fn plugin_in_folder(plugin: &PluginEntry, folder: &Path) -> PathBuf {
    match plugin.is_none() || plugin.path == Path::new(BUILT_IN) {
        true => plugin.path.clone(),
        false => folder.join(&plugin.path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> OfFile {
        let settings = Settings::from_toml(text, name).expect("valid");
        OfFile { name: name.to_owned(), settings }
    }

    fn refusal(text: &str) -> String {
        let main = file("loader.toml", "database = 'dev'\n[tables.orders]\n");
        let joined = joined(main, file("eu.toml", text));
        joined.err().map_or_else(String::new, |error| error.to_string())
    }

    #[test]
    fn files_complete_each_other_and_contradict_in_nothing() {
        let main = file("loader.toml", "database = 'dev'\n[tables.orders]\n");
        let other = file("eu.toml", "region = 'r'\n[tables.invoices]\nfiles = 'i_*.csv'\n");
        let both = joined(main, other).expect("join").settings;
        let tables: Vec<String> =
            both.tables.iter().flat_map(|tables| tables.keys().cloned()).collect();
        assert_eq!(tables, ["invoices", "orders"]);
        assert_eq!((both.database.as_deref(), both.region.as_deref()), (Some("dev"), Some("r")));
        insta::assert_snapshot!(refusal("database = 'dev'"), @"`database` is given in loader.toml and in eu.toml, which it includes; keep one");
        insta::assert_snapshot!(refusal("[tables.ORDERS]"), @"`tables.ORDERS` is given in loader.toml and in eu.toml, which it includes; keep one");
        insta::assert_snapshot!(refusal("include = 'x.toml'"), @"eu.toml has an `include`, and is itself included by loader.toml; name all files there");
    }

    #[test]
    fn paths_are_seen_from_the_files_folder() {
        let text = "plugins = ['default', 'a.wasm', '/b.wasm']\nlocal = 'wh'\nplugin-cache = \
                    'none'\n[tables.t]\nplugins = ['../c.wasm']\n[profiles.p]\nlocal = 'w2'\n";
        let settings = file("x.toml", text).settings.in_folder(Path::new("etc"));
        let paths: Vec<String> =
            settings.all_plugins().map(|plugin| plugin.path.display().to_string()).collect();
        assert_eq!(paths, ["default", "etc/a.wasm", "/b.wasm", "etc/../c.wasm"]);
        assert_eq!(settings.local.as_deref(), Some(Path::new("etc/wh")));
        assert_eq!(settings.plugin_cache.as_deref(), Some("none"));
        let profile = &settings.profiles.expect("one")["p"];
        assert_eq!(profile.local.as_deref(), Some(Path::new("etc/w2")));
    }
}
