//! `loader plugin build`, and plugins that are named by their crate's folder: built first, then
//! used.

use std::path::{Path, PathBuf};

use loader_build::{BuildError, Built, Toolchain, Workspace};
use loader_model::error::{Error, Kind, Result};

use super::verdict::Verdict;
use crate::cli::plugin::BuildArgs;
use crate::commands::print;

pub(super) fn run(args: &BuildArgs) -> Result<Verdict> {
    let toolchain = Toolchain::add().map_err(failure)?;
    let (_, about) = built(&args.dir, args.output.as_deref(), &toolchain)?;
    print(&about);
    Ok(Verdict::Good)
}

/// The plugin's file: the path itself, or what is built of the crate whose folder it is.
pub(super) fn file(path: &Path) -> Result<PathBuf> {
    if !path.is_dir() {
        return Ok(path.to_path_buf());
    }
    // A test or a check installs nothing: its caller did not ask for that.
    let toolchain = Toolchain::present().map_err(failure)?;
    let (file, about) = built(path, None, &toolchain)?;
    eprint!("{about}");
    Ok(file)
}

/// Builds the crate in `dir` into its file; the file, and a line about it.
fn built(dir: &Path, output: Option<&Path>, toolchain: &Toolchain) -> Result<(PathBuf, String)> {
    let built = compiled(dir, toolchain)?;
    let path = output.map_or_else(|| dir.join(format!("{}.wasm", built.name)), Path::to_path_buf);
    built.write(&path).map_err(failure)?;
    let size = built.bytes.len().div_ceil(1024);
    let about =
        format!("{} {} {size} KiB sha256 {}\n", path.display(), built.version, built.sha256());
    Ok((path, about))
}

fn compiled(dir: &Path, toolchain: &Toolchain) -> Result<Built> {
    let workspace = Workspace::read(dir).map_err(failure)?;
    let plugin = workspace.plugin_in(dir).map_err(failure)?;
    eprintln!("building {}", plugin.name);
    let built = workspace.build(std::slice::from_ref(&plugin), toolchain, None).map_err(failure)?;
    built.into_iter().next().ok_or_else(|| Error::new(Kind::Internal, "a build without an outcome"))
}

fn failure(error: BuildError) -> Error {
    Error::new(Kind::Plugin, error.to_string())
}
