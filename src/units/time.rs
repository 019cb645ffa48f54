//! Virtual time in integer milliseconds.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

use super::ParseUnitError;

/// Milliseconds in a second.
pub const SECOND_MS: i64 = 1_000;
/// Milliseconds in a minute.
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
/// Milliseconds in an hour.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Milliseconds in a day.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// A point in virtual time: milliseconds since the scenario's `time.start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SimTime(pub i64);

/// A length of virtual time in milliseconds, never negative when parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SimDuration(pub i64);

impl SimTime {
    /// The start of the run.
    pub const ZERO: SimTime = SimTime(0);
    /// Later than every event.
    pub const NEVER: SimTime = SimTime(i64::MAX);

    /// Milliseconds since the start of the run.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }
}

impl SimDuration {
    /// No time at all.
    pub const ZERO: SimDuration = SimDuration(0);

    /// From whole seconds.
    #[must_use]
    pub const fn from_secs(seconds: i64) -> Self {
        SimDuration(seconds * SECOND_MS)
    }

    /// In milliseconds.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// In seconds, for statistics.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn secs_f64(self) -> f64 {
        self.0 as f64 / 1e3
    }
}

impl Add<SimDuration> for SimTime {
    type Output = SimTime;
    fn add(self, d: SimDuration) -> SimTime {
        SimTime(self.0.saturating_add(d.0))
    }
}

impl AddAssign<SimDuration> for SimTime {
    fn add_assign(&mut self, d: SimDuration) {
        *self = *self + d;
    }
}

impl Sub for SimTime {
    type Output = SimDuration;
    fn sub(self, other: SimTime) -> SimDuration {
        SimDuration(self.0 - other.0)
    }
}

/// Parses `250ms`, `90s`, `1h30m`, `14d`, `2w`; a bare `0` is allowed, any
/// other number without a unit is not.
///
/// # Errors
/// When a unit is missing or unknown, the number is negative, or the sum
/// exceeds 1,000 years.
pub fn parse_duration(text: &str) -> Result<SimDuration, ParseUnitError> {
    let text = text.trim();
    if text == "0" {
        return Ok(SimDuration::ZERO);
    }
    let mut rest = text;
    let mut total: i64 = 0;
    if rest.is_empty() {
        return Err(ParseUnitError::new("expected a duration such as 90s, 10m, 1h30m or 14d"));
    }
    while !rest.is_empty() {
        let number_len = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(|| {
            ParseUnitError::new("a duration needs a unit: ms, s, m, h, d or w, as in 90s")
        })?;
        let (number, tail) = rest.split_at(number_len);
        let unit_len = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_len);
        let unit_ms: i64 = match unit.trim() {
            "ms" => 1,
            "s" => SECOND_MS,
            "m" | "min" => MINUTE_MS,
            "h" => HOUR_MS,
            "d" => DAY_MS,
            "w" => 7 * DAY_MS,
            _ => {
                return Err(ParseUnitError::new(
                    "expected a duration such as 90s, 10m, 1h30m or 14d (units ms, s, m, h, d, w)",
                ));
            }
        };
        let ms = decimal_times(number, unit_ms)
            .ok_or_else(|| ParseUnitError::new("expected a number before the unit"))?;
        total = total
            .checked_add(ms)
            .filter(|t| *t <= 1_000 * 366 * DAY_MS)
            .ok_or_else(|| ParseUnitError::new("longer than 1,000 years"))?;
        rest = tail;
    }
    Ok(SimDuration(total))
}

/// `number` (digits with at most one point) × `unit`, rounded up.
fn decimal_times(number: &str, unit: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') || fraction.len() > 9 {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let scale = 10i128.pow(u32::try_from(fraction.len()).ok()?);
    let part: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let value = whole.checked_mul(scale)?.checked_add(part)?.checked_mul(i128::from(unit))?;
    i64::try_from(value.checked_add(scale - 1)? / scale).ok()
}

impl FromStr for SimDuration {
    type Err = ParseUnitError;
    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        parse_duration(text)
    }
}

impl fmt::Display for SimDuration {
    /// The canonical form: `1d2h`, `90s`, `0s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        if rest < 0 {
            f.write_str("-")?;
            rest = -rest;
        }
        for (unit, name) in
            [(DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "m"), (SECOND_MS, "s"), (1, "ms")]
        {
            if rest >= unit {
                write!(f, "{}{name}", rest / unit)?;
                rest %= unit;
            }
        }
        Ok(())
    }
}

impl serde::Serialize for SimDuration {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_units() {
        for (text, ms) in [
            ("0", 0),
            ("250ms", 250),
            ("90s", 90_000),
            ("1.5h", 5_400_000),
            ("1h30m", 5_400_000),
            ("14d", 14 * DAY_MS),
            ("2w", 14 * DAY_MS),
        ] {
            assert_eq!(parse_duration(text).map(SimDuration::ms), Ok(ms), "{text}");
        }
        for bad in ["", "5", "5 parsecs", "-5s", "s", "1..5s", "99999999999999d", "NaN", "1e3s"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn display_is_canonical_and_parses_back() {
        for (ms, text) in [(0, "0s"), (90_000, "1m30s"), (DAY_MS + 1, "1d1ms"), (3_600_000, "1h")] {
            assert_eq!(SimDuration(ms).to_string(), text);
            assert_eq!(parse_duration(text).map(SimDuration::ms), Ok(ms));
        }
    }
}
