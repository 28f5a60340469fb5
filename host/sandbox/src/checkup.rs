//! A checkup of a plugin's file: all facts about the file without running it, and all mistakes in
//! it at once.
//!
//! Loading a plugin stops at the first mistake. A checkup goes on as far as it can, because its
//! reader wants to mend all mistakes. Only the config schema cannot be learnt without running the
//! plugin.

use std::path::Path;

use crate::config;
use crate::digest::sha256_hex;
use crate::error::{PluginError, tame};
use crate::inspect::{Identity, Outside, check_contract, check_imports, list};
use crate::limits::size;
use crate::plugin::Plugin;
use crate::runtime::Runtime;

/// The facts about a plugin's file, and the findings.
#[derive(Debug)]
pub struct Checkup {
    /// The name in the component's metadata, if there is one.
    pub name: Option<String>,
    /// The version in the component's metadata, if there is one.
    pub version: Option<String>,
    /// The SHA-256 of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// The file's size in bytes.
    pub size_bytes: usize,
    /// The component's imports, in the file's order.
    pub imports: Vec<String>,
    /// One finding for each subject that was checked.
    pub findings: Vec<Finding>,
    /// The plugin, if nothing is wrong with the file.
    pub plugin: Option<Plugin>,
}

/// The result of one check.
#[derive(Debug)]
pub struct Finding {
    /// The subject of the check: `size`, `format`, `contract`, `imports`, `types`, `name`,
    /// `version`, `config schema`.
    pub about: &'static str,
    /// The fact that was found, or the mistake and its remedy.
    pub found: Result<String, PluginError>,
}

impl Checkup {
    fn add(&mut self, about: &'static str, found: Result<String, PluginError>) -> bool {
        let good = found.is_ok();
        self.findings.push(Finding { about, found });
        good
    }

    /// Asks the plugin for its config schema, which runs it, and checks that it is a JSON Schema.
    pub fn ask_for_config_schema(&mut self) {
        let Some(plugin) = &self.plugin else { return };
        let found = plugin.config_schema().and_then(|schema| match schema {
            None => Ok("none: it takes no settings".to_owned()),
            Some(schema) => {
                config::check_schema(&schema, plugin.limits().plan_seconds)?;
                Ok(format!("a JSON Schema of {}", size(schema.len())))
            }
        });
        self.add("config schema", found);
    }
}

impl Runtime {
    /// Checks a plugin's file and compiles it, without running any of it. `path` is used only as
    /// the plugin's name.
    // The size does not end the checkup, but a file that is too large is never compiled: compiling
    // hostile code can take any time.
    pub fn check_up(&self, path: &Path, bytes: Vec<u8>) -> Checkup {
        let mut checkup = Checkup {
            name: None,
            version: None,
            sha256: sha256_hex(&bytes),
            size_bytes: bytes.len(),
            imports: Vec::new(),
            findings: Vec::new(),
            plugin: None,
        };
        let fits = checkup.add("size", self.size_of_limit(bytes.len()));
        match Outside::of(&bytes) {
            Ok(outside) => {
                checkup.add("format", Ok("a WebAssembly component".to_owned()));
                if checkup.boundary_fits(&outside) && fits {
                    checkup.compile(self, path, bytes, outside.identity());
                }
                checkup.call_itself(outside.name, outside.version);
            }
            Err(error) => {
                checkup.add("format", Err(error));
            }
        }
        checkup
    }

    fn size_of_limit(&self, bytes: usize) -> Result<String, PluginError> {
        self.check_size(bytes)?;
        Ok(format!("{}, of {}", size(bytes), size(self.limits().plugin_bytes)))
    }
}

impl Checkup {
    /// Whether this host offers the file's contract and imports.
    // Both findings are added before `&&`, which would skip the second one after a bad first.
    fn boundary_fits(&mut self, outside: &Outside) -> bool {
        let contract =
            check_contract(outside).map(|()| tame(outside.contract().unwrap_or_default(), 100));
        let imports = check_imports(&outside.imports).map(|()| match outside.imports.is_empty() {
            true => "nothing".to_owned(),
            false => list(&outside.imports),
        });
        self.imports = outside.imports.iter().map(|import| tame(import, 100)).collect();
        let speaks = self.add("contract", contract);
        let closed = self.add("imports", imports);
        speaks && closed
    }

    fn compile(&mut self, runtime: &Runtime, path: &Path, bytes: Vec<u8>, identity: Identity) {
        let sha256 = self.sha256.clone();
        let made = runtime
            .component(path, &sha256, bytes)
            .and_then(|component| runtime.link(&component, &identity))
            .map(|pre| runtime.plugin(path, sha256, identity, pre));
        let types = made.map(|plugin| {
            self.plugin = Some(plugin);
            "it compiles, and its functions have the contract's types".to_owned()
        });
        self.add("types", types);
    }

    fn call_itself(&mut self, name: Option<String>, version: Option<String>) {
        (self.name, self.version) = (name.clone(), version.clone());
        let missing =
            |what: &str, instead: &str| format!("no {what} in its metadata: {instead} is used");
        self.add("name", Ok(name.unwrap_or_else(|| missing("name", "the file's name"))));
        self.add("version", Ok(version.unwrap_or_else(|| missing("version", "0"))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CacheLocation, Limits};

    fn check(limits: Limits, text: &str) -> String {
        let bytes = wat::parse_str(text).unwrap();
        let runtime = Runtime::new(limits, CacheLocation::Off).unwrap();
        let checkup = runtime.check_up(Path::new("some.wasm"), bytes);
        let mut lines =
            format!("good: {}\n", checkup.findings.iter().all(|finding| finding.found.is_ok()));
        for finding in &checkup.findings {
            match &finding.found {
                Ok(found) => lines.push_str(&format!("{}: {found}\n", finding.about)),
                Err(error) => lines.push_str(&format!("{}: WRONG: {error}\n", finding.about)),
            }
        }
        lines
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let greedy =
            "(component $greedy (import \"wasi:http/types@0.2.6\" (instance)) (instance $i)
            (export \"loader:plugin/transform@0.7.0\" (instance $i)))";
        insta::assert_snapshot!(check(Limits { plugin_bytes: 10, ..Limits::default() }, greedy), @"
        good: false
        size: WRONG: its 116 bytes are more than plugin_bytes = 10 bytes; raise it in [limits] or build a smaller plugin
        format: a WebAssembly component
        contract: WRONG: needs loader:plugin 0.7; this loader speaks 0.1; upgrade loader, or build the plugin with the SDK of this release
        imports: WRONG: imports what the sandbox does not offer: wasi:http/types@0.2.6; a plugin has no network: build it without, e.g. for wasm32-unknown-unknown, or with stubs for WASI
        name: greedy
        version: no version in its metadata: 0 is used
        ");
    }

    #[test]
    fn a_contract_in_name_only_shows_in_its_types() {
        let hollow = "(component (@custom \"version\" \"1.2.3\") (instance $i)
            (export \"loader:plugin/transform@0.1.0\" (instance $i)))";
        insta::assert_snapshot!(check(Limits::default(), hollow), @"
        good: false
        size: 89 bytes, of 32 MiB
        format: a WebAssembly component
        contract: loader:plugin/transform@0.1.0
        imports: nothing
        types: WRONG: does not fit loader:plugin 0.1: instance export `loader:plugin/transform@0.1.0` does not have export `config-schema`; build it from wit/0.1 of this release
        name: no name in its metadata: the file's name is used
        version: 1.2.3
        ");
    }

    #[test]
    fn what_is_no_component_ends_the_checkup() {
        insta::assert_snapshot!(check(Limits::default(), "(module)"), @"
        good: false
        size: 8 bytes, of 32 MiB
        format: WRONG: a core WebAssembly module, not a component; make it one with `cargo xtask plugins`, or `wasm-tools component new`
        ");
    }
}
