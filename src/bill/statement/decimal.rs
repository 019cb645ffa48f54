//! Decimal cells of billing files.
//!
//! Files print more digits than are kept (doubles have seventeen) and write
//! absent values as nothing or as `NULL`. Money is read to twelve places,
//! quantities to fifteen, half-even.

/// Largest magnitude, as a power of ten.
const MOST: u32 = 15;
/// Most digits of a number.
const DIGITS: usize = 60;

/// A cell without the blanks around it; `None` where it holds no value.
pub(super) fn filled(cell: &[u8]) -> Option<&[u8]> {
    let cell = cell.trim_ascii();
    (!cell.is_empty() && !cell.eq_ignore_ascii_case(b"null")).then_some(cell)
}

/// A decimal in units of 10⁻ᵖˡᵃᶜᵉˢ, rounded half-even; `None` where the cell
/// holds no value. At most 20 places.
///
/// # Errors
/// When it is no decimal number, or beyond 10¹⁵.
pub(super) fn scaled(cell: &[u8], places: u32) -> Result<Option<i128>, &'static str> {
    let wrong = "is no decimal number";
    let Some(text) = filled(cell) else { return Ok(None) };
    let text = std::str::from_utf8(text).map_err(|_| wrong)?;
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| wrong)?),
        None => (unsigned, 0),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = whole.bytes().chain(part.bytes());
    if whole.len() + part.len() == 0 || !digits.clone().all(|c| c.is_ascii_digit()) {
        return Err(wrong);
    }
    let digits: Vec<u8> = digits.skip_while(|c| *c == b'0').map(|c| c - b'0').collect();
    if digits.is_empty() {
        return Ok(Some(0));
    }
    let most = 10i128.pow(places + MOST);
    let large = "is absurdly large";
    if digits.len() > DIGITS || exponent.unsigned_abs() > DIGITS as u32 {
        return Err("has an absurd number of digits");
    }
    // Value = digits × 10^power small units.
    let power = places as i32 + exponent - part.len() as i32;
    let cut = usize::try_from(-power).unwrap_or(0);
    let kept = digits.len().saturating_sub(cut);
    let mut value: i128 = 0;
    for digit in digits.iter().take(kept) {
        value = value * 10 + i128::from(*digit);
        if value > most {
            return Err(large);
        }
    }
    for _ in 0..power.max(0) {
        value *= 10;
        if value > most {
            return Err(large);
        }
    }
    // More digits cut than there are: below a tenth of a small unit.
    if cut > 0 && cut <= digits.len() {
        let mut rest = digits.iter().skip(kept);
        let next = rest.next().copied().unwrap_or(0);
        if next > 5 || next == 5 && (rest.any(|d| *d != 0) || value % 2 != 0) {
            value += 1;
        }
    }
    Ok(Some(if negative { -value } else { value }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_to_as_many_places() {
        const ONE: i128 = 1_000_000_000_000;
        for (text, value) in [
            ("", None),
            (" NULL ", None),
            ("null", None),
            ("0", Some(0)),
            ("-0.000", Some(0)),
            ("1.000000000000000", Some(ONE)),
            ("0.004166666700000", Some(4_166_666_700)),
            ("40.96", Some(40_960_000_000_000)),
            ("-2.61370000000", Some(-2_613_700_000_000)),
            ("+.5", Some(ONE / 2)),
            ("1e-7", Some(100_000)),
            ("1.5E2", Some(150 * ONE)),
            ("100e-14", Some(1)),
            // Half a trillionth, to even; a little more, up.
            ("0.0000000000005", Some(0)),
            ("0.0000000000015", Some(2)),
            ("0.00000000000050000001", Some(1)),
            ("5e-14", Some(0)),
            ("9e-13", Some(1)),
            ("0.30000000000000004", Some(300_000_000_000)),
            ("1000000000000000", Some(1_000_000_000_000_000 * ONE)),
        ] {
            assert_eq!(scaled(text.as_bytes(), 12), Ok(value), "{text}");
        }
        for bad in [
            "x",
            ".",
            "-",
            "1.2.3",
            "1,5",
            "NaN",
            "inf",
            "0x1",
            "1e",
            "1e99",
            "1 000",
            "١",
            "1000000000000001",
            "1e16",
            "--1",
        ] {
            assert!(scaled(bad.as_bytes(), 12).is_err(), "{bad}");
        }
        assert_eq!(scaled(b"0.0000000000000015", 15), Ok(Some(2)));
        assert_eq!(scaled(b"0.004166666666667", 15), Ok(Some(4_166_666_666_667)));
        assert!(scaled(&b"1".repeat(61), 12).is_err());
        assert!(scaled(b"\xff", 12).is_err());
    }
}
