//! What was published of the plugin contract stays as it is: `wit/published.toml` has the digest of
//! each version. And the bindings that the SDK keeps are those of the contract.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::failure::{Failure, failure};
use crate::run::{cargo, output, root, target, watched};

/// The contract that the SDK speaks, and its bindings.
const SPOKEN: &str = "wit/0.1";
const BINDINGS: &str = "sdk/guest/src/bindings/plugin.generated";
const GENERATOR: &str = "sdk/bindings/Cargo.toml";

const PUBLISHED: &str = "wit/published.toml";

/// Compares `wit/*/plugin.wit` with the digests.
pub(crate) fn check() -> Result<(), Failure> {
    let published = read(&root().join(PUBLISHED))?;
    let published: BTreeMap<String, String> =
        toml::from_str(&published).or_else(|error| failure(format!("{PUBLISHED}: {error}")))?;
    let mut contracts = BTreeMap::new();
    for version in folders(&root().join("wit"))? {
        let text = read(&root().join("wit").join(&version).join("plugin.wit"))?;
        contracts.insert(version, text);
    }
    let wrong = differences(&published, &contracts);
    if wrong.is_empty() { Ok(()) } else { failure(wrong.join("\n")) }
}

/// Makes the bindings anew, and compares.
pub(crate) fn check_bindings() -> Result<(), Failure> {
    let program = ["--locked", "--manifest-path", GENERATOR];
    let target = target().join("bindings");
    watched(cargo(&["build"]).args(program).arg("--target-dir").arg(&target))?;
    let mut generator = Command::new(target.join("debug/loader-bindings"));
    let made = output(generator.arg(SPOKEN).current_dir(root()))?;
    if made == read(&root().join(BINDINGS))? {
        return Ok(());
    }
    failure(format!(
        "{BINDINGS} is not what wit-bindgen makes of {SPOKEN}; write it anew: cargo run \
         --manifest-path {GENERATOR} -- {SPOKEN} > {BINDINGS}"
    ))
}

/// One sentence for each version that is not what was published, or was not published.
fn differences(
    published: &BTreeMap<String, String>,
    contracts: &BTreeMap<String, String>,
) -> Vec<String> {
    let changed = contracts.iter().flat_map(|(version, text)| {
        let known = published.get(version).map(String::as_str);
        [difference(version, text, known), misnamed(version, text)]
    });
    let gone = published.keys().filter(|version| !contracts.contains_key(*version));
    let gone = gone.map(|version| {
        format!("wit/{version} is gone: plugins that exist were built for it; bring it back")
    });
    changed.flatten().chain(gone).collect()
}

/// How a contract differs from the digest that is known of its version.
fn difference(version: &str, text: &str, known: Option<&str>) -> Option<String> {
    let digest = digest(text);
    match known {
        Some(known) if known == digest => None,
        Some(_) => Some(format!(
            "wit/{version}/plugin.wit is not what was published: plugins that exist were built \
             for it; undo the change, or make a new version beside it (docs/wit-changelog.md)"
        )),
        None => Some(format!(
            "wit/{version} is new: when it is final, add `\"{version}\" = \"{digest}\"` to \
             {PUBLISHED} and an entry to docs/wit-changelog.md"
        )),
    }
}

/// A contract's text names the version that its folder is called.
fn misnamed(version: &str, text: &str) -> Option<String> {
    let package = format!("package loader:plugin@{version}.0;");
    (!text.contains(&package)).then(|| format!("wit/{version}/plugin.wit does not say `{package}`"))
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn folders(dir: &Path) -> Result<Vec<String>, Failure> {
    let unreadable = |error| Failure(format!("{}: {error}", dir.display()));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).or_else(|error| failure(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
    }

    #[test]
    fn a_contract_is_changed_by_a_new_version_only() {
        let one = "package loader:plugin@0.1.0;\n";
        let published = map(&[("0.1", &digest(one))]);
        assert_eq!(differences(&published, &map(&[("0.1", one)])), [""; 0]);
        let changed = differences(&published, &map(&[("0.1", "package loader:plugin@0.1.0;\n\n")]));
        assert!(
            changed[0].starts_with("wit/0.1/plugin.wit is not what was published"),
            "{changed:?}"
        );
        let added = differences(&published, &map(&[("0.1", one), ("0.2", one)]));
        assert!(
            added[0].starts_with("wit/0.2 is new") && added[1].contains("@0.2.0;"),
            "{added:?}"
        );
        assert!(differences(&published, &map(&[]))[0].starts_with("wit/0.1 is gone"));
    }

    #[test]
    fn what_is_here_was_published() {
        check().expect("as published");
    }
}
