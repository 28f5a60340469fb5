//! A folder of `tests/cases`: its files, and the program run on them.
//!
//! In: the folder. Out: the reports of `loader plan` and `loader run`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::command_line;
use crate::{Place, Report, plugin, root, run};

/// How the names of inputs end.
const INPUTS: [&str; 4] = [".csv", ".csv.gz", ".jsonl", ".parquet"];

pub struct Case {
    folder: PathBuf,
}

/// What a load is given besides the case's own files. A remedy changes parts of it.
#[derive(Clone, Default)]
pub struct Given {
    pub arguments: Vec<String>,
    /// The settings file.
    pub settings: Option<PathBuf>,
}

impl Case {
    /// All cases, by their names.
    pub fn all() -> Vec<Case> {
        let folders = std::fs::read_dir(root().join("tests/cases")).expect("the cases").flatten();
        let mut cases: Vec<Case> = folders.map(|entry| Case::new(entry.path())).collect();
        cases.sort_by_key(Case::name);
        assert!(cases.len() > 30, "the cases are gone");
        cases
    }

    fn new(folder: PathBuf) -> Case {
        Case { folder }
    }

    /// The folder's name, which also names the test, its bucket and its schema.
    pub fn name(&self) -> String {
        self.folder.file_name().expect("a name").to_string_lossy().into_owned()
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// The case's files, in the order in which they come.
    pub fn inputs(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.folder).expect("the case").flatten();
        let mut inputs: Vec<String> = entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| INPUTS.iter().any(|ending| name.ends_with(ending)))
            .collect();
        inputs.sort();
        if inputs.is_empty() { vec!["input.csv".to_owned()] } else { inputs }
    }

    /// The bytes of a file, if there is such an object.
    pub fn content(&self, input: &str) -> Option<Vec<u8>> {
        let path = self.path(input);
        path.exists().then(|| std::fs::read(path).expect("reads"))
    }

    /// What the case itself gives the load of a file: the file's own arguments, or those for all
    /// files. Tests run in `tests/`, so messages have short names of files in them.
    pub fn given(&self, input: &str) -> Given {
        let own = self.path(&format!("{input}.arguments"));
        let arguments = lines(&if own.exists() { own } else { self.path("arguments") });
        let settings = self.path("loader.toml");
        let short = settings.strip_prefix(root().join("tests")).expect("it is below").to_owned();
        Given { arguments, settings: settings.exists().then_some(short) }
    }

    /// A bucket and a schema with the tables of the case.
    pub fn place(&self, suffix: &str) -> Place {
        let place = Place::new(&format!("case-{}{suffix}", self.name()));
        for statement in lines(&self.path("setup.sql")) {
            place.execute(&statement);
        }
        place
    }
}

/// Plans a load, and loads.
pub fn plan_and_load(place: &Place, input: &str, given: &Given) -> (Report, Report) {
    let planned = load("plan", place, input, given);
    (planned, load("run", place, input, given))
}

/// Plans or loads.
pub fn load(verb: &str, place: &Place, input: &str, given: &Given) -> Report {
    Report::of(run(&mut command(verb, place, input, given)))
}

/// The command that plans or loads. The default plugin is named, unless the arguments name others or there are
/// settings: a settings file that names no plugins leaves the load to the program's own.
pub fn command(verb: &str, place: &Place, input: &str, given: &Given) -> Command {
    let mut command = place.command(verb, input, "t");
    match &given.settings {
        // The settings of a remedy lie elsewhere, so they name the plugins' folder by a variable.
        Some(settings) => {
            let plugins = root().join("plugins");
            let command = command.env_remove("LOADER_PLUGINS").env("PLUGINS", plugins);
            command.arg("--config").arg(settings)
        }
        None => command.arg("--plugins").arg(plugin("default")),
    };
    command_line::replaced(&command, &given.arguments)
}

fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}
