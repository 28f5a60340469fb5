//! Where settings come from, a TOML file and `LOADER_…` variables, and which source counts for a
//! setting that several of them give.

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::{Args, FromArgMatches};
use loader_model::error::{Context, Error, Kind, Result};

use crate::settings::Settings;
use crate::settings::column_settings::ColumnSettings;
use crate::settings::place::{Place, SettingsFile};
use crate::settings::plugin_entry::{Origin, PluginEntry};
use crate::settings::shared;
use crate::settings::variables::Surroundings;

const BAD_VARIABLE: &str = "a LOADER_… variable is not valid";

/// The variable of a flag: `target-table` gives `LOADER_TARGET_TABLE`.
pub(crate) fn variable_of(flag: &str) -> String {
    format!("LOADER_{}", flag.replace('-', "_").to_uppercase())
}

impl Settings {
    /// Reads a settings file. Errors: `Config`, with line, column and the path of the key.
    pub(crate) fn of_file(
        file: &Arc<SettingsFile>,
        surroundings: &Surroundings<'_>,
    ) -> Result<Settings> {
        located(file.read::<Settings>(surroundings)?, |key| Place::top(file, key))
    }

    /// Reads a TOML file that names no variables.
    #[cfg(test)]
    pub fn from_toml(text: &str, origin: &str) -> Result<Settings> {
        let surroundings = Surroundings { variable: &|_| None, profile: None };
        Settings::of_file(&SettingsFile::new(origin, text), &surroundings)
    }

    /// Reads the `LOADER_…` variables, by the rules of the flags.
    // The variables are put on a command line and parsed by the flags' own parser. So a variable
    // takes what its flag takes, and a new flag has its variable without being listed here.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Settings> {
        let parser = Settings::augment_args(clap::Command::new("settings"));
        let arguments = as_arguments(&parser, variable);
        let matches = parser.try_get_matches_from(arguments).map_err(|error| {
            let fact = format!("{BAD_VARIABLE}: {}", first_line(&error.to_string()));
            Error::new(Kind::Config, fact)
        })?;
        let parsed = Settings::from_arg_matches(&matches);
        let mut settings = parsed.context(Kind::Config, BAD_VARIABLE)?;
        settings.plugins.iter_mut().flatten().for_each(|plugin| plugin.origin = Origin::Variable);
        // A variable is weaker than the file, where its flag is stronger.
        let columns = settings.column.take().into_iter().flatten();
        let columns: BTreeMap<_, _> = columns.map(|flag| (flag.name, flag.settings)).collect();
        settings.columns = Some(columns).filter(|columns| !columns.is_empty());
        Ok(settings)
    }

    /// The same as [`Settings::or`], but for a footer, which is told in one of two ways: the weaker
    /// way does not count where the other is said here.
    #[must_use]
    pub(crate) fn or_footer_of(self, mut other: Settings) -> Settings {
        if self.footer.is_some() {
            other.skip_footer = None;
        }
        if self.skip_footer.is_some() {
            other.footer = None;
        }
        self.or(other)
    }

    /// Takes every setting that is not set here from `other`.
    // The pattern in the macro has no `..`, so it must name every field: a new setting that is
    // forgotten in the list does not compile.
    #[must_use]
    pub fn or(self, other: Settings) -> Settings {
        macro_rules! first_set {
            ($($setting:ident)+) => {{
                let Settings { plugins, overruled_plugins, for_glue, columns, $($setting),+ } = self;
                let columns = first_columns(columns, other.columns);
                let (plugins, unused) = first_plugins(plugins, other.plugins);
                let overruled_plugins =
                    [overruled_plugins, other.overruled_plugins, unused].concat();
                $(let $setting = $setting.or(other.$setting);)+
                Settings { plugins, overruled_plugins, for_glue, columns, $($setting),+ }
            }};
        }
        first_set! {
            include profile profiles default_profile job_id job_name src_bucket source_file_name dialect file_format encoding delimiter
            quote escape comment no_header column_names
            skip_rows skip_footer footer header_rows trim null_value null_quoted leading_zeros column repeated_header quotes short_rows
            trailing_delimiter schema_name target_table
            upsert_keys strategy change_keys keys_as_glue duplicates schema_policy
            missing_columns another_feed max_rejects distkey sortkey ledger_days force workgroup_name cluster_identifier
            db_user database region secret_arn iam_role lock_target lock_timeout
            statement_timeout request_timeout split_load_above local plugin_config
            plugin_cache capture capture_dir limits hooks tables
            staging_format parquet_compression keep_staging queue_url look_every http
            lambda_largest_file lambda_too_large_queue_url workers engine split_bytes parallel file_order on_refusal progress report
        }
    }
}

/// What both say of columns. What the weaker one says of a column holds where the other is silent.
fn first_columns(mine: Option<Columns>, theirs: Option<Columns>) -> Option<Columns> {
    let (Some(mut mine), Some(theirs)) = (mine.clone(), theirs.clone()) else {
        return mine.or(theirs);
    };
    for (name, weaker) in theirs {
        let stronger = mine.remove(&name);
        let both = match stronger {
            Some(stronger) => stronger.or(weaker),
            None => weaker,
        };
        mine.insert(name, both);
    }
    Some(mine)
}

type Columns = BTreeMap<String, ColumnSettings>;

/// Notes where each plugin, column and table is written. `top` is the place of a key at the top of
/// the file. Errors: `Config` for two entries that are one table to Redshift, such as
/// `[tables.Orders]` and `[tables.orders]`, and for a profile with what only the file may have.
pub(super) fn located(mut settings: Settings, top: impl Fn(&str) -> Place) -> Result<Settings> {
    locate(&mut settings.plugins, &top("plugins"));
    locate_columns(&mut settings.columns, &top("columns"));
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for (name, table) in shared::entries_mut(&mut settings.tables) {
        let place = top("tables").key(name);
        locate(&mut table.plugins, &place.key("plugins"));
        locate_columns(&mut table.columns, &place.key("columns"));
        table.place = Some(place.clone());
        if let Some(other) = known.insert(name.to_ascii_lowercase(), place.to_string()) {
            let fact = format!("{other} and {place} are one table to Redshift; keep one of them");
            return Err(place.blame(Error::new(Kind::Config, fact)));
        }
    }
    for (name, profile) in shared::entries_mut(&mut settings.profiles) {
        let place = top("profiles").key(name);
        locate_profile(profile, &place)?;
    }
    Ok(settings)
}

fn locate_profile(profile: &mut Settings, place: &Place) -> Result<()> {
    locate(&mut profile.plugins, &place.key("plugins"));
    locate_columns(&mut profile.columns, &place.key("columns"));
    let of_the_file = [
        ("include", profile.include.is_some()),
        ("tables", profile.tables.is_some()),
        ("profiles", profile.profiles.is_some()),
        ("default-profile", profile.default_profile.is_some()),
    ];
    match of_the_file.into_iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((key, _)) => {
            let place = place.key(key);
            let fact =
                format!("{place}: a profile has no `{key}`; it stands at the top of the file");
            Err(place.blame(Error::new(Kind::Config, fact)))
        }
    }
}

fn locate(plugins: &mut Option<Vec<PluginEntry>>, list: &Place) {
    for (index, plugin) in plugins.iter_mut().flatten().enumerate() {
        plugin.origin = Origin::File(list.item(index));
    }
}

fn locate_columns(columns: &mut Option<BTreeMap<String, ColumnSettings>>, list: &Place) {
    for (name, column) in columns.iter_mut().flatten() {
        column.place = Some(list.key(name));
    }
}

/// The variables that are set, as a command line: `LOADER_TARGET_TABLE=orders` becomes
/// `--target-table=orders`.
// The form with `=` keeps a value together that begins with a hyphen or is empty.
fn as_arguments(parser: &clap::Command, variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let flags = parser.get_arguments().filter_map(|argument| argument.get_long());
    let set = flags
        .filter_map(|flag| variable(&variable_of(flag)).map(|value| format!("--{flag}={value}")));
    std::iter::once("settings".to_owned()).chain(set).collect()
}

/// The plugins of the first source that has any, and the other source's plugins. The latter are not
/// run, but their pins still hold.
fn first_plugins(
    mine: Option<Vec<PluginEntry>>,
    theirs: Option<Vec<PluginEntry>>,
) -> (Option<Vec<PluginEntry>>, Vec<PluginEntry>) {
    match mine {
        Some(mine) => (Some(mine), theirs.unwrap_or_default()),
        None => (theirs, Vec::new()),
    }
}

fn first_line(text: &str) -> &str {
    text.trim_start_matches("error: ").lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Names;

    #[test]
    fn flags_win_over_file_over_environment() {
        let flag = Settings { database: Some("flag".into()), ..Settings::default() };
        let file = Settings::from_toml(
            "database = 'file'\nregion = 'file'\nupsert-keys = ['a']",
            "x.toml",
        )
        .expect("valid");
        let environment = Settings::from_variables(|name| match name {
            "LOADER_DATABASE" | "LOADER_REGION" | "LOADER_JOB_ID" => Some("environment".into()),
            _ => None,
        });
        let merged = flag.or(file).or(environment.expect("valid"));
        let values = [&merged.database, &merged.region, &merged.job_id]
            .map(|value| value.clone().unwrap_or_default());
        assert_eq!(values, ["flag", "file", "environment"]);
        assert_eq!(merged.upsert_keys, Some(Names(vec!["a".into()])));
    }

    #[test]
    fn an_unknown_key_of_the_file_is_named() {
        let error =
            Settings::from_toml("databse = 'x'", "loader.toml").expect_err("a typing error");
        assert!(error.to_string().contains("databse"), "{error}");
    }

    #[test]
    fn a_bad_variable_is_named() {
        let error =
            Settings::from_variables(|name| (name == "LOADER_WORKERS").then(|| "many".into()));
        let text = error.expect_err("not a number").to_string();
        assert!(text.contains("--workers"), "{text}");
    }
}
