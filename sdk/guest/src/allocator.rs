//! The guest's allocator: the standard allocator, with every block aligned to 16 bytes.
//!
//! The standard allocator aligns to 8 bytes, but a Decimal128 value needs 16. Without this module,
//! each decimal column that crosses the sandbox would be copied once more, silently.

#![expect(unsafe_code, reason = "a global allocator cannot be written without")]

use std::alloc::{GlobalAlloc, Layout, System};

const ALIGNMENT: usize = 16;

struct Aligned;

#[global_allocator]
static ALLOCATOR: Aligned = Aligned;

fn raise(layout: Layout) -> Layout {
    // A layout that is too large to be padded goes on as it is: the allocator refuses it anyway.
    layout.align_to(ALIGNMENT).unwrap_or(layout)
}

// SAFETY: every method hands on to `System`. All four raise the layout by the same pure function,
// so a block is freed and grown with the layout that it was allocated with.
unsafe impl GlobalAlloc for Aligned {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract, which raising the alignment keeps.
        unsafe { System.alloc(raise(layout)) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(raise(layout)) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(block, raise(layout)) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.realloc(block, raise(layout), size) }
    }
}
