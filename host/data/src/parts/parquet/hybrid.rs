//! The run-length and bit-packing hybrid of Parquet, in which levels and the indices of a
//! dictionary are written.
//!
//! In: small numbers of a known width. Out: runs, each of one number many times or of groups of
//! eight packed bit by bit.
//! Source: <https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE>

/// The numbers of a group, which are packed together.
const GROUP: usize = 8;
/// So many equal numbers are shorter as a run, whatever their width.
const RUN: usize = 3 * GROUP;

/// The bits that numbers up to `most` take.
pub(super) fn width_of(most: u32) -> u32 {
    u32::BITS - most.leading_zeros()
}

/// Appends numbers of at most `width` bits.
// A run can begin only where a group does, as groups are never shorter than eight numbers. Only the
// last one is filled up with zeros, which its reader knows to leave out.
pub(super) fn encode(numbers: &[u32], width: u32, out: &mut Vec<u8>) {
    let (mut packed_from, mut at) = (0, 0);
    while at < numbers.len() {
        let length = run_length(&numbers[at..]);
        if length < RUN {
            at = numbers.len().min(at + GROUP);
            continue;
        }
        pack(&numbers[packed_from..at], width, out);
        repeat(numbers[at], length, width, out);
        at += length;
        packed_from = at;
    }
    pack(&numbers[packed_from..], width, out);
}

/// Appends one number many times.
pub(super) fn repeat(number: u32, times: usize, width: u32, out: &mut Vec<u8>) {
    push_header(times << 1, out);
    let bytes = width.div_ceil(u8::BITS) as usize;
    out.extend(number.to_le_bytes().iter().take(bytes));
}

/// Appends bits that are packed already, the lowest first.
pub(super) fn push_bits(bits: &[u8], out: &mut Vec<u8>) {
    push_header(bits.len() << 1 | 1, out);
    out.extend_from_slice(bits);
}

/// How many numbers are equal at the beginning.
fn run_length(numbers: &[u32]) -> usize {
    let Some(first) = numbers.first() else { return 0 };
    // Mostly the first eight tell that there is no run.
    if numbers.iter().take(GROUP).any(|number| number != first) {
        return 0;
    }
    numbers.iter().take_while(|number| *number == first).count()
}

fn pack(numbers: &[u32], width: u32, out: &mut Vec<u8>) {
    if numbers.is_empty() {
        return;
    }
    let groups = numbers.len().div_ceil(GROUP);
    push_header(groups << 1 | 1, out);
    let end = out.len() + groups * width as usize;
    let (mut bits, mut held) = (0_u64, 0_u32);
    for number in numbers {
        bits |= u64::from(*number) << held;
        held += width;
        if held >= u32::BITS {
            out.extend_from_slice(&(bits as u32).to_le_bytes());
            bits >>= u32::BITS;
            held -= u32::BITS;
        }
    }
    out.extend_from_slice(&bits.to_le_bytes());
    out.resize(end, 0);
}

/// Appends a number as ULEB128.
fn push_header(mut number: usize, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads the hybrid as its description has it.
    fn decode(mut bytes: &[u8], width: u32, count: usize) -> Vec<u32> {
        let mut numbers = Vec::new();
        let bit = |bytes: &[u8], at: usize| u32::from(bytes[at / 8] >> (at % 8) & 1);
        while numbers.len() < count {
            let (mut header, mut shift) = (0, 0);
            loop {
                let byte = usize::from(bytes[0]);
                bytes = &bytes[1..];
                header |= (byte & 0x7F) << shift;
                shift += 7;
                if byte < 0x80 {
                    break;
                }
            }
            let is_packed = header & 1 == 1;
            let length =
                if is_packed { (header >> 1) * width as usize } else { width.div_ceil(8) as usize };
            let (run, rest) = bytes.split_at(length);
            bytes = rest;
            let number =
                |at: usize| (0..width).map(|n| bit(run, at + n as usize) << n).sum::<u32>();
            match is_packed {
                true => numbers.extend((0..(header >> 1) * 8).map(|n| number(n * width as usize))),
                false => numbers.extend(std::iter::repeat_n(number(0), header >> 1)),
            }
        }
        assert!(bytes.is_empty(), "{bytes:?} are left");
        numbers.truncate(count);
        numbers
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            runs in proptest::collection::vec((any::<u32>(), 1_usize..100), 0..40),
            width in 0_u32..=32,
        ) {
            let most = u32::MAX.checked_shr(32 - width).unwrap_or(0);
            let runs = runs.iter().map(|(number, times)| vec![number & most; *times % 30 + 1]);
            let numbers: Vec<u32> = runs.flatten().collect();
            let mut bytes = Vec::new();
            encode(&numbers, width, &mut bytes);
            prop_assert_eq!(decode(&bytes, width, numbers.len()), numbers);
        }
    }

    #[test]
    fn numbers_take_the_bits_of_the_largest() {
        assert_eq!([0, 1, 2, 255, 256, u32::MAX].map(width_of), [0, 1, 2, 8, 9, 32]);
    }
}
