//! The innermost loop: finds the places of a handful of characters in a run of bytes.
//!
//! It turns 64 bytes at a time into a mask with one bit per byte, computes some masks ahead, and
//! then takes the set bits one by one. For short fields this is faster than a call of memchr for
//! each.

use wide::u8x16;

const BLOCK: usize = 64;
/// The number of blocks that are searched at once: enough to be worth the call, and few enough for
/// small files.
const WINDOW: usize = 16;

/// Five ASCII characters to look for. An entry that is not needed repeats another one. NUL is not
/// allowed: the last block is padded with it.
pub(crate) type Needles = [u8; 5];

/// Goes through the positions of the needles in order.
pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
    /// Each needle, in all bytes of a vector.
    needles: [u8x16; 5],
    window: [u64; WINDOW],
    hits: Hits,
}

/// Which hits are still to be taken. A loop may keep them for itself, where the processor has them
/// at hand, and gives them back when it ends.
#[derive(Clone, Copy)]
pub(crate) struct Hits {
    /// Those of the current block.
    mask: u64,
    /// The place where the current block begins.
    base: usize,
    /// The window's index of the block after the current one.
    next_block: usize,
}

impl Hits {
    /// With the hit that was taken last.
    #[inline(always)]
    pub(crate) fn with(self, at: usize) -> Hits {
        Hits { mask: self.mask | 1 << (at % BLOCK), ..self }
    }
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(bytes: &'a [u8], needles: Needles) -> Scanner<'a> {
        let hits = Hits { mask: 0, base: 0, next_block: 0 };
        let needles = needles.map(u8x16::splat);
        let mut scanner = Scanner { bytes, needles, window: [0; WINDOW], hits };
        scanner.hits = scanner.look_from(0);
        scanner
    }

    /// Forgets the hits before `at`, which must not be before the last one taken.
    pub(crate) fn skip_to(&mut self, at: usize) {
        // `base` stays a multiple of the block's size, and the shift below stays under 64.
        if at >= self.hits.base + BLOCK {
            self.hits = self.look_from(at - at % BLOCK);
        }
        self.hits.mask &= u64::MAX << (at - self.hits.base);
    }

    /// Goes on with the hits from `at` on, which may be before the last one taken.
    #[cold]
    pub(crate) fn restart(&mut self, at: usize) {
        self.hits = self.look_from(at - at % BLOCK);
        self.hits.mask &= u64::MAX << (at - self.hits.base);
    }

    #[inline(always)]
    pub(crate) fn next(&mut self) -> Option<usize> {
        let mut hits = self.hits;
        let at = self.next_of(&mut hits);
        self.hits = hits;
        at
    }

    /// The hits that are still to be taken.
    #[inline(always)]
    pub(crate) fn hits(&self) -> Hits {
        self.hits
    }

    /// Goes on with these hits, which are this scanner's.
    #[inline(always)]
    pub(crate) fn go_on_with(&mut self, hits: Hits) {
        self.hits = hits;
    }

    /// Takes the next of these hits, which are this scanner's last ones.
    #[inline(always)]
    pub(crate) fn next_of(&mut self, hits: &mut Hits) -> Option<usize> {
        while hits.mask == 0 {
            match self.window.get(hits.next_block) {
                Some(mask) => {
                    hits.mask = *mask;
                    hits.next_block += 1;
                    hits.base += BLOCK;
                }
                None if hits.base + BLOCK < self.bytes.len() => {
                    *hits = self.look_from(hits.base + BLOCK);
                }
                None => return None,
            }
        }
        // The lowest bit is the first hit; `mask & (mask - 1)` clears it.
        let at = hits.base + hits.mask.trailing_zeros() as usize;
        hits.mask &= hits.mask - 1;
        Some(at)
    }

    /// Fills the window from `base` on, and gives the hits of its first block.
    #[inline(never)]
    fn look_from(&mut self, base: usize) -> Hits {
        let rest = self.bytes.get(base..).unwrap_or_default();
        let (blocks, end) = rest.as_chunks::<BLOCK>();
        let found = self.window.iter_mut().zip(blocks);
        found.for_each(|(mask, block)| *mask = find(block, &self.needles));
        if let Some(rest) = self.window.get_mut(blocks.len()..) {
            rest.fill(0);
            if let Some(mask) = rest.first_mut() {
                let mut block = [0; BLOCK];
                block[..end.len()].copy_from_slice(end);
                *mask = find(&block, &self.needles);
            }
        }
        Hits { mask: self.window[0], base, next_block: 1 }
    }
}

/// Makes a mask with a bit for each byte that equals a needle: the lowest for the first byte.
#[inline(always)]
fn find(block: &[u8; BLOCK], needles: &[u8x16; 5]) -> u64 {
    let mut mask = 0;
    for (at, bytes) in block.as_chunks::<16>().0.iter().enumerate() {
        let bytes = u8x16::from(*bytes);
        let equal =
            needles.iter().fold(u8x16::splat(0), |equal, needle| equal | bytes.simd_eq(*needle));
        mask |= u64::from(equal.to_bitmask()) << (16 * at);
    }
    mask
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_finds_what_a_plain_loop_finds(
            bytes in proptest::collection::vec(
                prop_oneof![40 => any::<u8>(), 10 => 44u8..48, 1000 => Just(b'x')],
                0..8000,
            ),
        ) {
            let needles = *b",\n\r\"\\";
            let mut scanner = Scanner::new(&bytes, needles);
            let found: Vec<usize> = std::iter::from_fn(|| scanner.next()).collect();
            let expected: Vec<usize> =
                (0..bytes.len()).filter(|at| needles.contains(&bytes[*at])).collect();
            prop_assert_eq!(&found, &expected);
            for at in [0, 1, 63, 64, 65, 200, 1023, 1024, 1100, bytes.len()] {
                let mut scanner = Scanner::new(&bytes, needles);
                scanner.skip_to(at);
                let found: Vec<usize> = std::iter::from_fn(|| scanner.next()).collect();
                let expected: Vec<usize> =
                    expected.iter().copied().filter(|found| *found >= at).collect();
                prop_assert_eq!(&found, &expected, "from {}", at);
                scanner.restart(at);
                let again: Vec<usize> = std::iter::from_fn(|| scanner.next()).collect();
                prop_assert_eq!(again, expected, "from {} again", at);
            }
            let mut scanner = Scanner::new(&bytes, needles);
            for at in expected {
                let mut hits = scanner.hits();
                prop_assert_eq!(scanner.next_of(&mut hits), Some(at));
                scanner.go_on_with(hits.with(at));
                prop_assert_eq!(scanner.next(), Some(at), "taken again");
            }
        }
    }
}
