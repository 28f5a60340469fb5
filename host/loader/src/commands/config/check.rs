//! `loader config check`: all mistakes of the settings file at once.
//!
//! In three stages, of which the next begins where the one before found nothing: what each file
//! says, what the files say together, and what that comes to for each table under each profile.

use std::collections::BTreeMap;
use std::path::Path;

use loader_model::error::{Error, Kind, Result};

use crate::cli::RunArgs;
use crate::commands::{fail, print};
use crate::feeds::Feeds;
use crate::job::{self, Job, Project, included, opened, settings_file, variable};
use crate::settings::mistakes;
use crate::settings::variables::Surroundings;
use crate::words::count;

/// A name of a file that stands for all files of a table.
const ANY_FILE: &str = "any.csv";

/// Prints the mistakes, and returns 0 when there are none, else 2.
pub(super) fn run(args: &RunArgs) -> u8 {
    let path = match settings_file(args.config.as_deref()) {
        Ok(Some(path)) => path,
        Ok(None) => return fail(&no_file()),
        Err(error) => return fail(&error),
    };
    let found = of_files(&path, args).and_then(|mistakes| match mistakes.is_empty() {
        true => of_project(args),
        false => Ok((mistakes, String::new())),
    });
    match found {
        Err(error) => fail(&error),
        Ok((mistakes, right)) if mistakes.is_empty() => {
            print(&format!("{} is right: {right}\n", path.display()));
            0
        }
        Ok((mistakes, _)) => {
            mistakes.iter().for_each(|mistake| print(&format!("{mistake}\n")));
            let n = mistakes.len();
            print(&format!("{n} {}\n", if n == 1 { "mistake" } else { "mistakes" }));
            Kind::Config.exit_code()
        }
    }
}

fn no_file() -> Error {
    let fact = format!(
        "there is no settings file: neither this folder nor one above it has a {}; `loader init` \
         makes one",
        job::FILE
    );
    Error::new(Kind::Config, fact)
}

/// What is wrong with the files as each is written.
fn of_files(path: &Path, args: &RunArgs) -> Result<Vec<String>> {
    let profile = args.settings.profile.as_deref();
    let surroundings = Surroundings { variable: &variable, profile };
    let (settings, found) = mistakes::find(&opened(path)?, &surroundings);
    let mut all: Vec<String> = found.iter().map(ToString::to_string).collect();
    match included(&settings, path) {
        Err(error) => all.push(error.to_string()),
        Ok(others) => {
            for other in others {
                let (_, found) = mistakes::find(&opened(&other)?, &surroundings);
                all.extend(found.iter().map(ToString::to_string));
            }
        }
    }
    Ok(all)
}

/// What is wrong with what the files say together. With it a sentence on what is right.
fn of_project(args: &RunArgs) -> Result<(Vec<String>, String)> {
    let project = match Project::read(args.clone()) {
        Ok(project) => project,
        Err(error) => return Ok((vec![error.to_string()], String::new())),
    };
    let mut found = Vec::new();
    if let Err(error) = Feeds::of(&project) {
        found.push(error.to_string());
    }
    // By the message, so that what is wrong with all tables is said once.
    let mut of_tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let profiles = profiles(&project);
    for profile in &profiles {
        for (whose, mistake) in under(args, profile.as_deref(), &project) {
            let whose = match profile {
                Some(profile) => format!("{whose} (profile {profile})"),
                None => whose,
            };
            of_tables.entry(mistake).or_default().push(whose);
        }
    }
    found.extend(
        of_tables.into_iter().map(|(mistake, whose)| format!("{}: {mistake}", whose.join(", "))),
    );
    let tables = project.tables().count();
    let named: Vec<&str> = profiles.iter().flatten().map(String::as_str).collect();
    let right = match named.as_slice() {
        [] => count(tables, "table"),
        named => format!("{}, profiles {}", count(tables, "table"), named.join(", ")),
    };
    Ok((found, right))
}

/// The profiles under which the tables are looked at: the one that was named, or else all; `None`
/// where there is none.
fn profiles(project: &Project) -> Vec<Option<String>> {
    let [flags, _, file, environment] = project.parts();
    let named = flags.profile.clone().or(environment.profile.clone());
    match (named, &file.profiles) {
        (Some(named), _) => vec![Some(named)],
        (None, Some(profiles)) if !profiles.is_empty() => {
            profiles.keys().cloned().map(Some).collect()
        }
        (None, _) => vec![None],
    }
}

/// What is wrong with each table under a profile: whose mistake it is, and the mistake.
fn under(args: &RunArgs, profile: Option<&str>, project: &Project) -> Vec<(String, String)> {
    let mut args = args.clone();
    args.settings.profile = profile.map(str::to_owned);
    let of_profile = match Project::read(args) {
        Ok(of_profile) => of_profile,
        Err(error) => return vec![("profile".to_owned(), error.to_string())],
    };
    let mut found = Vec::new();
    for table in project.tables() {
        let whose = || format!("tables.{table}");
        let job = of_profile.of_table(table, Some(ANY_FILE)).and_then(Job::decide);
        match job {
            Err(error) => found.push((whose(), error.to_string())),
            Ok(job) => {
                let missing = job.transform.plugins.iter().map(|plugin| plugin.path.as_path());
                let missing = missing.filter(|path| !is_there(path));
                found.extend(
                    missing.map(|path| (whose(), format!("there is no plugin {}", path.display()))),
                );
            }
        }
    }
    found
}

fn is_there(plugin: &Path) -> bool {
    plugin == Path::new(crate::settings::plugin_entry::BUILT_IN) || plugin.is_file()
}
