//! Misdeeds below the contract: answers that are no values of its types, handles, and calls at the
//! wrong time.

use arrow_schema::DataType;
use loader_sandbox::Limits;

use crate::guest::{Guest, Out};
use crate::{batch, host_values, limits, load, load_with, message, open, plan, rows};

const OURS: &str = "[export]loader:plugin/transform@0.1.0";

fn honest() -> Guest {
    Guest::new().plans(&[0], vec![("id", DataType::Int64, Out::Computed(0))])
}

fn planning(guest: Guest) -> String {
    message(plan(&[load(guest)]))
}

fn opening(guest: Guest) -> String {
    message(plan(&[load(guest)]).expect("there is a plan").open(host_values()))
}

fn processing(guest: Guest) -> String {
    message(open(&[load(guest)]).process(&batch(&[1, 2, 3]), &rows(&[1, 2, 3])))
}

/// Writes words at an address and leaves it.
fn answer(words: &[u32]) -> String {
    let stores: String = words
        .iter()
        .enumerate()
        .map(|(index, word)| {
            format!("(i32.store (i32.const {}) (i32.const {word}))", 16 + 4 * index)
        })
        .collect();
    format!("{stores} (i32.const 16)")
}

#[test]
fn answers_that_are_no_values() {
    insta::assert_snapshot!(processing(honest().process(&answer(&[7]))), @"Protocol: plugin test 0 (sha256 …): process, rows 101-103: the host could not take what it passed: invalid expected discriminant; one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
    insta::assert_snapshot!(planning(honest().make_plan(&answer(&[9]))), @"Protocol: plugin test 0 (sha256 …): make-plan: the host could not take what it passed: invalid expected discriminant; one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
    // One output, which is the sixth of five kinds.
    insta::assert_snapshot!(planning(honest().make_plan(&answer(&[0, 0, 0, 0, 0, 64, 1, 0, 0, 0, 0, 0, 5]))), @"Protocol: plugin test 0 (sha256 …): make-plan: the host could not take what it passed: unexpected discriminant: 5; one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
    // An error whose text is the byte ff.
    let not_text = format!(
        "(i32.store (i32.const 128) (i32.const 255)) {}",
        answer(&[1, 128, 1, 128, 1, 0, 0, 0, 0, 0])
    );
    insta::assert_snapshot!(processing(honest().process(&not_text)), @"Protocol: plugin test 0 (sha256 …): process, rows 101-103: the host could not take what it passed: invalid utf-8 sequence of 1 bytes from index 0; one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
    // Four billion messages for rejected rows.
    insta::assert_snapshot!(processing(honest().process(&answer(&[0, 0, 0, 0, 0, 0, 0, 0, u32::MAX]))), @"Protocol: plugin test 0 (sha256 …): process, rows 101-103: the host could not take what it passed: list pointer/length out of bounds of memory; one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
    let unaligned = answer(&[0, 0, 0, 17, 1, 0, 0, 0, 0]);
    insta::assert_snapshot!(processing(honest().process(&unaligned)), @"Protocol: plugin test 0 (sha256 …): process, rows 101-103: the host could not take what it passed: list pointer is not aligned; one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
}

#[test]
fn what_it_logs_is_no_text() {
    let log = |pointer: u32, bytes: u32| {
        honest().before_process(&format!(
            "(call $log (i32.const 1) (i32.const {pointer}) (i32.const {bytes}))"
        ))
    };
    insta::assert_snapshot!(processing(log(0xffff_0000, 10)), @"Protocol: plugin test 0 (sha256 …): process, rows 101-103: the host could not take what it passed: string pointer/length out of bounds of memory (in process); one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
    insta::assert_snapshot!(processing(log(16, 0xffff_fff0)), @"Protocol: plugin test 0 (sha256 …): process, rows 101-103: the host could not take what it passed: string pointer/length out of bounds of memory (in process); one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
    let not_text = "(i32.store (i32.const 16) (i32.const 0xff)) (call $log (i32.const 1) \
                    (i32.const 16) (i32.const 1))";
    insta::assert_snapshot!(processing(honest().before_process(not_text)), @"Protocol: plugin test 0 (sha256 …): process, rows 101-103: the host could not take what it passed: invalid utf-8 sequence of 1 bytes from index 0 (in process); one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
}

#[test]
fn calls_at_the_wrong_time() {
    let talking =
        "(call $log (i32.const 1) (i32.const 16) (i32.const 1)) (call $bump (local.get 3))";
    insta::assert_snapshot!(planning(honest().realloc(talking)), @"Trap: plugin test 0 (sha256 …): make-plan: crashed: cannot leave component instance; report it to its author");
    insta::assert_snapshot!(planning(honest().realloc("(loop $again br $again) \
                                                       unreachable")), @"Limit: plugin test 0 (sha256 …): make-plan: ran longer than plan_seconds = 1 s; raise it in [limits] or mend the plugin");
    insta::assert_snapshot!(planning(honest().realloc("unreachable")), @"Trap: plugin test 0 (sha256 …): make-plan: crashed: it panicked or aborted (unreachable code); report it to its author");
    insta::assert_snapshot!(processing(honest().after_process("unreachable")), @"Trap: plugin test 0 (sha256 …): process, rows 101-103: crashed: it panicked or aborted (unreachable code); report it to its author");
    insta::assert_snapshot!(processing(honest().after_process("(loop $again br \
                                                               $again)")), @"Limit: plugin test 0 (sha256 …): process, rows 101-103: ran longer than process_seconds = 1 s; raise it in [limits] or mend the plugin");
    let talking = "(call $log (i32.const 1) (i32.const 16) (i32.const 1))";
    insta::assert_snapshot!(processing(honest().after_process(talking)), @"Trap: plugin test 0 (sha256 …): process, rows 101-103: crashed: cannot leave component instance; report it to its author");
}

#[test]
fn handles_that_are_not_there_or_too_many() {
    let none = "(i32.store (i32.const 16) (i32.const 0)) (i32.store (i32.const 20) (i32.const 99)) \
                (i32.const 16)";
    insta::assert_snapshot!(opening(honest().open(none)), @"Protocol: plugin test 0 (sha256 …): open: the host could not take what it passed: unknown handle index 99; one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
    let many = "(local $n i32) (loop $more (drop (call $new (i32.const 1)))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $more (i32.lt_u (local.get $n) (i32.const 100000)))) unreachable";
    insta::assert_snapshot!(opening(honest().open(many)), @"Protocol: plugin test 0 (sha256 …): open: the host could not take what it passed: cannot allocate another handle: store handle limit exceeded (in open); one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
    let drop_session =
        format!("(import \"{OURS}\" \"[resource-drop]session\" (func $drop (param i32)))");
    let dropped = "(i32.store (i32.const 20) (call $new (i32.const 1))) (call $drop (i32.load (i32.const 20)))
        (i32.store (i32.const 16) (i32.const 0)) (i32.const 16)";
    insta::assert_snapshot!(opening(honest().imports(&drop_session, &[]).open(dropped)), @"Protocol: plugin test 0 (sha256 …): open: the host could not take what it passed: unknown handle index 1; one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
    let twice = "(call $drop (i32.const 1)) (call $drop (i32.const 1))";
    insta::assert_snapshot!(processing(honest().imports(&drop_session, &[]).before_process(twice)), @"Protocol: plugin test 0 (sha256 …): process, rows 101-103: the host could not take what it passed: unknown handle index 1 (in process); one call may pass at most returned_bytes = 64 MiB; otherwise this is a mistake in the plugin");
}

#[test]
fn tables_that_grow_forever() {
    let grow = "(loop $more (br_if $more (i32.ne (table.grow $large (ref.null func) (i32.const 100)) (i32.const -1))))
        unreachable";
    insta::assert_snapshot!(processing(honest().functions("(table $large 1 \
                                                           funcref)").process(grow)), @"Limit: plugin test 0 (sha256 …): process, rows 101-103: wanted a table of 20001 elements, more than table_elements = 20000 (in process); raise it in [limits] or mend the plugin");
}

#[test]
fn long_work_of_the_machine_itself_is_interrupted_too() {
    let fill = "(loop $more (memory.fill (i32.const 1024) (i32.const 7) (i32.const 200000)) (br \
                $more)) unreachable";
    insta::assert_snapshot!(processing(honest().pages(10).process(fill)), @"Limit: plugin test 0 (sha256 …): process, rows 101-103: ran longer than process_seconds = 1 s (in process); raise it in [limits] or mend the plugin");
}

#[test]
fn rows_that_do_not_fit_into_one_call() {
    let tight = Limits { batch_bytes: 64, ..limits() };
    let plugin = load_with(tight, honest()).unwrap();
    insta::assert_snapshot!(message(open(&[plugin]).process(&batch(&[1, 2]), &rows(&[1, 2]))), @"Limit: plugin test 0 (sha256 …): process, row 101: one row takes 256 bytes, more than batch_bytes = 64 bytes; raise it in [limits] or mend the plugin");
}

#[test]
fn another_plugin_goes_on_beside_one_that_fails() {
    let (bad, good) = (load(honest().process("unreachable")), load(honest()));
    let (mut failing, mut going) = (open(&[bad]), open(std::slice::from_ref(&good)));
    for _ in 0..3 {
        assert!(failing.process(&batch(&[1]), &rows(&[1])).is_err());
        assert_eq!(going.process(&batch(&[1]), &rows(&[1])).unwrap().batch.num_rows(), 1);
    }
    assert_eq!(open(&[good]).process(&batch(&[1]), &rows(&[1])).unwrap().batch.num_rows(), 1);
}
