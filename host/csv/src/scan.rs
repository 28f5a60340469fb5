//! The innermost loop: finds the places of a handful of characters in a run of bytes.
//!
//! It turns 64 bytes at a time into a mask with one bit per byte, computes some masks ahead, and
//! then takes the set bits one by one. For short fields this is faster than a call of memchr for
//! each.

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
    /// Each needle, repeated in all eight bytes of its word.
    needles: [u64; 5],
    window: [u64; WINDOW],
    /// The window's index of the block after the current one, and the place where the current one
    /// begins.
    next_block: usize,
    base: usize,
    /// The hits of the current block that are still to be taken.
    mask: u64,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(bytes: &'a [u8], needles: Needles) -> Scanner<'a> {
        let needles = needles.map(|needle| u64::from(needle) * ONES);
        let mut scanner =
            Scanner { bytes, needles, window: [0; WINDOW], next_block: 0, base: 0, mask: 0 };
        scanner.look_from(0);
        scanner
    }

    /// Forgets the hits before `at`, which must not be before the last one taken.
    pub(crate) fn skip_to(&mut self, at: usize) {
        // `base` stays a multiple of the block's size, and the shift below stays under 64.
        if at >= self.base + BLOCK {
            self.look_from(at - at % BLOCK);
        }
        self.mask &= u64::MAX << (at - self.base);
    }

    /// Goes on with the hits from `at` on, which may be before the last one taken.
    #[cold]
    pub(crate) fn restart(&mut self, at: usize) {
        self.look_from(at - at % BLOCK);
        self.mask &= u64::MAX << (at - self.base);
    }

    #[inline(always)]
    pub(crate) fn next(&mut self) -> Option<usize> {
        while self.mask == 0 {
            match self.window.get(self.next_block) {
                Some(mask) => {
                    self.mask = *mask;
                    self.next_block += 1;
                    self.base += BLOCK;
                }
                None if self.base + BLOCK < self.bytes.len() => self.look_from(self.base + BLOCK),
                None => return None,
            }
        }
        // The lowest bit is the first hit; `mask & (mask - 1)` clears it.
        let at = self.base + self.mask.trailing_zeros() as usize;
        self.mask &= self.mask - 1;
        Some(at)
    }

    /// Fills the window from `base` on and makes its first block the current one.
    #[inline(never)]
    fn look_from(&mut self, base: usize) {
        let rest = self.bytes.get(base..).unwrap_or_default();
        let (blocks, end) = rest.as_chunks::<BLOCK>();
        self.window = [0; WINDOW];
        for (mask, block) in self.window.iter_mut().zip(blocks) {
            *mask = find(block, &self.needles);
        }
        if let Some(mask) = self.window.get_mut(blocks.len()) {
            let mut block = [0; BLOCK];
            block[..end.len()].copy_from_slice(end);
            *mask = find(&block, &self.needles);
        }
        (self.base, self.mask, self.next_block) = (base, self.window[0], 1);
    }
}

const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
const TOP: u64 = 0xff00_0000_0000_0000;
const ONES: u64 = 0x0101_0101_0101_0101;

/// Makes a mask with a bit for each byte that equals a needle. Eight bytes are compared at once as
/// one word; the top bit of each byte then says whether it differs from all needles.
// A byte that equals the needle is 0 after the XOR. Adding 127 sets the top bit of every byte that
// is not 0, and never carries, as all bytes are under 128. (For example, 1 + 127 = 0x80, and
// 127 + 127 = 0xfe.) `| word` drops bytes beyond ASCII, which equal no needle. The multiplication
// moves bit 8 * k to bit 56 + k, for each k, so the top byte has the eight bits. Each `>> 8` makes
// room for the next word: after eight words, the bits of the first are the lowest.
#[inline(always)]
fn find(block: &[u8; BLOCK], needles: &[u64; 5]) -> u64 {
    let mut mask = 0;
    for bytes in block.as_chunks::<8>().0 {
        let word = u64::from_le_bytes(*bytes);
        let ascii = word & LOW;
        let differs =
            needles.iter().fold(u64::MAX, |differs, needle| differs & ((ascii ^ needle) + LOW));
        let equal = !(differs | word | LOW);
        mask = (mask >> 8) | ((equal >> 7).wrapping_mul(0x0102_0408_1020_4080) & TOP);
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
            bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 44u8..48], 0..3000),
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
        }
    }
}
