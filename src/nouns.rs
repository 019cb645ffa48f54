//! Counted things in English: one row, two rows.

use std::fmt::Display;

/// The noun that goes with a number: `row` with 1, otherwise `rows`.
#[must_use]
pub fn noun<N: Copy + PartialEq + From<u8>>(n: N, thing: &str) -> String {
    if n == N::from(1) {
        return thing.to_owned();
    }
    match thing.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ => format!("{thing}s"),
    }
}

/// A number of things: `1 row`, `2 rows`.
#[must_use]
pub fn counted<N: Copy + PartialEq + From<u8> + Display>(n: N, thing: &str) -> String {
    format!("{n} {}", noun(n, thing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular() {
        assert_eq!(counted(0_usize, "cell"), "0 cells");
        assert_eq!(counted(1_u64, "case"), "1 case");
        assert_eq!(counted(2_u32, "case"), "2 cases");
        assert_eq!(counted(21_i64, "entry"), "21 entries");
        assert_eq!(counted(3_u8, "day"), "3 days");
        assert_eq!(noun(1.0, "pod"), "pod");
        assert_eq!(noun(1.5, "pod"), "pods");
    }
}
