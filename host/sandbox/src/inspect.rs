//! Looks at a plugin's file before any of it is compiled.
//!
//! In: the bytes. Out: the plugin's name and version, and whether it wants WASI; or an error that
//! says what the file is instead (for example, "this is gzip; unpack it first"), which contract it
//! was made for, or which imports the sandbox does not offer. No code is run.

use std::fmt::Write as _;

use wasmparser::{
    ComponentName, ComponentNameSectionReader, Encoding, KnownCustom, Parser, Payload,
};

use crate::error::{PluginError, PluginErrorKind, tame};

/// The contract that this host speaks, as `major.minor`; a patch does not matter.
const CONTRACT: &str = "0.1";
const TRANSFORM: &str = "loader:plugin/transform";
const HOST: &str = "loader:plugin/host";
/// The packages of WASI 0.2 that the sandbox offers, in a closed form (see `wasi.rs`). `sockets`
/// and `http` are not among them.
const SERVED_WASI: [&str; 5] =
    ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/"];
const MAX_NAME_BYTES: usize = 64;

/// The name and the needs of a plugin, from its file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    /// From the component's name section.
    pub(crate) name: Option<String>,
    /// From the component's `version` section.
    pub(crate) version: Option<String>,
    /// The plugin imports interfaces of WASI.
    pub(crate) wants_wasi: bool,
}

/// Reads a component's outside; the errors do not name the plugin yet.
pub(crate) fn inspect(bytes: &[u8]) -> Result<Identity, PluginError> {
    let outside = Outside::of(bytes)?;
    check_contract(&outside)?;
    check_imports(&outside.imports)?;
    Ok(outside.identity())
}

/// The parts of a component that can be seen from outside.
#[derive(Default)]
pub(crate) struct Outside {
    pub(crate) imports: Vec<String>,
    exports: Vec<String>,
    pub(crate) name: Option<String>,
    pub(crate) version: Option<String>,
}

impl Outside {
    /// Reads the outside of a component.
    ///
    /// Errors: `NotAPlugin`, when the bytes are not a component, or a damaged one.
    pub(crate) fn of(bytes: &[u8]) -> Result<Outside, PluginError> {
        check_header(bytes)?;
        Outside::read(bytes)
            .map_err(|error| damaged(&format!("{} at byte {}", error.message(), error.offset())))
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity {
            wants_wasi: self.imports.iter().any(|name| name.starts_with("wasi:")),
            name: self.name.clone(),
            version: self.version.clone(),
        }
    }

    /// The contract's name and version as the file has it: `loader:plugin/transform@0.1.0`.
    pub(crate) fn contract(&self) -> Option<&str> {
        self.exports.iter().find(|name| name.starts_with(TRANSFORM)).map(String::as_str)
    }

    // The parser reports the sections of nested modules and components in line with the outer ones.
    // `depth` leaves them out: a component inside may import and export what it likes.
    fn read(bytes: &[u8]) -> Result<Outside, wasmparser::BinaryReaderError> {
        let mut outside = Outside::default();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                _ if depth > 0 => {}
                Payload::ComponentImportSection(imports) => {
                    for import in imports {
                        outside.imports.push(import?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(exports) => {
                    for export in exports {
                        outside.exports.push(export?.name.name.to_owned());
                    }
                }
                Payload::CustomSection(section) => match section.as_known() {
                    KnownCustom::ComponentName(names) => outside.name = component_name(names),
                    _ if section.name() == "version" => {
                        outside.version = std::str::from_utf8(section.data()).ok().and_then(label);
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        Ok(outside)
    }
}

/// The component's name from its name section. A broken name section gives no name and no error.
fn component_name(names: ComponentNameSectionReader<'_>) -> Option<String> {
    names.into_iter().flatten().find_map(|name| match name {
        ComponentName::Component { name, .. } => label(name),
        _ => None,
    })
}

/// A name or version fit for messages; `None` when nothing is left of it.
fn label(text: &str) -> Option<String> {
    Some(tame(text.trim(), MAX_NAME_BYTES)).filter(|label| !label.is_empty())
}

/// Refuses bytes that are not WebAssembly, and core modules.
fn check_header(bytes: &[u8]) -> Result<(), PluginError> {
    if !bytes.starts_with(b"\0asm") {
        return Err(not_a_plugin(format!("not WebAssembly: {}", first_bytes(bytes)))
            .remedy("--plugins takes .wasm files that `cargo xtask plugins` or an SDK has built"));
    }
    match Parser::new(0).parse_all(bytes).next() {
        Some(Ok(Payload::Version { encoding: Encoding::Component, .. })) => Ok(()),
        Some(Ok(Payload::Version { encoding: Encoding::Module, .. })) => {
            Err(not_a_plugin("a core WebAssembly module, not a component")
                .remedy("make it one with `cargo xtask plugins`, or `wasm-tools component new`"))
        }
        _ => Err(damaged("its header is no WebAssembly header")),
    }
}

/// Refuses a component that does not export the contract, or exports another version of it.
pub(crate) fn check_contract(outside: &Outside) -> Result<(), PluginError> {
    let mut found = false;
    for name in outside.exports.iter().chain(&outside.imports) {
        let Some((interface @ (TRANSFORM | HOST), version)) = name.split_once('@') else {
            continue;
        };
        if !speaks(version) {
            return Err(wrong_version(&tame(version, MAX_NAME_BYTES)));
        }
        found |= interface == TRANSFORM;
    }
    match found {
        true => Ok(()),
        false => Err(not_a_plugin(format!(
            "a component, but it does not export {TRANSFORM}@{CONTRACT}; {}",
            exports(outside)
        ))
        .remedy("a plugin is made with `loader-sdk`, or from wit/0.1")),
    }
}

// `0.1.0` and `0.1.9` fit. `0.10.0` also begins with `0.1`, but no point follows; and a pre-release
// such as `0.1.0-rc.1` may differ from the release.
fn speaks(version: &str) -> bool {
    version
        .strip_prefix(CONTRACT)
        .is_some_and(|patch| patch.starts_with('.') && !patch.contains('-'))
}

fn wrong_version(version: &str) -> PluginError {
    let parts: Vec<&str> = version.split('.').collect();
    let short = match parts.as_slice() {
        [major, minor, ..] if !version.contains('-') => format!("{major}.{minor}"),
        _ => version.to_owned(),
    };
    PluginError::new(
        PluginErrorKind::ContractVersion,
        format!("needs loader:plugin {short}; this loader speaks {CONTRACT}"),
    )
    .remedy("upgrade loader, or build the plugin with the SDK of this release")
}

fn exports(outside: &Outside) -> String {
    match outside.exports.as_slice() {
        [] => "it exports nothing".to_owned(),
        names => format!("it exports {}", list(names)),
    }
}

/// Refuses imports that the sandbox does not offer.
pub(crate) fn check_imports(imports: &[String]) -> Result<(), PluginError> {
    let forbidden: Vec<String> = imports.iter().filter(|name| !is_offered(name)).cloned().collect();
    if forbidden.is_empty() {
        return Ok(());
    }
    let fact = format!("imports what the sandbox does not offer: {}", list(&forbidden));
    Err(PluginError::new(PluginErrorKind::ForbiddenImport, fact).remedy(way_without(&forbidden)))
}

fn way_without(forbidden: &[String]) -> &'static str {
    let is_network =
        |name: &String| name.starts_with("wasi:http") || name.starts_with("wasi:sockets");
    match forbidden.iter().any(is_network) {
        true => {
            "a plugin has no network: build it without, e.g. for wasm32-unknown-unknown, or with \
             stubs for WASI"
        }
        false => {
            "a plugin may import loader:plugin/host, and of WASI 0.2 cli, clocks, filesystem, io \
             and random"
        }
    }
}

fn is_offered(import: &str) -> bool {
    match import.split_once('@') {
        Some((name, version)) => {
            name == HOST && speaks(version)
                || version.starts_with("0.2.")
                    && SERVED_WASI.iter().any(|package| name.starts_with(package))
        }
        None => false,
    }
}

/// Lists at most eight names, tamed.
pub(crate) fn list(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut text =
        names.iter().take(SHOWN).map(|name| tame(name, 100)).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        let _ = write!(text, " and {} more", names.len() - SHOWN);
    }
    text
}

/// Describes a file whose first bytes are not those of WebAssembly.
// The cut at 256 bytes may go through a character. The text up to it is then still text.
fn first_bytes(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(&bytes[..bytes.len().min(256)])
        .or_else(|error| std::str::from_utf8(&bytes[..error.valid_up_to()]))
        .unwrap_or_default();
    if let Some(known) = known_format(bytes).or_else(|| known_text(text)) {
        return known.to_owned();
    }
    let is_text = text.len() >= 4 && !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    match is_text {
        true => format!(
            "this is text that begins with {:?}",
            tame(text.lines().next().unwrap_or_default(), 24)
        ),
        false => format!("it begins with the bytes {:02x?}", &bytes[..bytes.len().min(8)]),
    }
}

fn known_format(bytes: &[u8]) -> Option<&'static str> {
    Some(match bytes {
        [] => "the file is empty",
        [0x7f, b'E', b'L', b'F', ..] => "this is an ELF program or library",
        [b'M', b'Z', ..] => "this is a Windows program",
        [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] => "this is a macOS program or library",
        [0x1f, 0x8b, ..] => "this is gzip; unpack it first",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "this is zstd; unpack it first",
        [b'P', b'K', 3, 4, ..] => "this is a zip archive; unpack it first",
        _ => return None,
    })
}

fn known_text(text: &str) -> Option<&'static str> {
    const STARTS: [(&str, &str); 6] = [
        ("<!doctype html", "this is HTML, perhaps an error page"),
        ("<html", "this is HTML, perhaps an error page"),
        ("<", "this is XML or HTML, perhaps an error page"),
        ("version https://git-lfs", "this is a Git LFS pointer; run `git lfs pull`"),
        ("(module", "this is WebAssembly text; assemble it first"),
        ("(component", "this is WebAssembly text; assemble it first"),
    ];
    let lower = text.trim_start().to_ascii_lowercase();
    STARTS.into_iter().find(|(start, _)| lower.starts_with(start)).map(|(_, known)| known)
}

fn damaged(fact: &str) -> PluginError {
    not_a_plugin(format!("damaged: {fact}")).remedy("build or copy it again")
}

fn not_a_plugin(fact: impl Into<String>) -> PluginError {
    PluginError::new(PluginErrorKind::NotAPlugin, fact)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> String {
        inspect(bytes).expect_err("is refused").to_string()
    }

    fn component(text: &str) -> Vec<u8> {
        wat::parse_str(text).unwrap()
    }

    #[test]
    fn says_what_the_file_is_instead() {
        insta::assert_snapshot!(refusal(b""), @"not WebAssembly: the file is empty; --plugins takes .wasm files that `cargo xtask plugins` or an SDK has built");
        insta::assert_snapshot!(refusal(b"<!DOCTYPE \
                                          html><title>404"), @"not WebAssembly: this is HTML, perhaps an error page; --plugins takes .wasm files that `cargo xtask plugins` or an SDK has built");
        insta::assert_snapshot!(refusal(b"\x7fELF\x02\x01"), @"not WebAssembly: this is an ELF program or library; --plugins takes .wasm files that `cargo xtask plugins` or an SDK has built");
        insta::assert_snapshot!(refusal(b"a,b\n1,2\n"), @r#"not WebAssembly: this is text that begins with "a,b"; --plugins takes .wasm files that `cargo xtask plugins` or an SDK has built"#);
        insta::assert_snapshot!(refusal(b"\xff\xd8\xff\xe0"), @"not WebAssembly: it begins with the bytes [ff, d8, ff, e0]; --plugins takes .wasm files that `cargo xtask plugins` or an SDK has built");
        insta::assert_snapshot!(refusal(&component("(module)")), @"a core WebAssembly module, not a component; make it one with `cargo xtask plugins`, or `wasm-tools component new`");
        insta::assert_snapshot!(refusal(b"\0asm\x63\0\x07\0"), @"damaged: its header is no WebAssembly header; build or copy it again");
    }

    #[test]
    fn a_component_that_is_no_plugin() {
        insta::assert_snapshot!(refusal(&component("(component)")), @"a component, but it does not export loader:plugin/transform@0.1; it exports nothing; a plugin is made with `loader-sdk`, or from wit/0.1");
        let other = "(component (instance $i) (export \"wasi:cli/run@0.2.6\" (instance $i)))";
        insta::assert_snapshot!(refusal(&component(other)), @"a component, but it does not export loader:plugin/transform@0.1; it exports wasi:cli/run@0.2.6; a plugin is made with `loader-sdk`, or from wit/0.1");
    }

    #[test]
    fn a_plugin_for_another_contract() {
        let later =
            "(component (instance $i) (export \"loader:plugin/transform@0.3.1\" (instance $i)))";
        insta::assert_snapshot!(refusal(&component(later)), @"needs loader:plugin 0.3; this loader speaks 0.1; upgrade loader, or build the plugin with the SDK of this release");
    }

    #[test]
    fn imports_that_the_sandbox_does_not_offer() {
        let greedy =
            "(component (import \"wasi:http/types@0.2.6\" (instance)) (import \"wasi:io/poll@0.2.6\" (instance))
            (import \"env\" (func)) (instance $i) (export \"loader:plugin/transform@0.1.0\" (instance $i)))";
        insta::assert_snapshot!(refusal(&component(greedy)), @"imports what the sandbox does not offer: wasi:http/types@0.2.6, env; a plugin has no network: build it without, e.g. for wasm32-unknown-unknown, or with stubs for WASI");
        let later = "(component (import \"loader:plugin/host@0.2.0\" (instance)) (instance $i)
            (export \"loader:plugin/transform@0.1.0\" (instance $i)))";
        insta::assert_snapshot!(refusal(&component(later)), @"needs loader:plugin 0.2; this loader speaks 0.1; upgrade loader, or build the plugin with the SDK of this release");
    }

    #[test]
    fn identity_comes_from_the_metadata() {
        let named = component(
            "(component $tidy (@custom \"version\" \"1.2.3\") (import \"wasi:io/poll@0.2.6\" (instance)) (instance $i)
            (export \"loader:plugin/transform@0.1.9\" (instance $i)))",
        );
        let identity = inspect(&named).unwrap();
        assert_eq!(
            identity,
            Identity { name: Some("tidy".into()), version: Some("1.2.3".into()), wants_wasi: true }
        );
    }

    #[test]
    fn a_cut_file_is_damaged() {
        let whole = component(
            "(component (instance) (export \"loader:plugin/transform@0.1.0\" (instance 0)))",
        );
        assert!(inspect(&whole).is_ok());
        for length in 0..whole.len() {
            assert!(
                inspect(&whole[..length]).is_err(),
                "{length} bytes of {} were taken",
                whole.len()
            );
        }
    }
}
