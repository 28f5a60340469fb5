//! One test for each misdeed, with its whole message.

use arrow_schema::DataType;
use loader_sandbox::{Limits, PluginErrorKind};

use crate::guest::{Batch, Guest, Out, Says};
use crate::{batch, limits, load, load_with, message, open, plan, rows};

/// Computes `id` from `id`; honest so far.
fn honest() -> Guest {
    Guest::new().plans(&[0], vec![("id", DataType::Int64, Out::Computed(0))])
}

/// The message when this guest gets the rows 1 to 3.
fn processing(guest: Guest) -> String {
    processing_with(limits(), guest)
}

fn processing_with(limits: Limits, guest: Guest) -> String {
    let plugin = load_with(limits, guest).expect("the plugin loads");
    message(open(&[plugin]).process(&batch(&[1, 2, 3]), &rows(&[1, 2, 3])))
}

fn planning(guest: Guest) -> String {
    message(plan(&[load(guest)]))
}

fn opening(guest: Guest) -> String {
    message(plan(&[load(guest)]).expect("there is a plan").open(crate::host_values()))
}

#[test]
fn loops_forever() {
    const FOREVER: &str = "(call $spin) unreachable";
    let looping = || honest().functions("(func $spin (loop $again br $again))");
    insta::assert_snapshot!(planning(looping().make_plan(FOREVER)), @"Limit: plugin test 0 (sha256 …): make-plan: ran longer than plan_seconds = 1 s (in spin < make_plan); raise it in [limits] or mend the plugin");
    insta::assert_snapshot!(opening(looping().open(FOREVER)), @"Limit: plugin test 0 (sha256 …): open: ran longer than open_seconds = 1 s (in spin < open); raise it in [limits] or mend the plugin");
    insta::assert_snapshot!(processing(looping().process(FOREVER)), @"Limit: plugin test 0 (sha256 …): process, rows 101-103: ran longer than process_seconds = 1 s (in spin < process); raise it in [limits] or mend the plugin");
    let mut session = open(&[load(looping().finish(FOREVER))]);
    session.process(&batch(&[1]), &rows(&[1])).unwrap();
    insta::assert_snapshot!(message(session.finish()), @"Limit: plugin test 0 (sha256 …): finish: ran longer than finish_seconds = 1 s (in spin < finish); raise it in [limits] or mend the plugin");
}

#[test]
fn loops_before_it_starts() {
    let guest = honest().functions("(func $init (loop $again br $again)) (start $init)");
    insta::assert_snapshot!(planning(guest), @"Limit: plugin test 0 (sha256 …): instantiation: ran longer than open_seconds = 1 s (in init); raise it in [limits] or mend the plugin");
}

#[test]
fn panics() {
    let mut guest = honest().functions(
        "(func $core::panicking::panic unreachable) (func $my_plugin::parse (call \
         $core::panicking::panic))",
    );
    let last_words = guest.log(1, "panicked at src/lib.rs:7:5:\nindex out of bounds");
    let guest = guest.process(&format!("{last_words} (call $my_plugin::parse) unreachable"));
    insta::assert_snapshot!(processing(guest), @r#"Trap: plugin test 0 (sha256 …): process, rows 101-103: crashed: it panicked or aborted (unreachable code), after it said "panicked at src/lib.rs:7:5: index out of bounds" (in my_plugin::parse < process); report it to its author"#);
}

#[test]
fn crashes_in_other_ways() {
    insta::assert_snapshot!(processing(honest().process("(i32.div_u (i32.const 1) (i32.const \
                                                         0))")), @"Trap: plugin test 0 (sha256 …): process, rows 101-103: crashed: integer divide by zero (in process); report it to its author");
    insta::assert_snapshot!(processing(honest().process("(i32.load (i32.const \
                                                         -4))")), @"Trap: plugin test 0 (sha256 …): process, rows 101-103: crashed: out of bounds memory access (in process); report it to its author");
    let deep = honest()
        .functions("(func $dive (call $dive) (call $dive))")
        .process("(call $dive) unreachable");
    insta::assert_snapshot!(processing(deep), @"Limit: plugin test 0 (sha256 …): process, rows 101-103: used up its stack, stack_bytes = 512 KiB (in dive < dive < dive); raise it in [limits] or mend the plugin");
}

#[test]
fn takes_all_memory() {
    let grow = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 256)) (i32.const -1)))) \
                unreachable";
    insta::assert_snapshot!(processing(honest().process(grow)), @"Limit: plugin test 0 (sha256 …): process, rows 101-103: wanted 256.2 MiB of memory, more than memory_bytes = 256 MiB, and gave up (in process); raise it in [limits] or mend the plugin");
    insta::assert_snapshot!(planning(honest().pages(5000)), @"Limit: plugin test 0 (sha256 …): instantiation: wanted 312.5 MiB of memory, more than memory_bytes = 256 MiB, and gave up; raise it in [limits] or mend the plugin");
}

#[test]
fn survives_a_refusal_of_memory() {
    let grow = "(drop (memory.grow (i32.const 60000)))";
    let mut session = open(&[load(honest().before_process(grow))]);
    assert_eq!(session.process(&batch(&[1]), &rows(&[1])).unwrap().batch.num_rows(), 1);
}

#[test]
fn returns_what_is_no_batch() {
    insta::assert_snapshot!(processing(honest().returns(Batch::Bytes(b"garbage!".to_vec()), &[], &[], &[])), @"Protocol: plugin test 0 (sha256 …): process, rows 101-103: message starts with [67, 61, 72, 62] instead of the continuation marker [ff, ff, ff, ff]; this is a mistake in the plugin: report it to its author");
    insta::assert_snapshot!(processing(honest().returns(Batch::Bytes(Vec::new()), &[], &[], &[])), @"Protocol: plugin test 0 (sha256 …): process, rows 101-103: message of 0 bytes is too short to be framed; it takes at least 8; this is a mistake in the plugin: report it to its author");
}

#[test]
fn returns_another_number_of_rows() {
    let two = batch(&[1, 2]).project(&[0]).unwrap();
    let guest =
        honest().returns(Batch::Bytes(loader_ipc::encode_batch(&two).unwrap()), &[], &[], &[]);
    insta::assert_snapshot!(processing(guest), @"Protocol: plugin test 0 (sha256 …): process, rows 101-103: returned 2 rows for 3; a computed column has exactly one value for each row; this is a mistake in the plugin: report it to its author");
}

#[test]
fn returns_pointers_to_nowhere() {
    let beyond = Batch::At { pointer: 0xffff_0000, length: 64 };
    insta::assert_snapshot!(processing(honest().returns(beyond, &[], &[], &[])), @"Protocol: plugin test 0 (sha256 …): process, rows 101-103: the host could not take what it passed: list pointer/length out of bounds of memory; one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
    insta::assert_snapshot!(processing(honest().process("(i32.const \
                                                         -1)")), @"Protocol: plugin test 0 (sha256 …): process, rows 101-103: the host could not take what it passed: return pointer not aligned; one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
    insta::assert_snapshot!(planning(honest().make_plan("(i32.const \
                                                         0x7ffffff0)")), @"Protocol: plugin test 0 (sha256 …): make-plan: the host could not take what it passed: pointer out of bounds of memory; one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
}

#[test]
fn allocates_where_there_is_no_memory() {
    insta::assert_snapshot!(planning(honest().realloc("(i32.const \
                                                       0x7fffff00)")), @"Protocol: plugin test 0 (sha256 …): make-plan: the host could not take what it passed: realloc return: beyond end of memory; one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
    insta::assert_snapshot!(planning(honest().realloc("(i32.const \
                                                       0x1001)")), @"Protocol: plugin test 0 (sha256 …): make-plan: the host could not take what it passed: realloc return: result not aligned; one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
}

#[test]
fn returns_too_much() {
    let much = || Batch::At { pointer: 0, length: 200_000 };
    let crossing = Limits { returned_bytes: 100_000, ..limits() };
    insta::assert_snapshot!(processing_with(crossing, honest().returns(much(), &[], &[], &[])), @"Protocol: plugin test 0 (sha256 …): process, rows 101-103: the host could not take what it passed: too much data is being copied between the host and the guest: fuel allocated for hostcalls has been exhausted; one call may pass at most returned_bytes = 100000 bytes; otherwise this is a mistake in the plugin");
    let output = Limits { output_bytes: 100_000, ..limits() };
    insta::assert_snapshot!(processing_with(output, honest().returns(much(), &[], &[], &[])), @"Limit: plugin test 0 (sha256 …): process, rows 101-103: returned 200000 bytes for an input of 256 bytes, more than the 100000 bytes that output_bytes = 100000 bytes allows for it; raise it in [limits] or mend the plugin");
}

#[test]
fn rejects_rows_that_are_not_there() {
    const NO: Says = Says { code: "no", message: "no", column: None, row: None };
    insta::assert_snapshot!(processing(honest().returns(Batch::Echo, &[3], &[0], &[NO])), @"Protocol: plugin test 0 (sha256 …): process, rows 101-103: rejected row 3 is outside the batch of 3 rows; this is a mistake in the plugin: report it to its author");
    insta::assert_snapshot!(processing(honest().returns(Batch::Echo, &[1, 1], &[0, 0], &[NO])), @"Protocol: plugin test 0 (sha256 …): process, rows 101-103: rejected row 1 follows row 1; rows are ascending, each once; this is a mistake in the plugin: report it to its author");
    insta::assert_snapshot!(processing(honest().returns(Batch::Echo, &[1], &[1], &[NO])), @"Protocol: plugin test 0 (sha256 …): process, rows 101-103: rejected row 1 has reason 1, but there are 1 messages; this is a mistake in the plugin: report it to its author");
    let limits = Limits { messages: 1, ..limits() };
    insta::assert_snapshot!(processing_with(limits, honest().returns(Batch::Echo, &[1], &[1], &[NO, NO])), @"Limit: plugin test 0 (sha256 …): process, rows 101-103: gave 2 different reasons for rejected rows, more than messages = 1; raise it in [limits] or mend the plugin");
}

#[test]
fn plans_what_makes_no_sense() {
    insta::assert_snapshot!(planning(Guest::new().plans_bytes(&[], b"garbage!", Vec::new())), @"Protocol: plugin test 0 (sha256 …): make-plan: the plan's schema: message starts with [67, 61, 72, 62] instead of the continuation marker [ff, ff, ff, ff]; this is a mistake in the plugin: report it to its author");
    insta::assert_snapshot!(planning(Guest::new().plans(&[9], vec![("id", DataType::Int64, Out::Passthrough(0))])), @"Protocol: plugin test 0 (sha256 …): make-plan: the plan names input column 9 of 2, counted from 0; this is a mistake in the plugin: report it to its author");
    let extra = loader_ipc::encode_schema(&crate::schema());
    insta::assert_snapshot!(planning(Guest::new().plans_bytes(&[], &extra, vec![Out::Passthrough(0)])), @"Protocol: plugin test 0 (sha256 …): make-plan: the plan has 2 columns in its schema and 1 outputs; this is a mistake in the plugin: report it to its author");
}

#[test]
fn refuses_in_its_own_words() {
    const CONFIG: Says =
        Says { code: "bad-config", message: "unknown key \"scal\"", column: None, row: None };
    let mut guest = Guest::new();
    let body = guest.error(CONFIG);
    insta::assert_snapshot!(planning(guest.make_plan(&body)), @r#"Config: plugin test 0 (sha256 …): make-plan: unknown key "scal" (bad-config)"#);

    const ROW: Says =
        Says { code: "out-of-range", message: "too many digits", column: Some("id"), row: Some(1) };
    let mut guest = honest();
    let body = guest.error(ROW);
    let plugin = load(guest.process(&body));
    let error = open(&[plugin]).process(&batch(&[1, 2, 3]), &rows(&[1, 2, 3])).unwrap_err();
    assert_eq!(
        (error.kind(), error.column(), error.code()),
        (PluginErrorKind::Refused, Some("id"), Some("out-of-range"))
    );
    insta::assert_snapshot!(message::<()>(Err(error)), @r#"Refused: plugin test 0 (sha256 …): process, row 102, column "id": too many digits (out-of-range)"#);
}

#[test]
fn is_not_asked_again_after_it_failed() {
    let mut session = open(&[load(honest().process("unreachable"))]);
    assert!(session.process(&batch(&[1]), &rows(&[1])).is_err());
    insta::assert_snapshot!(message(session.process(&batch(&[1]), &rows(&[1]))), @"Host: the session has failed before and cannot go on");
    insta::assert_snapshot!(message(session.finish()), @"Host: the session has failed before and cannot be finished");
}

#[test]
fn has_a_config_schema_without_end() {
    let guest = honest().config_schema(&"x".repeat(2000));
    let plugin = load_with(Limits { config_schema_bytes: 1024, ..limits() }, guest).unwrap();
    insta::assert_snapshot!(message(plugin.config_schema()), @"Limit: plugin test 0 (sha256 …): config-schema: returned 2000 bytes, more than config_schema_bytes = 1 KiB; raise it in [limits] or mend the plugin");
    assert_eq!(load(honest().config_schema("{}")).config_schema().unwrap().as_deref(), Some("{}"));
    assert_eq!(load(honest()).config_schema().unwrap(), None);
}
