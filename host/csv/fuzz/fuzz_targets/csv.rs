//! Fuzzes the reader of CSV with files, and with ways to read them.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    loader_csv_fuzz::read(input);
});
