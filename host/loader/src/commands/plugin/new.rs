//! `loader plugin new`: a plugin's crate that builds, with a test and a golden case that pass.

use std::path::{Path, PathBuf};

use loader_model::error::{Context, Error, Kind, Result};

use super::verdict::Verdict;
use crate::cli::plugin::{NewArgs, Template};
use crate::commands::print;

/// Where the SDK is in a checkout of the loader.
const SDK: &str = "sdk/guest";

/// A file of a new crate, and its text.
type TemplateFile = (&'static str, &'static str);

const EVERY_CRATE: [TemplateFile; 3] = [
    ("Cargo.toml", include_str!("template/Cargo.toml")),
    ("README.md", include_str!("template/README.md")),
    // The template has no dot: git would apply a `.gitignore` here to this repository.
    (".gitignore", include_str!("template/gitignore")),
];

const COLUMNS: [TemplateFile; 5] = [
    ("src/lib.rs", include_str!("template/columns/lib.rs")),
    ("tests/first/input.csv", include_str!("template/columns/tests/first/input.csv")),
    ("tests/first/config.toml", include_str!("template/columns/tests/first/config.toml")),
    ("tests/first/expected.csv", include_str!("template/columns/tests/first/expected.csv")),
    ("tests/first/rejects.csv", include_str!("template/columns/tests/first/rejects.csv")),
];

const ARROW: [TemplateFile; 4] = [
    ("src/lib.rs", include_str!("template/arrow/lib.rs")),
    ("tests/first/input.csv", include_str!("template/arrow/tests/first/input.csv")),
    ("tests/first/config.toml", include_str!("template/arrow/tests/first/config.toml")),
    ("tests/first/expected.csv", include_str!("template/arrow/tests/first/expected.csv")),
];

pub(super) fn run(args: &NewArgs) -> Result<Verdict> {
    let folder = &args.path;
    let name = name(folder)?;
    if folder.exists() {
        let fact = format!(
            "{} is there already; nothing is overwritten: choose another name",
            folder.display()
        );
        return Err(Error::new(Kind::Config, fact));
    }
    let sdk = sdk(args.sdk.as_deref(), folder)?;
    let (files, example) = template(args.template);
    let filled = |text: &str| {
        let text = text.replace("{{name}}", &name).replace("{{type}}", &type_name(&name));
        text.replace("{{sdk}}", &sdk).replace("{{example}}", example)
    };
    for (file, text) in EVERY_CRATE.iter().chain(files) {
        write(&folder.join(file), &filled(text))?;
    }
    print(&next_steps(folder, &name));
    Ok(Verdict::Good)
}

/// The files that only this template has, and the example of a config in them.
fn template(template: Template) -> (&'static [TemplateFile], &'static str) {
    match template {
        Template::Columns => (&COLUMNS, r#"{ column = "email" }"#),
        Template::Arrow => (&ARROW, r#"{ column = "note" }"#),
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::create_dir_all(path.parent().unwrap_or(path))
        .and_then(|()| std::fs::write(path, text))
        .context(Kind::Config, format!("{} cannot be written", path.display()))
}

fn next_steps(folder: &Path, name: &str) -> String {
    let dir = folder.display();
    format!(
        "{dir}/ is a plugin: src/lib.rs says what it does, tests/first/ is its first golden \
         case\n  cd {dir}\n  cargo test            # the logic, natively\n  loader plugin \
         test    # builds {name}.wasm and runs its cases in the sandbox\n"
    )
}

/// The crate's name: `mask-email` gives `mask_email`. It must do as the name of a crate, of a
/// library and of a file.
// cargo refuses `test` as the name of a crate: Rust's own test library has it. The sandbox cuts
// a plugin's name at 64 bytes, and a name that was cut would be another one in the report.
fn name(folder: &Path) -> Result<String> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().replace('-', "_");
    let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase());
    let goes_on_well =
        name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if starts_well && goes_on_well && name != "test" && name.len() <= 64 {
        return Ok(name);
    }
    let fact = format!(
        "\"{name}\" cannot name a plugin: use a-z first, then a-z, 0-9 and _, such as mask_email"
    );
    Err(Error::new(Kind::Config, fact))
}

/// The name of the plugin's type in Rust: `mask_email` becomes `MaskEmail`.
fn type_name(name: &str) -> String {
    // `name` lets only ASCII through, so the first byte is the first letter. A word is empty where
    // two underscores meet, as in `mask__email`.
    let capital = |word: &str| {
        let (first, rest) = word.split_at(usize::from(!word.is_empty()));
        format!("{}{rest}", first.to_uppercase())
    };
    name.split('_').map(capital).collect()
}

/// The dependency on the SDK, as TOML.
fn sdk(given: Option<&str>, folder: &Path) -> Result<String> {
    if let Some(url) = given.filter(|given| given.contains("://")) {
        return Ok(format!("{{ git = {} }}", toml_text(url)));
    }
    let dir = match given {
        Some(dir) => {
            is_sdk(Path::new(dir)).then(|| PathBuf::from(dir)).ok_or_else(|| no_sdk(dir))?
        }
        None => found_sdk(folder).ok_or_else(|| no_sdk("above here and above this program"))?,
    };
    let dir =
        dir.canonicalize().context(Kind::Config, format!("{} cannot be read", dir.display()))?;
    Ok(format!("{{ path = {} }}", toml_text(&dir.display().to_string())))
}

/// Looks for the SDK in every folder above the new crate, then in every folder above this program.
/// (For example, a `loader` that runs from `target/debug` of a checkout finds the SDK of that
/// checkout.)
fn found_sdk(folder: &Path) -> Option<PathBuf> {
    let folder = std::path::absolute(folder).ok()?;
    let program = std::env::current_exe().ok();
    let above = [Some(folder.as_path()), program.as_deref()]
        .into_iter()
        .flatten()
        .flat_map(Path::ancestors);
    above.map(|dir| dir.join(SDK)).find(|dir| is_sdk(dir))
}

fn is_sdk(dir: &Path) -> bool {
    std::fs::read_to_string(dir.join("Cargo.toml"))
        .is_ok_and(|manifest| manifest.contains("name = \"loader-sdk\""))
}

fn no_sdk(place: &str) -> Error {
    let fact = format!(
        "no SDK found {place}: name its folder, {SDK} in a checkout of loader, or the address of a \
         git repository, with --sdk"
    );
    Error::new(Kind::Config, fact)
}

/// Quotes a text for TOML, whose basic strings take the escapes that JSON writes.
fn toml_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_good_for_crates_files_and_types() {
        assert_eq!(name(Path::new("here/mask-email")).expect("good"), "mask_email");
        assert_eq!(type_name("mask_email_2"), "MaskEmail2");
        for bad in ["", "Mask", "2nd", "a b", "größe", "_x", "test", ".."] {
            let error = name(Path::new(bad)).expect_err(bad).to_string();
            assert!(error.contains("cannot name a plugin: use a-z first"), "{error}");
        }
    }

    #[test]
    fn an_sdk_is_a_folder_a_repository_or_an_error() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../sdk/guest")
            .canonicalize()
            .expect("the SDK");
        assert_eq!(
            sdk(None, Path::new("x")).expect("found"),
            format!("{{ path = \"{}\" }}", here.display())
        );
        let url = "https://example.org/loader.git";
        assert_eq!(
            sdk(Some(url), Path::new("x")).expect("taken"),
            format!("{{ git = \"{url}\" }}")
        );
        let error = sdk(Some("/nowhere"), Path::new("x")).expect_err("is none").to_string();
        assert_eq!(
            error,
            "no SDK found /nowhere: name its folder, sdk/guest in a checkout of loader, or the \
             address of a git repository, with --sdk"
        );
    }
}
