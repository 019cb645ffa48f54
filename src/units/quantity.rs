//! Kubernetes quantities: cpu in milli-cores, memory in bytes, both rounded
//! up from their text as the API server does (kubernetes
//! apimachinery/pkg/api/resource, 1.31).

use std::fmt;
use std::str::FromStr;

use super::{Money, ParseUnitError, Rate};

/// Processor time per time in thousandths of a core (vCPU).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MilliCpu(pub i64);

/// An amount of memory or disk in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(pub i64);

/// A share in parts per million, so that `62.5%` is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Percent {
    /// Parts per million of the whole: 100 % is 1,000,000.
    pub ppm: i64,
}

/// The whole, as in [`Percent::ppm`].
const WHOLE_PPM: i64 = 1_000_000;
/// Largest accepted cpu: a million cores.
const MAX_MILLI: i128 = 1_000_000_000;
/// Largest accepted memory: 4 PiB, below which `100·bytes` stays in i64.
const MAX_BYTES: i128 = 1 << 52;

/// Exact `mantissa × 10^exponent` of a plain decimal, if it is one.
fn decimal(text: &str) -> Option<(i128, i32)> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((m, e)) => (m, e.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    if !whole.chars().chain(fraction.chars()).all(|c| c.is_ascii_digit()) {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.len() > 24 || exponent.abs() > 24 {
        return None;
    }
    let value = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    Some((value, exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?))
}

/// `mantissa × 10^exponent × unit / divisor`, rounded up, at most `max`.
fn scaled_up(text: &str, unit: i128, divisor: i128, max: i128) -> Result<i64, ParseUnitError> {
    let too_large = || ParseUnitError::new("too large");
    let (mantissa, exponent) = decimal(text).ok_or_else(|| ParseUnitError::new("not a number"))?;
    if mantissa == 0 {
        return Ok(0);
    }
    let mut numerator = mantissa.checked_mul(unit).ok_or_else(too_large)?;
    let mut denominator = divisor;
    let power = 10i128.checked_pow(exponent.unsigned_abs()).ok_or_else(too_large)?;
    if exponent >= 0 {
        numerator = numerator.checked_mul(power).ok_or_else(too_large)?;
    } else {
        denominator = denominator.checked_mul(power).ok_or_else(too_large)?;
    }
    let value = numerator.checked_add(denominator - 1).ok_or_else(too_large)? / denominator;
    if value > max {
        return Err(too_large());
    }
    i64::try_from(value).map_err(|_| too_large())
}

/// Largest percentage, in millionths of one: 100,000 %.
const MAX_PPM: i128 = 1_000_000_000;

/// Parses a Kubernetes cpu quantity: `500m`, `2`, `0.5`, `1e1`.
///
/// # Errors
/// When it is no quantity, negative, or above a million cores.
pub fn parse_cpu(text: &str) -> Result<MilliCpu, ParseUnitError> {
    let text = text.trim();
    let result = match text.as_bytes().last() {
        Some(b'm') => scaled_up(&text[..text.len() - 1], 1, 1, MAX_MILLI),
        Some(b'u') => scaled_up(&text[..text.len() - 1], 1, 1_000, MAX_MILLI),
        Some(b'n') => scaled_up(&text[..text.len() - 1], 1, 1_000_000, MAX_MILLI),
        Some(b'k') => scaled_up(&text[..text.len() - 1], 1_000_000, 1, MAX_MILLI),
        _ => scaled_up(text, 1_000, 1, MAX_MILLI),
    };
    result
        .map(MilliCpu)
        .map_err(|e| ParseUnitError::new(format!("{e}; expected a cpu quantity such as 500m or 2")))
}

/// Parses a Kubernetes memory quantity: `512Mi`, `2Gi`, `1.5G`, `1e9`, `1048576`.
///
/// # Errors
/// When it is no quantity, negative, or above 4 PiB.
pub fn parse_memory(text: &str) -> Result<Bytes, ParseUnitError> {
    let text = text.trim();
    const UNITS: [(&str, i128, i128); 14] = [
        ("Ki", 1 << 10, 1),
        ("Mi", 1 << 20, 1),
        ("Gi", 1 << 30, 1),
        ("Ti", 1 << 40, 1),
        ("Pi", 1 << 50, 1),
        ("Ei", 1 << 60, 1),
        ("k", 1_000, 1),
        ("K", 1_000, 1),
        ("M", 1_000_000, 1),
        ("G", 1_000_000_000, 1),
        ("T", 1_000_000_000_000, 1),
        ("P", 1_000_000_000_000_000, 1),
        ("E", 1_000_000_000_000_000_000, 1),
        ("m", 1, 1_000),
    ];
    let result = UNITS
        .iter()
        .find_map(|(suffix, unit, divisor)| {
            text.strip_suffix(suffix).map(|number| scaled_up(number, *unit, *divisor, MAX_BYTES))
        })
        .unwrap_or_else(|| scaled_up(text, 1, 1, MAX_BYTES));
    result.map(Bytes).map_err(|e| {
        ParseUnitError::new(format!("{e}; expected a memory quantity such as 512Mi or 2Gi"))
    })
}

impl FromStr for MilliCpu {
    type Err = ParseUnitError;
    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        parse_cpu(text)
    }
}

impl FromStr for Bytes {
    type Err = ParseUnitError;
    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        parse_memory(text)
    }
}

impl FromStr for Percent {
    type Err = ParseUnitError;
    /// `60%` or `62.5%`; the sign is required so that 0.6 and 60 cannot be
    /// confused.
    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        let bad = || ParseUnitError::new("expected a percentage such as 60%");
        let number = text.trim().strip_suffix('%').ok_or_else(bad)?.trim();
        let (mantissa, exponent) = decimal(number).ok_or_else(bad)?;
        let shift = exponent + 4;
        let ppm = if shift >= 0 {
            10i128.checked_pow(shift.unsigned_abs()).and_then(|p| mantissa.checked_mul(p))
        } else {
            10i128
                .checked_pow(shift.unsigned_abs())
                .filter(|p| mantissa % p == 0)
                .map(|p| mantissa / p)
        };
        // `None` is either finer than a millionth or too large to compute.
        let ppm = if shift >= 0 { ppm.or(Some(i128::MAX)) } else { ppm };
        let ppm = ppm.ok_or_else(bad)?;
        if ppm > MAX_PPM {
            return Err(ParseUnitError::new("more than 100000%"));
        }
        Ok(Percent { ppm: i64::try_from(ppm).map_err(|_| bad())? })
    }
}

impl Bytes {
    /// In KiB, rounded up.
    #[must_use]
    pub const fn kib(self) -> i64 {
        (self.0 + 1_023) >> 10
    }

    /// In GiB, rounded up.
    #[must_use]
    pub const fn gib(self) -> i64 {
        self.0.div_euclid(1 << 30) + (self.0.rem_euclid(1 << 30) > 0) as i64
    }
}

impl Percent {
    /// As a fraction of one, for ratios and statistics.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn fraction(self) -> f64 {
        self.ppm as f64 / 1e6
    }

    /// What is left of an amount that it is taken off, rounded half-even.
    #[must_use]
    pub fn off(self, amount: Money) -> Money {
        amount.scale(i128::from(WHOLE_PPM - self.ppm), WHOLE_PPM.into())
    }

    /// What is left of a rate that it is taken off, rounded half-even.
    #[must_use]
    pub fn off_rate(self, rate: Rate) -> Rate {
        rate.scale(i128::from(WHOLE_PPM - self.ppm), WHOLE_PPM.into())
    }
}

impl fmt::Display for Percent {
    #[allow(clippy::cast_precision_loss)]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.ppm as f64 / 1e4)
    }
}

impl fmt::Display for MilliCpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 % 1_000 == 0 { write!(f, "{}", self.0 / 1_000) } else { write!(f, "{}m", self.0) }
    }
}

impl fmt::Display for Bytes {
    /// The largest binary unit that divides it: `2Gi`, `1536Mi`, `1000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, name) in [(1i64 << 40, "Ti"), (1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")]
        {
            if self.0 != 0 && self.0 % unit == 0 {
                return write!(f, "{}{name}", self.0 / unit);
            }
        }
        write!(f, "{}", self.0)
    }
}

macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
    )*};
}

as_text!(MilliCpu, Bytes, Percent);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_rounds_up_to_milli() {
        for (text, milli) in
            [("500m", 500), ("2", 2000), ("0.5", 500), ("0.0001", 1), ("1e1", 10_000), ("100u", 1)]
        {
            assert_eq!(parse_cpu(text), Ok(MilliCpu(milli)), "{text}");
        }
        for bad in ["", "m", "-1", "1x", "NaN", "inf", "1e30", "1Gi"] {
            assert!(parse_cpu(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn memory_takes_binary_and_decimal_suffixes() {
        for (text, bytes) in [
            ("1Gi", 1 << 30),
            ("1.5Gi", 3 << 29),
            ("100M", 100_000_000),
            ("1e9", 1_000_000_000),
            ("128974848", 128_974_848),
            ("1500m", 2),
            ("0.001Ei", (1 << 60) / 1000 + 1),
        ] {
            assert_eq!(parse_memory(text), Ok(Bytes(bytes)), "{text}");
        }
        for bad in ["", "Gi", "-1Gi", "9999Pi", "1Zi", "NaN"] {
            assert!(parse_memory(bad).is_err(), "{bad}");
        }
        assert!(parse_memory("100Ei").is_err_and(|e| e.to_string().starts_with("too large")));
    }

    #[test]
    fn percent_needs_its_sign() {
        assert_eq!("62.5%".parse(), Ok(Percent { ppm: 625_000 }));
        assert!("0.6".parse::<Percent>().is_err());
        assert!("-5%".parse::<Percent>().is_err());
        for (text, why) in [
            ("100001%", "more than 100000%"),
            ("99999999999999999999%", "more than 100000%"),
            ("0.00001%", "expected a percentage such as 60%"),
        ] {
            let error = text.parse::<Percent>().expect_err(text).to_string();
            assert_eq!(error, why, "{text}");
        }
        assert_eq!(Percent { ppm: 625_000 }.to_string(), "62.5%");
    }

    #[test]
    fn display_parses_back() {
        for text in ["500m", "2", "1536Mi", "2Gi", "1000"] {
            if let Ok(b) = parse_memory(text) {
                assert_eq!(parse_memory(&b.to_string()), Ok(b));
            }
        }
        assert_eq!(MilliCpu(1500).to_string(), "1500m");
        assert_eq!(Bytes(3 << 29).to_string(), "1536Mi");
    }
}
