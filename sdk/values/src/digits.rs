//! Runs of decimal digits, eight at a time: the eight bytes of a word are looked at, and
//! multiplied, at once.

/// A zero digit in each byte.
const ZEROS: u64 = u64::from_le_bytes(*b"00000000");
/// What takes each byte that is more than 9 into the upper half of its byte.
const SIXES: u64 = 0x0606_0606_0606_0606;
const UPPER_HALVES: u64 = 0xF0F0_F0F0_F0F0_F0F0;
const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// Reads the digits at the start of `text`; returns their value and how many there are. The value
/// wraps with more than 19 digits, so callers look at the count first.
///
/// For example, `012.5` gives 12 and 3.
#[inline]
pub fn leading_digits(text: &[u8]) -> (u64, usize) {
    let (size, length) = first_digits(text);
    if length < 8 { (size, length) } else { go_on(text, size) }
}

/// As [`leading_digits`], behind eight digits of this value.
fn go_on(text: &[u8], first: u64) -> (u64, usize) {
    let (mut size, mut length) = (first, 8);
    loop {
        let (next, count) = first_digits(text.get(length..).unwrap_or_default());
        let power = POWERS.get(count).copied().unwrap_or(1);
        size = size.wrapping_mul(power).wrapping_add(next);
        length += count;
        if count < 8 {
            return (size, length);
        }
    }
}

/// The digits among the first eight bytes: their value, and how many there are.
// Behind the text the word is NUL, which is no digit. Where a byte is none, the addition may carry
// into the next one; only bytes behind it can look wrong then, and they do not count.
#[inline(always)]
fn first_digits(text: &[u8]) -> (u64, usize) {
    let digits = word(text) ^ ZEROS;
    let others = (digits | digits.wrapping_add(SIXES)) & UPPER_HALVES;
    let count = others.trailing_zeros() / 8;
    // The digits go to the end of the word, where the ones stand, behind zeros.
    let digits = digits.checked_shl(64 - 8 * count).unwrap_or(0);
    (value(digits), count as usize)
}

/// The value of eight digits, of which the first is in the lowest byte.
// Neighbours are put together to numbers of two digits in every second byte, then of four, then of
// eight. `2561` is `10 << 8 | 1`: the lower one times ten, and the upper one.
#[inline(always)]
fn value(digits: u64) -> u64 {
    let pairs = digits.wrapping_mul(10 << 8 | 1) >> 8 & 0x00FF_00FF_00FF_00FF;
    let fours = pairs.wrapping_mul(100 << 16 | 1) >> 16 & 0x0000_FFFF_0000_FFFF;
    fours.wrapping_mul(10_000 << 32 | 1) >> 32
}

/// The first eight bytes of a text, the first one lowest, and NUL behind its end.
// A short text is read by two loads that may overlap: of `12345` the bytes `1234` and `2345`.
#[inline(always)]
fn word(text: &[u8]) -> u64 {
    if let Some(bytes) = text.first_chunk::<8>() {
        return u64::from_le_bytes(*bytes);
    }
    let behind = |bytes: usize| 8 * (text.len() - bytes);
    if let (Some(front), Some(back)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let word = |bytes: &[u8; 4]| u64::from(u32::from_le_bytes(*bytes));
        return word(front) | word(back) << behind(4);
    }
    match *text {
        [a, b, c] => u64::from(a) | u64::from(b) << 8 | u64::from(c) << 16,
        [a, b] => u64::from(a) | u64::from(b) << 8,
        [a] => u64::from(a),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_are_what_a_plain_loop_reads(text in "[0-9]{0,24}[^0-9]{0,3}[0-9]{0,9}") {
            let text = text.as_bytes();
            let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
            let plain = digits.fold((0u64, 0), |(size, length), digit| {
                (size.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')), length + 1)
            });
            prop_assert_eq!(leading_digits(text), plain);
        }

        #[test]
        fn no_other_byte_is_a_digit(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
            prop_assert_eq!(leading_digits(&bytes).1, count);
        }
    }
}
