//! Numbers as floats.
//!
//! In: a text, a float of 64 bits, or an integer. Out: the float, or nothing where it would be
//! infinite, or for an integer another number.

/// Reads a float of 32 bits. A number that is too large for it fails: for example, `1e39`.
// The text is parsed once more as f32, because a cast from f64 would round a second time.
pub(super) fn parse_f32(text: &str) -> Option<f32> {
    let wide = loader_values::parse_f64(text.as_bytes())?;
    match wide.is_finite() {
        true => text.parse::<f32>().ok().filter(|value| value.is_finite()),
        false => Some(wide as f32),
    }
}

/// The nearest float of 32 bits. A number that is too large for it fails.
pub(super) fn nearest_f32(wide: f64) -> Option<f32> {
    let nearest = wide as f32;
    (nearest.is_finite() || !wide.is_finite()).then_some(nearest)
}

/// The same number as a float; `None` where no float is that number.
// The comparison is made in i128. `i64::MAX as f64` is 2^63, and a cast of that back to i64
// saturates at `i64::MAX`, so the two would look equal.
pub(super) fn exact_f64(integer: i64) -> Option<f64> {
    let float = integer as f64;
    (float as i128 == i128::from(integer)).then_some(float)
}
