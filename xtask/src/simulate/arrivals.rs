//! When files come, and to which table.

pub(super) const SECONDS: usize = 24 * 60 * 60;
/// How much more comes in the busiest hour than on average.
const PEAK: f64 = 3.0;

/// How much comes at a time of day, of what comes on average.
pub(super) fn busy(now: f64) -> f64 {
    let day = now / SECONDS as f64 * std::f64::consts::TAU;
    // One wave a day, which is narrow: its mean is 35/128. So the mean of all is 1, and the most 3.
    let wave = ((1.0 - day.cos()) / 2.0).powi(4);
    let mean = 35.0 / 128.0;
    let height = (PEAK - 1.0) / (1.0 - mean);
    PEAK - height + height * wave
}

/// Numbers that look random and are the same each time (xorshift).
pub(super) struct Numbers(u64);

impl Default for Numbers {
    fn default() -> Numbers {
        Numbers(0x9e37_79b9_7f4a_7c15)
    }
}

impl Numbers {
    pub(super) fn below_one(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}
