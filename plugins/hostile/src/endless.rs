//! Functions that use without end: time, lines of log, memory, stack.

use loader_sdk::{Level, log};

pub(crate) fn spin() -> ! {
    // `black_box` keeps the compiler from removing the loop, here and in the functions below.
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

pub(crate) fn flood_log() {
    (0..100_000).for_each(|line| log(Level::Info, &format!("line {line} of a flood")));
}

pub(crate) fn allocate_forever() -> ! {
    let mut hoard = Vec::new();
    loop {
        hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
}

#[expect(unconditional_recursion, reason = "that is the misdeed")]
pub(crate) fn overflow(depth: u64) -> u64 {
    std::hint::black_box(overflow(std::hint::black_box(depth + 1)) + depth)
}
