//! The fuzzing of the data path, as far as a test has time for it: every file that the fuzzer has
//! left. `host/data/fuzz` has the longer runs.

use std::fs;
use std::path::Path;

#[path = "../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a library of its own where the fuzzer uses it")]
mod fuzz;

#[test]
fn stored_files_of_the_corpus_become_parts_or_are_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/parts");
    let mut written = 0;
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let input = fs::read(entry.expect("it can be listed").path()).expect("it can be read");
        written += usize::from(fuzz::parts(&input));
    }
    assert!(written > 100, "only {written} files became parts");
}
