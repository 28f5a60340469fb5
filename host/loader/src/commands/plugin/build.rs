//! `loader plugin build`, and plugins that are named by their crate's folder: built first, then
//! used.

use std::path::{Path, PathBuf};

use loader_build::{BuildError, Toolchain, Workspace};

use super::Verdict;
use crate::cli::plugin::BuildArgs;
use crate::commands::print;
use loader_model::error::{Error, Kind, Result};

pub(super) fn run(args: &BuildArgs) -> Result<Verdict> {
    let toolchain = Toolchain::find().map_err(failure)?;
    let (_, about) = built(&args.dir, args.output.as_deref(), &toolchain)?;
    print(&about);
    Ok(Verdict::Good)
}

/// The plugin's file: the path itself, or what is built of the crate whose folder it is.
pub(super) fn file(path: &Path) -> Result<PathBuf> {
    if !path.is_dir() {
        return Ok(path.to_path_buf());
    }
    // Nobody expects a test to install something.
    let toolchain = Toolchain::present().map_err(failure)?;
    let (file, about) = built(path, None, &toolchain)?;
    eprint!("{about}");
    Ok(file)
}

/// Builds the crate in `dir`; the file, and a line about it.
fn built(dir: &Path, output: Option<&Path>, toolchain: &Toolchain) -> Result<(PathBuf, String)> {
    let workspace = Workspace::read(dir).map_err(failure)?;
    let plugin = workspace.plugin_in(dir).map_err(failure)?;
    eprintln!("building {}", plugin.name);
    let built = workspace.build(std::slice::from_ref(&plugin), toolchain, None).map_err(failure)?;
    let Some(built) = built.first() else {
        return Err(Error::new(Kind::Internal, "a build without an outcome".to_owned()));
    };
    let path = output.map_or_else(|| dir.join(format!("{}.wasm", built.name)), Path::to_path_buf);
    built.write(&path).map_err(failure)?;
    let size = built.bytes.len().div_ceil(1024);
    let about =
        format!("{} {} {size} KiB sha256 {}\n", path.display(), built.version, built.sha256());
    Ok((path, about))
}

fn failure(error: BuildError) -> Error {
    Error::new(Kind::Plugin, error.to_string())
}
