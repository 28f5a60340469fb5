//! From a core module, as the compiler leaves it, to a component that says who it is and wants
//! nothing but the host.

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
    // Subsection 0 of the name section is the component's own name.
    let own_name = sized(name.as_bytes());
    component
        .extend(custom_section("component-name", &[&[0], sized(&own_name).as_slice()].concat()));
    component.extend(custom_section("version", version.as_bytes()));
    Ok(component)
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

fn custom_section(name: &str, data: &[u8]) -> Vec<u8> {
    let content = [sized(name.as_bytes()).as_slice(), data].concat();
    [&[0], sized(&content).as_slice()].concat()
}

/// The bytes behind their length, in LEB128.
fn sized(bytes: &[u8]) -> Vec<u8> {
    let mut length = bytes.len();
    let mut sized = Vec::with_capacity(bytes.len() + 5);
    while length >= 0x80 {
        sized.push(length as u8 | 0x80);
        length >>= 7;
    }
    sized.push(length as u8);
    sized.extend_from_slice(bytes);
    sized
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_leb128() {
        assert_eq!(sized(b"ab"), b"\x02ab");
        assert_eq!(sized(&[7; 300])[..3], [0xac, 0x02, 7]);
    }

    #[test]
    fn what_is_no_module_says_so() {
        let error = from_module(b"\0asm", "x", "1").expect_err("is no module");
        assert!(error.starts_with("making it a component: "), "{error}");
    }
}
