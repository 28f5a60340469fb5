//! Files that ask for more of WebAssembly than plugins need, or for more than an instance may have.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::DataType;
use loader_sandbox::{CacheLocation, Limits, Runtime};

use crate::guest::{Guest, Out};
use crate::{limits, load_with, message, plan};

fn honest() -> Guest {
    Guest::new().plans(&[0], vec![("id", DataType::Int64, Out::Computed(0))])
}

/// Why a component of this text is not loaded.
fn refused(component: &str) -> String {
    let bytes = wat::parse_str(component).expect("the test's own text parses");
    message(
        Runtime::new(limits(), CacheLocation::Off)
            .expect("the engine starts")
            .load(Path::new("x.wasm"), bytes),
    )
}

/// Why a component with this core module in it is not loaded; it says that it is a plugin.
fn module(core: &str) -> String {
    refused(&format!(
        "(component (core module $m {core}) (core instance (instantiate $m)) (instance $i)
            (export \"loader:plugin/transform@0.1.0\" (instance $i)))"
    ))
}

/// Why there is no plan with this guest.
fn starting(limits: Limits, guest: Guest) -> String {
    message(plan(&[load_with(limits, guest).expect("the plugin loads")]))
}

#[test]
fn parts_of_webassembly_that_plugins_do_not_need_are_off() {
    insta::assert_snapshot!(module("(memory 1 1 shared)"), @"NotAPlugin: plugin x.wasm: does not compile: failed to parse WebAssembly module: threads must be enabled for shared memories (at offset 0x15); build or copy it again");
    insta::assert_snapshot!(module("(memory i64 1)"), @"NotAPlugin: plugin x.wasm: does not compile: failed to parse WebAssembly module: memory64 must be enabled for 64-bit memories (at offset 0x15); build or copy it again");
    insta::assert_snapshot!(module("(table i64 1 funcref)"), @"NotAPlugin: plugin x.wasm: does not compile: failed to parse WebAssembly module: memory64 must be enabled for 64-bit tables (at offset 0x15); build or copy it again");
    insta::assert_snapshot!(module("(func (drop (i8x16.relaxed_swizzle (v128.const i64x2 0 0) \
                                    (v128.const i64x2 0 \
                                    0))))"), @"NotAPlugin: plugin x.wasm: does not compile: failed to compile: wasm[0]::function[0]: WebAssembly translation error: Invalid input WebAssembly code at offset 69: relaxed SIMD support is not enabled; build or copy it again");
    insta::assert_snapshot!(module("(func (drop (i64.add128 (i64.const 0) (i64.const 0) (i64.const \
                                    0) (i64.const 0))) \
                                    drop)"), @"NotAPlugin: plugin x.wasm: does not compile: failed to compile: wasm[0]::function[0]: WebAssembly translation error: Invalid input WebAssembly code at offset 41: wide arithmetic support is not enabled; build or copy it again");
    insta::assert_snapshot!(module("(memory 1 (pagesize 1))"), @"NotAPlugin: plugin x.wasm: does not compile: failed to parse WebAssembly module: the custom page sizes proposal must be enabled to customize a memory's page size (at offset 0x15); build or copy it again");
}

#[test]
fn imports_of_the_world_outside_are_refused() {
    let importing = |name: &str| {
        refused(&format!(
            "(component (import \"{name}\" (instance)) (instance $i)
                (export \"loader:plugin/transform@0.1.0\" (instance $i)))"
        ))
    };
    insta::assert_snapshot!(importing("wasi:sockets/tcp@0.2.6"), @"ForbiddenImport: plugin x.wasm: imports what the sandbox does not offer: wasi:sockets/tcp@0.2.6; a plugin has no network: build it without, e.g. for wasm32-unknown-unknown, or with stubs for WASI");
    insta::assert_snapshot!(importing("wasi:http/outgoing-handler@0.2.6"), @"ForbiddenImport: plugin x.wasm: imports what the sandbox does not offer: wasi:http/outgoing-handler@0.2.6; a plugin has no network: build it without, e.g. for wasm32-unknown-unknown, or with stubs for WASI");
    insta::assert_snapshot!(importing("wasi:keyvalue/store@0.2.0"), @"ForbiddenImport: plugin x.wasm: imports what the sandbox does not offer: wasi:keyvalue/store@0.2.0; a plugin may import loader:plugin/host, and of WASI 0.2 cli, clocks, filesystem, io and random");
    insta::assert_snapshot!(importing("wasi:clocks/wall-clock@0.3.0"), @"ForbiddenImport: plugin x.wasm: imports what the sandbox does not offer: wasi:clocks/wall-clock@0.3.0; a plugin may import loader:plugin/host, and of WASI 0.2 cli, clocks, filesystem, io and random");
    insta::assert_snapshot!(importing("loader:plugin/secrets@0.1.0"), @"ForbiddenImport: plugin x.wasm: imports what the sandbox does not offer: loader:plugin/secrets@0.1.0; a plugin may import loader:plugin/host, and of WASI 0.2 cli, clocks, filesystem, io and random");
    insta::assert_snapshot!(importing("loader:plugin/host@0.9.0"), @"ContractVersion: plugin x.wasm: needs loader:plugin 0.9; this loader speaks 0.1; upgrade loader, or build the plugin with the SDK of this release");
    let many: String = (0..100).map(|index| format!("(import \"a{index}\" (func))")).collect();
    insta::assert_snapshot!(refused(&format!(
        "(component {many} (instance $i) (export \"loader:plugin/transform@0.1.0\" (instance $i)))"
    )), @"ForbiddenImport: plugin x.wasm: imports what the sandbox does not offer: a0, a1, a2, a3, a4, a5, a6, a7 and 92 more; a plugin may import loader:plugin/host, and of WASI 0.2 cli, clocks, filesystem, io and random");
}

#[test]
fn what_the_host_offers_cannot_be_asked_for_in_another_shape() {
    let asking = "(component (import \"loader:plugin/host@0.1.0\" (instance (export \"log\" (func (result u32)))))
        (instance $i) (export \"loader:plugin/transform@0.1.0\" (instance $i)))";
    insta::assert_snapshot!(refused(asking), @"ContractVersion: plugin x.wasm: does not fit loader:plugin 0.1: component imports instance `loader:plugin/host@0.1.0`, but a matching implementation was not found in the linker: instance export `log` has the wrong type: type mismatch with parameters: expected 2-tuple, found 0-tuple; build it from wit/0.1 of this release");
    let more = "(component (import \"loader:plugin/host@0.1.0\" (instance (export \"read-file\" (func (result u32)))))
        (instance $i) (export \"loader:plugin/transform@0.1.0\" (instance $i)))";
    insta::assert_snapshot!(refused(more), @"ContractVersion: plugin x.wasm: does not fit loader:plugin 0.1: component imports instance `loader:plugin/host@0.1.0`, but a matching implementation was not found in the linker: instance export `read-file` has the wrong type: function implementation is missing; build it from wit/0.1 of this release");
}

#[test]
fn contracts_of_other_versions_are_refused_also_beside_ours() {
    let exporting = |names: &[&str]| {
        let exports: String =
            names.iter().map(|name| format!("(export \"{name}\" (instance $i))")).collect();
        refused(&format!("(component (instance $i) {exports})"))
    };
    insta::assert_snapshot!(exporting(&["loader:plugin/transform@0.2.0"]), @"ContractVersion: plugin x.wasm: needs loader:plugin 0.2; this loader speaks 0.1; upgrade loader, or build the plugin with the SDK of this release");
    insta::assert_snapshot!(exporting(&["loader:plugin/transform@0.1.0", "loader:plugin/transform@0.2.0"]), @"ContractVersion: plugin x.wasm: needs loader:plugin 0.2; this loader speaks 0.1; upgrade loader, or build the plugin with the SDK of this release");
    insta::assert_snapshot!(exporting(&["loader:plugin/transform@0.1.0", "loader:plugin/transform@0.1.7"]), @"ContractVersion: plugin x.wasm: does not fit loader:plugin 0.1: instance export `loader:plugin/transform@0.1.0` does not have export `config-schema`; build it from wit/0.1 of this release");
    insta::assert_snapshot!(exporting(&["loader:plugin/transform@0.1.0-rc1"]), @"ContractVersion: plugin x.wasm: needs loader:plugin 0.1.0-rc1; this loader speaks 0.1; upgrade loader, or build the plugin with the SDK of this release");
    insta::assert_snapshot!(exporting(&["loader:plugin/transform"]), @"NotAPlugin: plugin x.wasm: a component, but it does not export loader:plugin/transform@0.1; it exports loader:plugin/transform; a plugin is made with `loader-sdk`, or from wit/0.1");
}

#[test]
fn an_instance_gets_no_more_than_its_limits() {
    let table = |elements: u32| honest().functions(&format!("(table $large {elements} funcref)"));
    insta::assert_snapshot!(starting(limits(), table(20_001)), @"Limit: plugin test 0 (sha256 …): instantiation: wanted a table of 20001 elements, more than table_elements = 20000; raise it in [limits] or mend the plugin");
    let tables = "(table 1 funcref)".repeat(9);
    insta::assert_snapshot!(starting(limits(), honest().functions(&tables)), @"Protocol: plugin test 0 (sha256 …): instantiation: could not be instantiated: resource limit exceeded: table count too high at 10; its limits are core_instances = 64, memories = 2, tables = 8");
    insta::assert_snapshot!(starting(limits(), honest().functions("(memory $b 1) (memory $c \
                                                                   1)")), @"Protocol: plugin test 0 (sha256 …): instantiation: could not be instantiated: resource limit exceeded: memory count too high at 3; its limits are core_instances = 64, memories = 2, tables = 8");
    insta::assert_snapshot!(starting(Limits { core_instances: 1, ..limits() }, honest()), @"Protocol: plugin test 0 (sha256 …): instantiation: could not be instantiated: resource limit exceeded: instance count too high at 2; its limits are core_instances = 1, memories = 2, tables = 8");
    let beyond = "(data (i32.const 0x7ffffff0) \"far away\")";
    insta::assert_snapshot!(starting(limits(), honest().functions(beyond)), @"Trap: plugin test 0 (sha256 …): instantiation: crashed: out of bounds memory access; report it to its author");
    let crash = "(func $init unreachable) (start $init)";
    insta::assert_snapshot!(starting(limits(), honest().functions(crash)), @"Trap: plugin test 0 (sha256 …): instantiation: crashed: it panicked or aborted (unreachable code) (in init); report it to its author");
}

#[test]
fn memories_of_an_instance_count_together() {
    // The guest's own memory has four pages of 64 KiB.
    let tight = Limits { memory_bytes: 10 << 16, ..limits() };
    let with = |pages: u32| honest().functions(&format!("(memory $other {pages})"));
    assert!(load_with(tight.clone(), with(6)).is_ok_and(|plugin| plan(&[plugin]).is_ok()));
    insta::assert_snapshot!(starting(tight, with(7)), @"Limit: plugin test 0 (sha256 …): instantiation: wanted 704 KiB of memory, more than memory_bytes = 640 KiB, and gave up; raise it in [limits] or mend the plugin");
}

#[test]
fn literals_count_as_what_a_plugin_returns() {
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(1000)]));
    let literal = RecordBatch::try_from_iter([("c", text)]).expect("a batch");
    let literal = Out::Literal(loader_ipc::encode_batch(&literal).expect("can be written"));
    let guest = Guest::new().plans(&[], vec![("c", DataType::Utf8, literal)]);
    let tight = Limits { output_bytes: 2500, ..limits() };
    let plugin = load_with(tight, guest).expect("the plugin loads");
    let mut session = crate::open(&[plugin]);
    session.process(&crate::batch(&[1, 2]), &crate::rows(&[1, 2])).expect("two rows fit");
    let said = message(session.process(&crate::batch(&[1, 2, 3]), &crate::rows(&[1, 2, 3])));
    insta::assert_snapshot!(said, @"Limit: plugin test 0 (sha256 …): process, rows 101-103: the literals and host values of its plan take 3024 bytes, more than output_bytes = 2500 bytes; raise it in [limits] or mend the plugin");
}

/// Objects of the garbage collector live in memory that is counted.
#[test]
fn garbage_is_memory_too() {
    let types = "(type $numbers (array (mut i64)))";
    let hoard =
        "(loop $more (drop (array.new_default $numbers (i32.const 10000))) (br $more)) unreachable";
    let tight = Limits { memory_bytes: 1 << 20, process_seconds: 60, ..limits() };
    let plugin =
        load_with(tight, honest().functions(types).process(hoard)).expect("the plugin loads");
    let said = message(crate::open(&[plugin]).process(&crate::batch(&[1]), &crate::rows(&[1])));
    insta::assert_snapshot!(said, @"Limit: plugin test 0 (sha256 …): process, row 101: wanted 1280 KiB of memory, more than memory_bytes = 1 MiB, and gave up (in process); raise it in [limits] or mend the plugin");
}

#[test]
fn data_as_large_as_the_file_may_be_is_counted_as_the_file() {
    let data = format!("(component (core module (memory 1) (data \"{}\")))", "x".repeat(1 << 20));
    let bytes = wat::parse_str(data).unwrap();
    let runtime =
        Runtime::new(Limits { plugin_bytes: 1 << 20, ..limits() }, CacheLocation::Off).unwrap();
    insta::assert_snapshot!(message(runtime.load(Path::new("x.wasm"), bytes)), @"Limit: plugin x.wasm: its 1048610 bytes are more than plugin_bytes = 1 MiB; raise it in [limits] or build a smaller plugin");
}
