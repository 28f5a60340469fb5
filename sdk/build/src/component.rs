//! From a core module, as the compiler leaves it, to a component that says its name and version and
//! imports nothing but the host.

use wasm_encoder::{ComponentNameSection, ComponentSection, CustomSection};
use wit_component::{ComponentEncoder, DecodedWasm};

/// What plugins may import.
const HOST: &str = "loader:plugin/host@";

/// Wraps a module; adds name and version where `wasm-tools metadata` and the host look for them.
pub(crate) fn from_module(module: &[u8], name: &str, version: &str) -> Result<Vec<u8>, String> {
    let encode = || ComponentEncoder::default().module(module)?.validate(true).encode();
    let mut component = encode().map_err(|error| format!("making it a component: {error:#}"))?;
    let foreign = foreign_imports(&component)?;
    if !foreign.is_empty() {
        let foreign = foreign.join(", ");
        return Err(format!(
            "imports {foreign}, which no sandbox needs; only loader:plugin/host may be imported"
        ));
    }
    add_identity(&mut component, name, version);
    Ok(component)
}

fn add_identity(component: &mut Vec<u8>, name: &str, version: &str) {
    let mut names = ComponentNameSection::new();
    names.component(name);
    names.append_to_component(component);
    let version = CustomSection { name: "version".into(), data: version.as_bytes().into() };
    version.append_to_component(component);
}

/// The names of all imports but the host's.
fn foreign_imports(component: &[u8]) -> Result<Vec<String>, String> {
    let decoded =
        wit_component::decode(component).map_err(|error| format!("reading it back: {error:#}"))?;
    let DecodedWasm::Component(resolve, world) = decoded else {
        return Err("reading it back: it is a WIT package".to_owned());
    };
    let names = resolve.worlds[world].imports.keys().map(|key| resolve.name_world_key(key));
    Ok(names.filter(|name| !name.starts_with(HOST)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_version_are_sections_of_their_own() {
        let mut component = Vec::new();
        add_identity(&mut component, "tidy", "1.2.3");
        let names = b"\0\x16\x0ecomponent-name\0\x05\x04tidy";
        let version = b"\0\x0d\x07version1.2.3";
        assert_eq!(component, [names.as_slice(), version].concat());
    }

    #[test]
    fn what_is_no_module_says_so() {
        let error = from_module(b"\0asm", "x", "1").expect_err("is no module");
        assert!(error.starts_with("making it a component: "), "{error}");
    }
}
