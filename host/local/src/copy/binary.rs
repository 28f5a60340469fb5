//! PostgreSQL's binary COPY format, written field by field into a growing buffer. In: typed values.
//! Out: bytes for COPY … (FORMAT binary). Source:
//! <https://www.postgresql.org/docs/15/sql-copy.html#id-1.9.3.55.9.4>. Does no I/O.

// Eleven bytes of signature, then four of flags and four for the length of an extension. The
// stand-in uses neither, so the last eight bytes are zero.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// Days and microseconds from 1970 to PostgreSQL's 2000-01-01.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// Where the point is among the groups of a numeric.
// PostgreSQL keeps a numeric as groups of four digits, counted from the point in both directions,
// and a weight, which is the place of the first group; 0 is the group just before the point. For
// example, 1.20 has the groups 1 and 2000 and weight 0; 0.00005 has weight -2 and the group 5000.
// Groups before the point end at index POINT, groups behind the point start there. 38 digits are at
// most 10 groups on either side, so 24 places are enough for both.
const POINT: usize = 12;

/// Rows being encoded.
#[derive(Debug)]
pub(crate) struct RowBuffer {
    bytes: Vec<u8>,
    row_start: usize,
    columns: i16,
}

impl RowBuffer {
    /// Starts the stream; every row will have `columns` fields.
    pub(crate) fn new(columns: usize) -> RowBuffer {
        let bytes = HEADER.to_vec();
        RowBuffer {
            row_start: bytes.len(),
            bytes,
            // A table has at most 1,600 columns, so the count always fits.
            columns: i16::try_from(columns).unwrap_or(i16::MAX),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn start_row(&mut self) {
        self.row_start = self.bytes.len();
        self.bytes.extend_from_slice(&self.columns.to_be_bytes());
    }

    /// Removes the row that was started last, with the fields that it has so far.
    pub(crate) fn drop_row(&mut self) {
        self.bytes.truncate(self.row_start);
    }

    /// Takes the rows written so far. Call it only between rows: half a row could not be dropped
    /// any more.
    pub(crate) fn take(&mut self, next_capacity: usize) -> Vec<u8> {
        self.row_start = 0;
        std::mem::replace(&mut self.bytes, Vec::with_capacity(next_capacity))
    }

    /// Ends the stream.
    pub(crate) fn finish(&mut self) {
        // The trailer is a count of -1 fields, where the next row would have its count.
        self.bytes.extend_from_slice(&(-1_i16).to_be_bytes());
    }

    fn field<const N: usize>(&mut self, value: [u8; N]) {
        self.bytes.extend_from_slice(&(N as i32).to_be_bytes());
        self.bytes.extend_from_slice(&value);
    }

    pub(crate) fn null(&mut self) {
        // A length of -1 is NULL. (A length of 0 is the empty string.)
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) {
        let length = i32::try_from(value.len()).unwrap_or(i32::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(value);
    }

    pub(crate) fn boolean(&mut self, value: bool) {
        self.field([u8::from(value)]);
    }

    pub(crate) fn int2(&mut self, value: i16) {
        self.field(value.to_be_bytes());
    }

    pub(crate) fn int4(&mut self, value: i32) {
        self.field(value.to_be_bytes());
    }

    pub(crate) fn int8(&mut self, value: i64) {
        self.field(value.to_be_bytes());
    }

    pub(crate) fn float4(&mut self, value: f32) {
        self.field(value.to_be_bytes());
    }

    pub(crate) fn float8(&mut self, value: f64) {
        self.field(value.to_be_bytes());
    }

    pub(crate) fn date(&mut self, days: i32) {
        self.int4(days - EPOCH_DAYS);
    }

    pub(crate) fn timestamp(&mut self, micros: i64) {
        self.int8(micros - EPOCH_MICROS);
    }

    /// A jsonb: version 1, then the text.
    pub(crate) fn json(&mut self, text: &[u8]) {
        let length = i32::try_from(text.len() + 1).unwrap_or(i32::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.push(1);
        self.bytes.extend_from_slice(text);
    }

    /// Writes the numeric `unscaled / 10^scale`, for a scale of 0 to 38. For example, -12345 with
    /// scale 2 is -123.45.
    pub(crate) fn numeric(&mut self, unscaled: i128, scale: u8) {
        let magnitude = unscaled.unsigned_abs();
        let power = 10_u128.pow(u32::from(scale));
        let (integer, fraction) =
            if magnitude < power { (0, magnitude) } else { (magnitude / power, magnitude % power) };
        let mut digits = [0_i16; 24];
        let (before, after) = digits.split_at_mut(POINT);
        let first = POINT - integer_groups(integer, before);
        let last = POINT + fraction_groups(fraction, scale, after);
        let (first, last) = without_zeros(&digits, first, last);
        let weight = POINT as i16 - 1 - first as i16;
        self.push_numeric(&digits[first..last], weight, unscaled < 0, scale);
    }

    // Zero has no groups left. It gets weight 0 and a plus sign, so that it is always written
    // alike.
    fn push_numeric(&mut self, digits: &[i16], weight: i16, is_negative: bool, scale: u8) {
        let weight = if digits.is_empty() { 0 } else { weight };
        let sign: u16 = if is_negative && !digits.is_empty() { 0x4000 } else { 0 };
        self.bytes.extend_from_slice(&(8 + 2 * digits.len() as i32).to_be_bytes());
        self.bytes.extend_from_slice(&(digits.len() as i16).to_be_bytes());
        self.bytes.extend_from_slice(&weight.to_be_bytes());
        self.bytes.extend_from_slice(&sign.to_be_bytes());
        self.bytes.extend_from_slice(&i16::from(scale).to_be_bytes());
        for digit in digits {
            self.bytes.extend_from_slice(&digit.to_be_bytes());
        }
    }
}

/// Narrows `first..last` to the groups between the zero groups at both ends.
fn without_zeros(digits: &[i16], mut first: usize, mut last: usize) -> (usize, usize) {
    while first < last && digits[first] == 0 {
        first += 1;
    }
    while last > first && digits[last - 1] == 0 {
        last -= 1;
    }
    (first, last)
}

/// Writes the groups of a whole number to the end of `digits`; returns their number.
fn integer_groups(integer: u128, digits: &mut [i16]) -> usize {
    let mut count = 0;
    let mut rest = integer;
    while rest > 0 {
        count += 1;
        let at = digits.len() - count;
        (rest, digits[at]) = last_group(rest);
    }
    count
}

/// Writes the groups behind the point to the start of `digits`; returns their number.
fn fraction_groups(fraction: u128, scale: u8, digits: &mut [i16]) -> usize {
    let mut count = 0;
    let mut left = u32::from(scale);
    let mut rest = fraction;
    while left > 0 && rest > 0 {
        let cut = left.saturating_sub(4);
        let (group, below) = split(rest, 10_u128.pow(cut));
        // The last group may have fewer than four digits and is filled up with zeros: the 567 of
        // 1234.567 is the group 5670.
        digits[count] = group * [1_i16, 10, 100, 1000][(4 - (left - cut)) as usize];
        count += 1;
        rest = below;
        left = cut;
    }
    count
}

/// Splits off the last four digits: `1234567` gives 123 and 4567. Computes in 64 bits where the
/// number fits, because a division of 128 bits is slow.
fn last_group(number: u128) -> (u128, i16) {
    match u64::try_from(number) {
        Ok(small) => (u128::from(small / 10_000), (small % 10_000) as i16),
        Err(_) => (number / 10_000, (number % 10_000) as i16),
    }
}

/// Quotient and remainder.
fn split(number: u128, divisor: u128) -> (i16, u128) {
    // `number` has at most four digits more than `divisor` has zeros, so the quotient is below
    // 10,000 and the casts lose nothing.
    match (u64::try_from(number), u64::try_from(divisor)) {
        (Ok(number), Ok(divisor)) => ((number / divisor) as i16, u128::from(number % divisor)),
        _ => ((number / divisor) as i16, number % divisor),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What PostgreSQL reads: (weight, sign, scale, digits).
    fn numeric(unscaled: i128, scale: u8) -> (i16, u16, i16, Vec<i16>) {
        let mut buffer = RowBuffer::new(1);
        buffer.take(0);
        buffer.numeric(unscaled, scale);
        let words: Vec<i16> = buffer.bytes[4..]
            .chunks(2)
            .map(|word| i16::from_be_bytes([word[0], word[1]]))
            .collect();
        assert_eq!(usize::try_from(words[0]).unwrap(), words.len() - 4);
        (words[1], words[2].cast_unsigned(), words[3], words[4..].to_vec())
    }

    #[test]
    fn numerics() {
        assert_eq!(numeric(0, 2), (0, 0, 2, vec![]));
        assert_eq!(numeric(120, 2), (0, 0, 2, vec![1, 2000]));
        assert_eq!(numeric(-12_345_678, 0), (1, 0x4000, 0, vec![1234, 5678]));
        assert_eq!(numeric(5, 5), (-2, 0, 5, vec![5000]));
        assert_eq!(numeric(1, 38), (-10, 0, 38, vec![100]));
        assert_eq!(numeric(10_000, 0), (1, 0, 0, vec![1]));
        assert_eq!(numeric(10_i128.pow(38) - 1, 0), (9, 0, 0, [vec![99], vec![9999; 9]].concat()));
        assert_eq!(numeric(1_234_567, 3), (0, 0, 3, vec![1234, 5670]));
        assert_eq!(numeric(12_345, 1), (0, 0, 1, vec![1234, 5000]));
    }
}
