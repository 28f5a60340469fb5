//! The plugin that the command line names, with the settings that hold for it. `check`, `test` and
//! `bench` begin here.

use std::path::{Path, PathBuf};

use loader_data::failures::plugin_failure;
use loader_model::error::{Context, Kind, Result};
use loader_sandbox::{Checkup, Metering, Plugin, Runtime};

use super::build;
use crate::cli::RunArgs;
use crate::cli::plugin::SandboxArgs;
use crate::data_path::chain;
use crate::job::{self, TransformSettings};
use crate::settings::Settings;

/// A plugin's file, read, and the settings to run it with.
pub(super) struct GivenPlugin {
    pub(super) path: PathBuf,
    bytes: Vec<u8>,
    settings: Settings,
}

impl GivenPlugin {
    /// Reads the file. A folder is taken for a crate and built first: `.` gives the plugin of the
    /// crate that the shell is in.
    pub(super) fn read(file: &Path, sandbox: &SandboxArgs) -> Result<GivenPlugin> {
        let path = build::file(file)?;
        let bytes = read(&path)?;
        Ok(GivenPlugin { path, bytes, settings: settings(sandbox)? })
    }

    /// Whether the settings pin the file to a digest.
    pub(super) fn is_pinned(&self) -> bool {
        self.settings.pins_of(&self.path).next().is_some()
    }

    /// Checks the file against every digest that the settings pin it to.
    pub(super) fn check_pins(&self) -> Result<()> {
        self.settings.pins_of(&self.path).try_for_each(|(pinned, origin)| {
            chain::check_pin(&self.path, &self.bytes, pinned, origin)
        })
    }

    /// The plugin, ready to run.
    pub(super) fn load(&self, metering: Metering) -> Result<Plugin> {
        self.runtime(metering)?.load(&self.path, self.bytes.clone()).map_err(plugin_failure)
    }

    /// What the file says of itself, found without running it.
    pub(super) fn check_up(&self) -> Result<Checkup> {
        Ok(self.runtime(Metering::Off)?.check_up(&self.path, self.bytes.clone()))
    }

    fn runtime(&self, metering: Metering) -> Result<Runtime> {
        chain::runtime(&TransformSettings::decide(self.settings.clone())?, metering)
    }
}

fn settings(args: &SandboxArgs) -> Result<Settings> {
    let settings = Settings { plugin_cache: args.plugin_cache.clone(), ..Settings::default() };
    job::settings(RunArgs { config: args.config.clone(), settings })
}

/// The bytes of a file that the command line names. Errors: `Config`.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).context(Kind::Config, format!("{} cannot be read", path.display()))
}
