//! The buckets of the histograms.

use super::cells::{Buckets, Unit};

/// From 5 µs to 100 ms, in nanoseconds.
pub(super) static OVERHEADS: Buckets = Buckets {
    bounds: &[
        5_000,
        10_000,
        20_000,
        50_000,
        100_000,
        200_000,
        500_000,
        1_000_000,
        2_000_000,
        5_000_000,
        10_000_000,
        20_000_000,
        50_000_000,
        100_000_000,
    ],
    unit: Unit::Nanoseconds,
};

/// From 10 ms to 82 s, in nanoseconds: those that the GenAI conventions recommend for an operation's duration.
pub(super) static DURATIONS: Buckets = Buckets {
    bounds: &[
        10_000_000,
        20_000_000,
        40_000_000,
        80_000_000,
        160_000_000,
        320_000_000,
        640_000_000,
        1_280_000_000,
        2_560_000_000,
        5_120_000_000,
        10_240_000_000,
        20_480_000_000,
        40_960_000_000,
        81_920_000_000,
    ],
    unit: Unit::Nanoseconds,
};

/// Those that the conventions recommend for tokens.
pub(super) static TOKENS: Buckets = Buckets {
    bounds: &[
        1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216,
        67_108_864,
    ],
    unit: Unit::One,
};
