//! The settings of a command, from everywhere they may come from: flags, the settings file with the
//! files that it includes and its profile, and the environment.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use loader_model::choices::ReportFormat;
use loader_model::error::{Context, Error, Kind, Result};
use loader_model::names::TableName;

use super::required::{config, read_text};
use crate::cli::RunArgs;
use crate::settings::Settings;
use crate::settings::joined::{OfFile, joined};
use crate::settings::place::SettingsFile;
use crate::settings::suggest::nearest;
use crate::settings::variables::Surroundings;

/// The settings file that is looked for where none is named.
pub(crate) const FILE: &str = "loader.toml";
/// No settings file, in place of the name of one.
const NONE: &str = "none";

/// All settings of a command, by where they come from.
#[derive(Clone, Debug, Default)]
pub struct Project {
    flags: Settings,
    /// What the chosen profile says.
    profile: Settings,
    /// What the settings file says, with those that it includes.
    file: Settings,
    environment: Settings,
    pub(crate) sources: Sources,
}

/// The files that a project was read from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    /// The settings file, then those that it includes.
    pub(crate) files: Vec<Arc<SettingsFile>>,
    /// The profile that holds.
    pub(crate) profile: Option<String>,
}

impl Project {
    /// Reads the settings. Errors: `Config`.
    pub fn read(args: RunArgs) -> Result<Project> {
        let environment = Settings::from_variables(variable)?;
        let named = args.settings.profile.clone().or(environment.profile.clone());
        let (file, files) = match settings_file(args.config.as_deref())? {
            Some(path) => read_file(&path, named.as_deref())?,
            None => (Settings::default(), Vec::new()),
        };
        let name = named.or(file.default_profile.clone());
        let profile = profile(&file, name.as_deref())?;
        if args.config.is_none() {
            no_commands([&file, &profile])?;
        }
        let sources = Sources { files, profile: name };
        Ok(Project { flags: args.settings, profile, file, environment, sources })
    }

    /// The settings of a load of the table that they name, if they name one.
    pub fn settings(&self) -> Result<Settings> {
        merged(&self.flags, &self.others())
    }

    /// The settings of a load of a file into a table. `table`: as `[tables.NAME]` has it, so with
    /// its schema where that is another than that of all tables.
    pub fn of_table(&self, table: &str, file: Option<&str>) -> Result<Settings> {
        let mut flags = self.flags.clone();
        match table.split_once('.') {
            Some((schema, table)) => {
                flags.schema_name = Some(schema.to_owned());
                flags.target_table = Some(table.to_owned());
            }
            None => flags.target_table = Some(table.to_owned()),
        }
        flags.source_file_name = file.map(str::to_owned);
        merged(&flags, &self.others())
    }

    /// How reports are printed. `None`: the settings contradict.
    pub fn report_format(&self) -> Option<ReportFormat> {
        self.settings().ok().map(|settings| settings.report.unwrap_or_default())
    }

    /// What each source says of all tables: flags, the profile, the settings file, the environment.
    pub(crate) fn parts(&self) -> [&Settings; 4] {
        [&self.flags, &self.profile, &self.file, &self.environment]
    }

    /// What is said elsewhere than by flags.
    fn others(&self) -> Settings {
        let Project { profile, file, environment, .. } = self.clone();
        profile.or(file).or(environment)
    }
}

/// Flags before what is said of their table, before what is said of all.
pub(super) fn merged(flags: &Settings, others: &Settings) -> Result<Settings> {
    let of_table = of_table(flags, others)?;
    Ok(flags.clone().or_footer_of(of_table).or_footer_of(others.clone()))
}

fn of_table(flags: &Settings, others: &Settings) -> Result<Settings> {
    let all = flags.clone().or(others.clone());
    match &all.target_table {
        Some(table) => Ok(all.of_table(&all.table_named(table)?)),
        None => Ok(Settings::default()),
    }
}

/// Refuses commands of a settings file that was found and not named: whoever can write to a folder
/// above could have the loader run anything.
fn no_commands<'a>(settings: impl IntoIterator<Item = &'a Settings>) -> Result<()> {
    let hooks = settings.into_iter().filter_map(|settings| settings.hooks.as_ref());
    match hooks.into_iter().find_map(|hooks| hooks.command()) {
        None => Ok(()),
        Some(key) => Err(config(format!(
            "hooks.{key} has a command, which is run only where the settings file is named: --config \
             {FILE}"
        ))),
    }
}

/// What the environment has for a name.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The settings file that is named, or else the one that lies in the working folder, or in the
/// nearest folder above that has one. Errors: `Config` for one above that somebody else has put
/// there.
pub(crate) fn settings_file(named: Option<&Path>) -> Result<Option<PathBuf>> {
    match named {
        Some(path) if path == Path::new(NONE) => Ok(None),
        Some(path) => Ok(Some(path.to_path_buf())),
        None => {
            let Ok(here) = std::env::current_dir() else { return Ok(None) };
            let found =
                here.ancestors().map(|folder| folder.join(FILE)).find(|file| file.is_file());
            match found {
                // The one of the working folder is named as a person would name it.
                Some(file) if file.parent() == Some(here.as_path()) => Ok(Some(FILE.into())),
                Some(file) if is_of_another_user(&file) => Err(config(format!(
                    "{} is of another user; name it by --config if it is meant, or give --config \
                     none",
                    file.display()
                ))),
                found => Ok(found),
            }
        }
    }
}

// A settings file names plugins that are run, and a bucket to which files are sent. In a folder
// that all may write to, such as /tmp, it could be anybody's.
fn is_of_another_user(file: &Path) -> bool {
    let us = rustix::process::geteuid().as_raw();
    std::fs::metadata(file).is_ok_and(|metadata| metadata.uid() != us && metadata.uid() != 0)
}

/// Reads a settings file and those that it includes, as if they were one.
/// `profile`: the one that is named, in place of the file's own choice.
fn read_file(path: &Path, profile: Option<&str>) -> Result<(Settings, Vec<Arc<SettingsFile>>)> {
    let read = |path: &Path, profile: Option<&str>| -> Result<(OfFile, Arc<SettingsFile>)> {
        let file = opened(path)?;
        let surroundings = Surroundings { variable: &variable, profile };
        let settings = Settings::of_file(&file, &surroundings)?.in_folder(folder_of(path));
        Ok((OfFile { name: path.display().to_string(), settings }, file))
    };
    let (mut all, file) = read(path, profile)?;
    let profile = profile.map(str::to_owned).or(all.settings.default_profile.clone());
    let mut files = vec![file];
    for path in included(&all.settings, path)? {
        let (other, file) = read(&path, profile.as_deref())?;
        all = joined(all, other)?;
        files.push(file);
    }
    Ok((all.settings, files))
}

/// A settings file with its text. Errors: `Config`.
pub(crate) fn opened(path: &Path) -> Result<Arc<SettingsFile>> {
    Ok(SettingsFile::new(&path.display().to_string(), &read_text(path)?))
}

pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// The files that are included, in the order of the patterns and of their names. Errors: `Config`
/// for a file that is not there. (A pattern may fit nothing.)
pub(crate) fn included(settings: &Settings, file: &Path) -> Result<Vec<PathBuf>> {
    let folder = folder_of(file);
    let mut paths: Vec<PathBuf> = Vec::new();
    for pattern in settings.include.iter().flat_map(|patterns| &patterns.0) {
        let whole = Path::new(&glob::Pattern::escape(&folder.to_string_lossy())).join(pattern);
        let no_pattern = || format!("`include` has `{pattern}`, which is no pattern of files");
        let found = glob::glob(&whole.to_string_lossy()).context(Kind::Config, no_pattern())?;
        let cannot = || format!("`include` has `{pattern}`, and not all of it can be read");
        let found = found.collect::<std::result::Result<Vec<PathBuf>, _>>();
        let found = found.context(Kind::Config, cannot())?;
        if found.is_empty() && !pattern.contains(['*', '?', '[']) {
            let path = folder.join(pattern);
            let fact = format!("`include` names {}, which is not there", path.display());
            return Err(Error::new(Kind::Config, fact));
        }
        paths.extend(found.into_iter().filter(|path| path.is_file()));
    }
    // `include = "*.toml"` takes the file itself, too.
    let mut seen = BTreeSet::from([file.to_path_buf()]);
    paths.retain(|path| seen.insert(path.clone()));
    Ok(paths)
}

/// The settings of the profile that holds. Errors: `Config` when there is none of that name.
fn profile(file: &Settings, name: Option<&str>) -> Result<Settings> {
    let Some(name) = name else { return Ok(Settings::default()) };
    let profiles = file.profiles.as_ref();
    if let Some(profile) = profiles.and_then(|profiles| profiles.get(name)) {
        return Ok(profile.clone());
    }
    let names: Vec<&str> = profiles.iter().flat_map(|map| map.keys()).map(String::as_str).collect();
    let advice = match (nearest(name, names.iter().copied()), names.is_empty()) {
        (Some(meant), _) => format!("did you mean `{meant}`?"),
        (None, false) => format!("the profiles are {}", names.join(", ")),
        (None, true) => "a profile is a table [profiles.NAME] of the settings file".to_owned(),
    };
    Err(config(format!("there is no profile `{name}`; {advice}")))
}

impl Project {
    /// The names of `[tables.NAME]`, as they are written.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.file.tables.iter().flat_map(|tables| tables.keys()).map(String::as_str)
    }

    /// The name by which the settings file has a table, whether the name has its schema or not.
    /// With `--schema-name` it is never a table of another schema.
    pub fn table_of_name(&self, name: &str) -> Option<&str> {
        let named = |name: &str| self.tables().find(|table| table.eq_ignore_ascii_case(name));
        if let Some(schema) = &self.flags.schema_name {
            return named(&format!("{schema}.{name}")).or_else(|| named(name));
        }
        named(name).or_else(|| {
            let mut ends = self.tables().filter(|table| {
                table.split_once('.').is_some_and(|(_, own)| own.eq_ignore_ascii_case(name))
            });
            ends.next().filter(|_| ends.next().is_none())
        })
    }

    /// The same. Errors: `Config` for a name that the settings file has no table of.
    pub fn known_table(&self, name: &str) -> Result<&str> {
        self.table_of_name(name).ok_or_else(|| {
            let advice = match nearest(name, self.tables()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "`loader config show` has all".to_owned(),
            };
            config(format!("the settings file has no table `{name}`; {advice}"))
        })
    }

    /// The schema of tables whose names have none.
    pub(crate) fn schema(&self) -> Result<String> {
        Ok(self.settings()?.table_named("any")?.schema)
    }

    /// The patterns of a table's files.
    pub fn files_of(&self, table: &str) -> &[String] {
        let table = self.file.tables.as_ref().and_then(|tables| tables.get(table));
        table.and_then(|table| table.files.as_ref()).map_or(&[], |files| &files.0)
    }

    /// The table that a name of the settings file stands for.
    pub fn target_of(&self, table: &str) -> Result<TableName> {
        let settings = self.of_table(table, None)?;
        settings.table_named(settings.target_table.as_deref().unwrap_or(table))
    }
}
