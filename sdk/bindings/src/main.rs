//! Prints the Rust bindings of the contract: what `sdk/guest/src/bindings/plugin.generated` has to
//! be. In: the folder of the contract, `wit/0.1`. `cargo xtask check` compares.

use std::path::Path;
use std::process::ExitCode;

use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::{Files, WorldGenerator};
use wit_bindgen_rust::Opts;

fn main() -> ExitCode {
    let Some(contract) = std::env::args().nth(1) else {
        eprintln!("usage: loader-bindings FOLDER");
        return ExitCode::from(2);
    };
    let mut files = Files::default();
    if let Err(error) = generate(contract.as_ref(), &mut files) {
        eprintln!("{contract}: {error:?}");
        return ExitCode::FAILURE;
    }
    println!("// Made by sdk/bindings from {contract}/plugin.wit.");
    for (_, text) in files.iter() {
        print!("{}", String::from_utf8_lossy(text));
    }
    ExitCode::SUCCESS
}

/// The options are those of the macro that the SDK would call otherwise. A plugin's crate exports
/// its type with the macro that is made here, so the bindings are named by their full path.
fn generate(contract: &Path, files: &mut Files) -> Result<(), Box<dyn std::error::Error>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(contract)?;
    let world = resolve.select_world(&[package], Some("plugin"))?;
    let options = Opts {
        format: true,
        pub_export_macro: true,
        default_bindings_module: Some("loader_sdk::bindings".to_owned()),
        ..Opts::default()
    };
    Ok(options.build().generate(&mut resolve, world, files)?)
}
