//! Damage that knows the format: random flips rarely make a header lie and still hold together.
//! Deterministic, so that a test can repeat it.

/// Numbers that checks of lengths, offsets and counts get wrong.
const TELLING: [i64; 14] =
    [0, 1, -1, 3, 7, 8, 63, 64, 65, 1 << 31, (1 << 31) - 1, 1 << 40, i64::MAX, i64::MIN];

/// A generator of random numbers: splitmix64.
pub struct Dice(pub u64);

impl Dice {
    /// A number below `bound`, or 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound.max(1) as u64) as usize
    }
}

/// Changes one to four things of an input: a bit, a byte, a word to a telling number or by a
/// little, the length of the header, a piece that is cut out, doubled, or swapped for another.
pub fn mutate(input: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.below(4) {
        change(input, dice);
    }
}

fn change(input: &mut Vec<u8>, dice: &mut Dice) {
    let length = input.len();
    if length == 0 {
        return input.push(dice.below(256) as u8);
    }
    let at = dice.below(length);
    match dice.below(8) {
        0 => input[at] ^= 1 << dice.below(8),
        1 => input[at] = dice.below(256) as u8,
        2 => put(input, at, &TELLING[dice.below(TELLING.len())].to_le_bytes()[..width(dice)]),
        3 => {
            let value = TELLING[dice.below(TELLING.len())].to_le_bytes();
            let at = header(input) + 4 * dice.below(64);
            put(input, at, &value[..width(dice)]);
        }
        4 => {
            let at = header(input) + 4 * dice.below(64);
            if let Some(word) = input.get(at..at + 4).and_then(<[u8]>::first_chunk) {
                let step = dice.below(17) as i32 - 8;
                let word = i32::from_le_bytes(*word).wrapping_add(step).to_le_bytes();
                put(input, at, &word);
            }
        }
        5 => input.truncate(at),
        6 => {
            let piece = input[at..length.min(at + 1 + dice.below(64))].to_vec();
            let to = dice.below(length);
            input.splice(to..to, piece);
        }
        _ => {
            let (from, bytes) = (dice.below(length), 1 + dice.below(16));
            let piece = input[from..length.min(from + bytes)].to_vec();
            put(input, at, &piece);
        }
    }
}

fn width(dice: &mut Dice) -> usize {
    [2, 4, 8][dice.below(3)]
}

/// Where the message starts: at the continuation marker.
fn header(input: &[u8]) -> usize {
    input.windows(4).position(|window| window == [0xff; 4]).unwrap_or(0)
}

fn put(input: &mut [u8], at: usize, bytes: &[u8]) {
    for (place, byte) in input.iter_mut().skip(at).zip(bytes) {
        *place = *byte;
    }
}
