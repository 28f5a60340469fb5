//! What every row is measured with: our programs, the others, the machine, and a place for files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::machine::{Machine, today};
use super::options::{Options, Programs};
use super::peers::{Peer, ReadyPeer};
use super::record::Record;
use super::row::Row;
use crate::failure::{Failure, failure};
use crate::run::{cargo, output, root, target, watched};
use crate::{plugins, setup};

/// Built together, so that all are of the same crates with the same features.
const PACKAGES: [&str; 3] = ["loader", "loader-local", "loader-bench"];

/// What rows are measured with.
pub(super) struct Workbench {
    pub(super) runs: usize,
    pub(super) scale: f64,
    pub(super) machine: Machine,
    pub(super) peers: Vec<ReadyPeer>,
    /// Which others are missing, and why.
    missing: Vec<String>,
    versions: BTreeMap<String, String>,
    folder: tempfile::TempDir,
}

impl Workbench {
    /// Builds what is measured, and installs what it is compared with. A program of others that
    /// cannot be had is a line below the table.
    pub(super) fn prepare(options: &Options) -> Result<Workbench, Failure> {
        if options.rows.iter().any(|row| row.wants_stand_in()) {
            setup::postgres()?;
        }
        match options.programs {
            Programs::Built => build()?,
            Programs::AsTheyAre => are_there()?,
        }
        let folder = target().join("bench");
        let made = std::fs::create_dir_all(&folder).and_then(|()| tempfile::tempdir_in(&folder));
        let mut bench = Workbench {
            runs: options.runs,
            scale: options.scale,
            machine: Machine::here()?,
            peers: Vec::new(),
            missing: Vec::new(),
            versions: BTreeMap::new(),
            folder: made.or_else(|error| failure(format!("no temporary folder: {error}")))?,
        };
        bench.versions.insert("loader".to_owned(), bench.own_version(options.programs)?);
        if options.rows.iter().any(|row| row.has_peers()) {
            bench.invite_peers()?;
        }
        bench.compile_plugin()?;
        Ok(bench)
    }

    fn invite_peers(&mut self) -> Result<(), Failure> {
        for peer in Peer::ALL {
            match peer.ready() {
                Ok(ready) => {
                    self.versions.insert(peer.name().to_owned(), peer.version().to_owned());
                    self.versions.insert("python".to_owned(), ready.python_version()?);
                    self.peers.push(ready);
                }
                Err(error) => {
                    let (title, version) = (peer.title(), peer.version());
                    let first = error.to_string().lines().next().unwrap_or_default().to_owned();
                    self.missing.push(format!("{title} {version} could not be had: {first}"));
                }
            }
        }
        Ok(())
    }

    /// Such as `0.1.0 (766445c)`. The commit is known only of what was built just now.
    fn own_version(&self, programs: Programs) -> Result<String, Failure> {
        let said = output(self.loader().arg("--version"))?;
        let version = said.trim().trim_start_matches("loader").trim().to_owned();
        let git = |words: &[&str]| output(Command::new("git").args(words).current_dir(root()));
        match (programs, git(&["rev-parse", "--short", "HEAD"])) {
            (Programs::Built, Ok(commit)) => {
                let changed = git(&["status", "--porcelain", "--untracked-files=no"]);
                let changed = changed.is_ok_and(|changed| !changed.trim().is_empty());
                let changed = if changed { " and changes" } else { "" };
                Ok(format!("{version} ({}{changed})", commit.trim()))
            }
            _ => Ok(version),
        }
    }

    /// Lets the program compile the plugins once. That takes 0.4 s, and every later start takes the
    /// compiled form from the disk; so do all runs that are measured.
    fn compile_plugin(&self) -> Result<(), Failure> {
        let (source, written) = (self.path("first.csv"), self.path("first.parquet"));
        let text = std::fs::write(&source, "id,amount\n1,0.5\n");
        text.or_else(|error| failure(format!("{} cannot be written: {error}", source.display())))?;
        let transform = |plugins: &Path| {
            let mut loader = self.loader();
            loader.arg("transform").arg(&source).arg("-o").arg(&written);
            output(loader.args(["--config", "none", "--plugins"]).arg(plugins)).map(drop)
        };
        transform(Path::new("default"))?;
        transform(&self.plugin())
    }

    pub(super) fn loader(&self) -> Command {
        let mut command = Command::new(program("loader"));
        // What a developer has set for other runs would be measured, too.
        command.env_remove("RUST_LOG").env_remove("LOADER_CONFIG");
        command
    }

    pub(super) fn sandbox_bench(&self) -> Command {
        Command::new(program("loader-bench"))
    }

    /// The default plugin.
    pub(super) fn plugin(&self) -> PathBuf {
        root().join("plugins/default.wasm")
    }

    /// A place for a file, which is gone when all is measured.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A record that is still without figures. Only rows that are compared name the others.
    pub(super) fn record(&self, row: Row, title: String) -> Result<Record, Failure> {
        let of_row = |name: &str| row.has_peers() || name == "loader";
        let versions = self.versions.iter().filter(|(name, _)| of_row(name));
        let (date, machine) = (today()?, self.machine.clone());
        Ok(Record {
            row: row.name().to_owned(),
            title,
            date,
            machine,
            versions: versions.map(|(name, version)| (name.clone(), version.clone())).collect(),
            notes: if row.has_peers() { self.missing.clone() } else { Vec::new() },
            ..Record::default()
        })
    }
}

fn build() -> Result<(), Failure> {
    plugins::build_plugins(&setup::toolchain()?, &[])?;
    let mut cargo = cargo(&["build", "--release"]);
    watched(PACKAGES.iter().fold(&mut cargo, |cargo, package| cargo.args(["--package", package])))
}

/// Errors: a program or the plugin is missing.
fn are_there() -> Result<(), Failure> {
    let plugin = root().join("plugins/default.wasm");
    let files = ["loader", "loader-local"].into_iter().map(program).chain([plugin]);
    let missing: Vec<String> =
        files.filter(|file| !file.exists()).map(|file| file.display().to_string()).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => failure(format!(
            "{} is missing; without --no-build this command builds it",
            missing.join(", ")
        )),
    }
}

/// A program of the release build.
fn program(name: &str) -> PathBuf {
    let path = target().join("release").join(name);
    std::path::absolute(&path).unwrap_or(path)
}
