//! The fuzzing of the reader, as far as a test has time for it: every file that the fuzzer has left,
//! the input of every case of the loader, and mutations of both that are the same in every run.
//! `host/csv/fuzz` has the longer runs.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a library of its own where the fuzzer uses it")]
mod fuzz;

/// How often each file is damaged.
const MUTATIONS: u64 = 4;
/// The inputs of cases that are larger say no more.
const MOST_BYTES: usize = 4096;
/// Damage that is likely to mean something.
const PIECES: [&[u8]; 12] = [
    b",",
    b"\"",
    b"\n",
    b"\r",
    b"\r\n",
    b"\\",
    b"#",
    b"\"\"",
    b"\0",
    b"\xff",
    b"1e9",
    b"\xef\xbb\xbf",
];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be listed").path())
        .collect();
    files.sort();
    files
}

/// What the fuzzer has found, and what the cases read, each in a few ways.
fn inputs() -> Vec<Vec<u8>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: PathBuf| fs::read(path).ok();
    let mut inputs: Vec<Vec<u8>> =
        files(&here.join("fuzz/corpus/csv")).into_iter().filter_map(read).collect();
    let cases = files(&here.join("../../tests/cases")).into_iter();
    let cases = cases.filter_map(|case| read(case.join("input.csv")));
    let ways = (0..=u8::MAX).cycle().step_by(37);
    for (file, way) in cases.filter(|file| file.len() <= MOST_BYTES).zip(ways) {
        inputs.push([&[0, 0, 0, way, way], &*file].concat());
        inputs.push([&[way, way.rotate_left(3), way.rotate_left(5), way, way], &*file].concat());
    }
    inputs
}

/// Numbers that look random, and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % bound.max(1)
    }

    /// Takes some bytes out, and puts others in their place.
    fn damage(&mut self, input: &[u8]) -> Vec<u8> {
        let at = self.below(input.len());
        let until = (at + self.below(4)).min(input.len());
        let piece = match self.below(4) {
            0 => &input[self.below(input.len())..],
            _ => PIECES[self.below(PIECES.len())],
        };
        [&input[..at], piece, &input[until..]].concat()
    }
}

#[test]
fn files_of_the_corpus_and_their_mutations_are_read_or_refused() {
    let mut dice = Dice(1);
    let mut read = 0;
    for input in inputs() {
        read += usize::from(fuzz::read(&input));
        for _ in 0..MUTATIONS {
            fuzz::read(&dice.damage(&input));
        }
    }
    assert!(read > 100, "only {read} files were read to their ends");
}
