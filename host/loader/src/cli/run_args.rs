//! What every command can be told that works with the settings of a load.

use std::path::PathBuf;

use clap::Args;

use crate::settings::Settings;

/// Arguments of a load.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// File with settings (TOML), keys named as the flags; `none` for no file [default: the
    /// loader.toml of this folder or the nearest one above].
    #[arg(long, value_name = "FILE", env = "LOADER_CONFIG")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub settings: Settings,
}
