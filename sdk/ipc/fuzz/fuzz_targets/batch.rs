//! Fuzzes the validator with bytes of a batch; half of the damage knows the format.

#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use loader_ipc_fuzz::mutate::{Dice, mutate};

fuzz_target!(|input: &[u8]| {
    loader_ipc_fuzz::batch(input);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut dice = Dice(u64::from(seed));
    if dice.below(2) == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut input = data[..size].to_vec();
    mutate(&mut input, &mut dice);
    let size = input.len().min(max_size);
    data[..size].copy_from_slice(&input[..size]);
    size
});
