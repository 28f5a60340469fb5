//! The innermost loop: where in a run of bytes any of a handful of characters stands.
//! 64 bytes at a time become a mask with one bit per byte, and the set bits are then taken one by one. For short fields that beats a call of memchr for each.

pub(crate) const BLOCK: usize = 64;

/// Five ASCII characters to look for; one that is not needed repeats another. None of them is NUL, which pads the last block.
pub(crate) type Needles = [u8; 5];

/// Goes through the positions of the needles in order.
pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
    needles: Needles,
    /// Where the block begins whose hits are in `mask`.
    base: usize,
    mask: u64,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(bytes: &'a [u8], needles: Needles) -> Scanner<'a> {
        let mut scanner = Scanner { bytes, needles, base: 0, mask: 0 };
        scanner.mask = scanner.hits();
        scanner
    }

    /// Forgets the hits before `at`, which must not be before the last one taken.
    pub(crate) fn skip_to(&mut self, at: usize) {
        if at >= self.base + BLOCK {
            self.base = at - at % BLOCK;
            self.mask = self.hits();
        }
        self.mask &= u64::MAX << (at - self.base);
    }

    #[inline(always)]
    pub(crate) fn next(&mut self) -> Option<usize> {
        while self.mask == 0 {
            self.base += BLOCK;
            if self.base >= self.bytes.len() {
                self.base -= BLOCK;
                return None;
            }
            self.mask = self.hits();
        }
        let at = self.base + self.mask.trailing_zeros() as usize;
        self.mask &= self.mask - 1;
        Some(at)
    }

    #[inline(always)]
    fn hits(&self) -> u64 {
        let rest = self.bytes.get(self.base..).unwrap_or_default();
        match rest.first_chunk::<BLOCK>() {
            Some(block) => find(block, self.needles),
            None => {
                let mut block = [0; BLOCK];
                block[..rest.len()].copy_from_slice(rest);
                find(&block, self.needles)
            }
        }
    }
}

const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
const ONES: u64 = 0x0101_0101_0101_0101;

/// A bit for each byte that equals a needle. Works on eight bytes in a word, whose top bits say which differ.
#[inline(always)]
fn find(block: &[u8; BLOCK], needles: Needles) -> u64 {
    let needles = needles.map(|needle| u64::from(needle) * ONES);
    let mut mask = 0;
    for (index, bytes) in block.as_chunks::<8>().0.iter().enumerate() {
        let word = u64::from_le_bytes(*bytes);
        let ascii = word & LOW;
        // Adding 127 sets the top bit of every byte but zero, and carries into none. Bytes beyond ASCII equal no needle.
        let differs = needles.iter().fold(u64::MAX, |differs, needle| differs & ((ascii ^ needle) + LOW));
        let equal = !(differs | word | LOW);
        // Multiplying moves bit 8 * k to bit 56 + k, for each k.
        mask |= ((equal >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * index);
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_finds_what_a_plain_loop_finds(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 44u8..48], 0..300)) {
            let needles = *b",\n\r\"\\";
            let mut scanner = Scanner::new(&bytes, needles);
            let found: Vec<usize> = std::iter::from_fn(|| scanner.next()).collect();
            let expected: Vec<usize> = (0..bytes.len()).filter(|at| needles.contains(&bytes[*at])).collect();
            prop_assert_eq!(&found, &expected);
            for at in [0, 1, 63, 64, 65, 200, bytes.len()] {
                let mut scanner = Scanner::new(&bytes, needles);
                scanner.skip_to(at);
                let found: Vec<usize> = std::iter::from_fn(|| scanner.next()).collect();
                let expected: Vec<usize> = expected.iter().copied().filter(|found| *found >= at).collect();
                prop_assert_eq!(found, expected, "from {}", at);
            }
        }
    }
}
