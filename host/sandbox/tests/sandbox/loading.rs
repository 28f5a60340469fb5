//! From a file to a plugin: refusals name the file, compiled code is kept and used again.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use arrow_schema::DataType;
use loader_sandbox::{CacheLocation, Limits, Runtime};
use wasmparser::{Parser, Payload};

use crate::guest::{Guest, Out};
use crate::{batch, load, message, open, plan, rows};

fn honest() -> Guest {
    Guest::new().plans(&[0], vec![("id", DataType::Int64, Out::Computed(0))])
}

fn runtime(cache: CacheLocation) -> Runtime {
    Runtime::new(Limits::default(), cache).expect("the engine starts")
}

fn files(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("the directory is there");
    entries
        .map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn a_plugin_says_who_it_is() {
    let plugin = load(honest());
    assert_eq!((plugin.name(), plugin.version(), plugin.sha256().len()), ("test", "0", 64));
    assert!(format!("{plugin:?}").starts_with("Plugin(test 0 (sha256 "));
}

#[test]
fn a_refusal_names_the_file() {
    let load = |bytes: &[u8]| {
        message(runtime(CacheLocation::Off).load(Path::new("plugins/x.wasm"), bytes.to_vec()))
    };
    insta::assert_snapshot!(load(b"<html>"), @"NotAPlugin: plugin plugins/x.wasm: not WebAssembly: this is HTML, perhaps an error page; --plugins takes .wasm files that `cargo xtask plugins` or an SDK has built");
    let mut damaged = honest().build();
    let middle = damaged.len() / 2;
    damaged.truncate(middle);
    assert!(
        load(&damaged).starts_with("NotAPlugin: plugin plugins/x.wasm: damaged: "),
        "{}",
        load(&damaged)
    );
}

#[test]
fn code_that_does_not_validate_is_refused() {
    let mut broken = honest().build();
    // A local that is not there: the index of the first `local.get` of the allocator.
    let at = broken.windows(2).position(|pair| pair == [0x20, 0x03]).expect("local.get 3");
    broken[at + 1] = 0x63;
    let error = runtime(CacheLocation::Off).load(Path::new("x.wasm"), broken);
    assert!(message(error).starts_with("NotAPlugin: plugin x.wasm: does not compile: "));
}

#[test]
fn a_plugin_of_another_shape_is_refused() {
    let bytes = wat::parse_str(
        "(component (component $c (type $t (record (field \"a\" u8))) (export \"made-up\" (type $t)))
            (instance $i (instantiate $c)) (export \"loader:plugin/transform@0.1.0\" (instance $i)))",
    )
    .unwrap();
    let error = message(runtime(CacheLocation::Off).load(Path::new("x.wasm"), bytes));
    assert!(
        error.starts_with("ContractVersion: plugin x.wasm: does not fit loader:plugin 0.1: "),
        "{error}"
    );
}

#[test]
fn a_plugin_that_is_too_large_is_refused() {
    let runtime =
        Runtime::new(Limits { plugin_bytes: 1000, ..Limits::default() }, CacheLocation::Off)
            .unwrap();
    insta::assert_snapshot!(message(runtime.load(Path::new("x.wasm"), vec![0; 1024])), @"Limit: plugin x.wasm: its 1 KiB are more than plugin_bytes = 1000 bytes; raise it in [limits] or build a smaller plugin");
}

/// The component with so many core instances more, of a module without content.
fn linked(mut component: Vec<u8>, instances: usize) -> Vec<u8> {
    let sections = Parser::new(0).parse_all(&component);
    let modules = sections
        .filter(|section| matches!(section, Ok(Payload::ModuleSection { .. })))
        .count() as u8;
    component.extend_from_slice(b"\x01\x08\0asm\x01\0\0\0");
    // Sections of instances, of 4 bytes, each with one: instantiate this module, without arguments.
    component.extend([2, 4, 1, 0, modules, 0].repeat(instances));
    component
}

#[test]
fn a_plugin_may_be_linked_of_as_many_modules_as_python_is() {
    let load = |instances| {
        let bytes = linked(honest().build(), instances);
        runtime(CacheLocation::Off).load(Path::new("x.wasm"), bytes).expect("the plugin loads")
    };
    assert_eq!(
        open(&[load(40)])
            .process(&batch(&[1]), &rows(&[1]))
            .expect("it goes through")
            .batch
            .num_rows(),
        1
    );
    insta::assert_snapshot!(message(plan(&[load(64)])), @"Protocol: plugin x 0 (sha256 …): instantiation: could not be instantiated: resource limit exceeded: instance count too high at 65; its limits are core_instances = 64, memories = 2, tables = 8");
}

#[test]
fn compiled_code_is_kept_and_damage_is_repaired() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("a/b");
    let load = || {
        runtime(CacheLocation::Dir(cache.clone()))
            .load(Path::new("x.wasm"), honest().build())
            .unwrap()
    };
    let sha256 = load().sha256().to_owned();
    let kept = files(&cache);
    assert_eq!(kept.len(), 1);
    assert!(kept[0].starts_with(&sha256) && kept[0].ends_with(".cwasm"), "{kept:?}");

    let path = cache.join(&kept[0]);
    let whole = std::fs::read(&path).unwrap();
    load();
    assert_eq!(std::fs::read(&path).unwrap(), whole);
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    load();
    assert!(std::fs::read(&path).unwrap().len() == whole.len());
}

#[test]
fn a_cache_that_others_can_write_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    std::fs::create_dir(&cache).unwrap();
    std::fs::set_permissions(&cache, std::fs::Permissions::from_mode(0o777)).unwrap();
    runtime(CacheLocation::Dir(cache.clone())).load(Path::new("x.wasm"), honest().build()).unwrap();
    assert!(files(&cache).is_empty());
}
