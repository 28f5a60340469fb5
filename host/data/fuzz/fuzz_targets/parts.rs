//! Fuzzes the data path with stored files, the tables that they land in, and ways to read them.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    loader_data_fuzz::parts(input);
});
