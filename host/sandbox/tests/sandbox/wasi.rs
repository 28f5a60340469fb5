//! Plugins that bring WASI along: it is there, closed, and the same every time.

use std::time::{Duration, Instant};

use arrow_schema::DataType;

use crate::guest::{Guest, Out};
use crate::{batch, load, open, plan, rows};

/// The parts of WASI 0.2 that these guests use.
const IO: &str = "package wasi:io@0.2.6;
interface error { resource error; }
interface poll { resource pollable { block: func(); } }
interface streams {
  use error.{error};
  variant stream-error { last-operation-failed(error), closed }
  resource input-stream { blocking-read: func(len: u64) -> result<list<u8>, stream-error>; }
  resource output-stream { write-zeroes: func(len: u64) -> result<_, stream-error>; blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>; }
}";
const CLOCKS: &str = "package wasi:clocks@0.2.6;
interface monotonic-clock {
  use wasi:io/poll@0.2.6.{pollable};
  now: func() -> u64;
  subscribe-duration: func(when: u64) -> pollable;
}
interface wall-clock { record datetime { seconds: u64, nanoseconds: u32 } now: func() -> datetime; }";
const RANDOM: &str = "package wasi:random@0.2.6; interface random { get-random-u64: func() -> u64; \
                      get-random-bytes: func(len: u64) -> list<u8>; }";
const CLI: &str = "package wasi:cli@0.2.6;
interface stdout { use wasi:io/streams@0.2.6.{output-stream}; get-stdout: func() -> output-stream; }
interface stdin { use wasi:io/streams@0.2.6.{input-stream}; get-stdin: func() -> input-stream; }
interface exit { exit: func(status: result); }
interface environment {
  get-environment: func() -> list<tuple<string, string>>; get-arguments: func() -> list<string>;
  initial-cwd: func() -> option<string>;
}";
const FILES: &str = "package wasi:filesystem@0.2.6;
interface types { resource descriptor; }
interface preopens { use types.{descriptor}; get-directories: func() -> list<tuple<descriptor, string>>; }";
const WORLD: &str = "package test:guest; world guest {
  include loader:plugin/plugin@0.1.0;
  import wasi:clocks/monotonic-clock@0.2.6; import wasi:clocks/wall-clock@0.2.6;
  import wasi:random/random@0.2.6; import wasi:cli/stdout@0.2.6;
  import wasi:cli/stdin@0.2.6; import wasi:cli/exit@0.2.6; import wasi:cli/environment@0.2.6;
  import wasi:filesystem/preopens@0.2.6;
}";

const IMPORTS: &str = r#"
  (import "wasi:random/random@0.2.6" "get-random-u64" (func $random (result i64)))
  (import "wasi:clocks/monotonic-clock@0.2.6" "subscribe-duration" (func $alarm (param i64) (result i32)))
  (import "wasi:clocks/monotonic-clock@0.2.6" "now" (func $monotonic (result i64)))
  (import "wasi:clocks/wall-clock@0.2.6" "now" (func $now (param i32)))
  (import "wasi:io/poll@0.2.6" "[method]pollable.block" (func $block (param i32)))
  (import "wasi:cli/stdout@0.2.6" "get-stdout" (func $stdout (result i32)))
  (import "wasi:io/streams@0.2.6" "[method]output-stream.blocking-write-and-flush"
    (func $write (param i32 i32 i32 i32)))
  (import "wasi:io/streams@0.2.6" "[method]output-stream.write-zeroes" (func $zeroes (param i32 i64 i32)))
  (import "wasi:io/streams@0.2.6" "[method]input-stream.blocking-read" (func $read (param i32 i64 i32)))
  (import "wasi:random/random@0.2.6" "get-random-bytes" (func $bytes (param i64 i32)))
  (import "wasi:cli/stdin@0.2.6" "get-stdin" (func $stdin (result i32)))
  (import "wasi:cli/exit@0.2.6" "exit" (func $exit (param i32)))
  (import "wasi:cli/environment@0.2.6" "get-environment" (func $environment (param i32)))
  (import "wasi:cli/environment@0.2.6" "get-arguments" (func $arguments (param i32)))
  (import "wasi:cli/environment@0.2.6" "initial-cwd" (func $folder (param i32)))
  (import "wasi:filesystem/preopens@0.2.6" "get-directories" (func $directories (param i32)))"#;

/// Echoes `id`, with `body` before it, and counts what `counter` leaves.
fn guest(body: &str, counter: &str) -> Guest {
    Guest::new()
        .imports(IMPORTS, &[IO, CLOCKS, RANDOM, CLI, FILES, WORLD])
        .plans(&[0], vec![("id", DataType::Int64, Out::Computed(0))])
        .before_process(body)
        .counts("seen", counter)
}

/// What a guest counts after one batch.
fn seen(guest: Guest) -> u64 {
    let mut session = open(&[load(guest)]);
    assert_eq!(
        session.process(&batch(&[1]), &rows(&[1])).expect("it goes through").batch.num_rows(),
        1
    );
    session.finish().expect("it ends")[0].counters[0].1
}

#[test]
fn random_numbers_are_the_same_in_every_session() {
    let random = || seen(guest("", "(call $random)"));
    assert_eq!(random(), random());
    let second = || seen(guest("(drop (call $random))", "(call $random)"));
    assert_ne!(random(), second());
}

#[test]
fn clocks_stand_still_at_the_start_of_the_run() {
    assert_eq!(
        seen(guest("(call $now (i32.const 16))", "(i64.load (i32.const 16))")),
        1_700_000_000
    );
    assert_eq!(seen(guest("", "(call $monotonic)")), 0);
}

#[test]
fn nobody_can_sleep() {
    let start = Instant::now();
    let hour = "(call $block (call $alarm (i64.const 3600000000000)))";
    assert_eq!(seen(guest(hour, "(i64.const 5)")), 5);
    assert!(start.elapsed() < Duration::from_secs(60));
}

/// What is in the list, or the option, that `call` leaves at address 16.
fn left_by(call: &str, offset: u32) -> u64 {
    let marked = "(i64.store (i32.const 16) (i64.const -1))";
    seen(guest(
        &format!("{marked} ({call} (i32.const 16))"),
        &format!("(i64.load32_u (i32.const {}))", 16 + offset),
    ))
}

#[test]
fn there_are_no_files_no_environment_and_no_arguments() {
    assert_eq!(left_by("call $directories", 4), 0);
    assert_eq!(left_by("call $environment", 4), 0);
    assert_eq!(left_by("call $arguments", 4), 0);
    // An option: 0 is none.
    assert_eq!(left_by("call $folder", 0) & 0xff, 0);
    // A result: 1 is an error, and the error is 1, closed.
    assert_eq!(left_by("call $read (call $stdin) (i64.const 100)", 0) & 0xff, 1);
    assert_eq!(left_by("call $read (call $stdin) (i64.const 100)", 4) & 0xff, 1);
}

fn processing(body: &str) -> String {
    let plugin = load(guest(body, "(i64.const 0)"));
    crate::message(open(&[plugin]).process(&batch(&[1]), &rows(&[1])))
}

#[test]
fn the_hosts_memory_is_not_for_the_asking() {
    insta::assert_snapshot!(processing("(call $bytes (i64.const 0x10000000000) (i32.const \
                                        16))"), @"Protocol: plugin test 0 (sha256 …): process, row 101: the host could not take what it passed: requested len 1099511627776 exceeds limit 67108864 (in process); one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
    insta::assert_snapshot!(processing("(call $zeroes (call $stdout) (i64.const 0x10000000000) \
                                        (i32.const 16))"), @"Protocol: plugin test 0 (sha256 …): process, row 101: the host could not take what it passed: cannot write more zeroes than `check_write` allows (in process); one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
    let alarms = "(loop $more (drop (call $alarm (i64.const 1))) (br $more)) unreachable";
    insta::assert_snapshot!(processing(alarms), @"Protocol: plugin test 0 (sha256 …): process, row 101: the host could not take what it passed: cannot allocate another handle: store handle limit exceeded (in process); one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
}

#[test]
fn a_guest_that_exits_ends_itself_and_nobody_else() {
    insta::assert_snapshot!(processing("(call $exit (i32.const \
                                        0))"), @"Trap: plugin test 0 (sha256 …): process, row 101: crashed: it called exit(0) (in process); report it to its author");
    insta::assert_snapshot!(processing("(call $exit (i32.const \
                                        1))"), @"Trap: plugin test 0 (sha256 …): process, row 101: crashed: it called exit(1) (in process); report it to its author");
}

#[test]
fn what_is_printed_counts_as_log() {
    // 100 KB from an empty page, as one line after the other: more than one session may say.
    let print = "(call $write (call $stdout) (i32.const 2048) (i32.const 4096) (i32.const 16))";
    let mut session = open(&[load(guest(&print.repeat(100), "(i64.const 0)"))]);
    session.process(&batch(&[1]), &rows(&[1])).unwrap();
    assert!(session.finish().unwrap()[0].log_lines_dropped > 10);
}

#[test]
fn plans_can_be_made_on_the_thread_of_an_executor() {
    let executor = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let guest = guest("", "(i64.const 0)");
    let plugin = load(guest);
    executor.block_on(async { plan(&[plugin]).unwrap() });
}
