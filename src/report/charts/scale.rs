//! Axes: where the ticks go and what they say.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::text;
use crate::rng::ln;

pub(super) const MINUTE: i64 = 60_000;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;
/// Times beyond these, in Unix milliseconds, stand at the end of the axis.
const LAST: i64 = 730_000 * DAY;

/// A value as drawn: what is no number, or absurd, is nothing.
pub(super) fn finite(value: f64) -> f64 {
    if value.is_finite() && value.abs() > 1e-12 { value.clamp(-1e18, 1e18) } else { 0.0 }
}

/// A linear axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Linear {
    /// Value at its lower end.
    pub(super) low: f64,
    /// Value at its upper end.
    pub(super) high: f64,
    /// Distance of ticks.
    step: f64,
}

impl Linear {
    /// About `wanted` intervals between round numbers that hold `low` and
    /// `high`.
    pub(super) fn nice(low: f64, high: f64, wanted: usize) -> Linear {
        let (low, high) = (finite(low), finite(high));
        // Differences that a float hardly holds are none.
        let size = low.abs().max(high.abs());
        let high = if high - low > 1e-9 * size { high } else { low + (0.1 * size).max(1.0) };
        let raw = (high - low) / wanted.max(1) as f64;
        let mut power = 1.0;
        while power * 10.0 <= raw {
            power *= 10.0;
        }
        while power > raw {
            power /= 10.0;
        }
        let step = [1.0, 2.0, 2.5, 5.0, 10.0]
            .into_iter()
            .map(|m| m * power)
            .find(|s| *s >= raw * 0.79)
            .unwrap_or(10.0 * power);
        Linear {
            low: (low / step).floor() * step,
            high: (high / step * 0.999_999).ceil() * step,
            step,
        }
    }

    /// Share of the way from the lower to the upper end.
    pub(super) fn share(&self, value: f64) -> f64 {
        ((finite(value) - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// Where ticks stand.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let n = ((self.high - self.low) / self.step).round() as usize;
        (0..=n.min(50)).map(|i| self.low + i as f64 * self.step).collect()
    }

    /// What a tick says: separators, no more decimals than the step needs,
    /// millions and more abbreviated.
    pub(super) fn label(&self, value: f64) -> String {
        let largest = self.low.abs().max(self.high.abs());
        for (size, suffix) in [(1e12, " T"), (1e9, " bn"), (1e6, " M")] {
            if largest >= size {
                return format!(
                    "{}{suffix}",
                    text::grouped(value / size, decimals(self.step / size))
                );
            }
        }
        text::grouped(value, decimals(self.step))
    }
}

fn decimals(step: f64) -> usize {
    const POWERS: [f64; 6] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5];
    let whole = |v: f64| v >= 0.5 && (v - v.round()).abs() < 1e-6 * v;
    POWERS.iter().position(|p| whole(step * p)).unwrap_or(POWERS.len())
}

/// A linear axis of waiting times from zero, in the unit that suits them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Waits {
    /// What it counts.
    pub(super) unit: &'static str,
    /// Seconds in one of them.
    pub(super) size: f64,
    /// The axis, in the unit.
    pub(super) axis: Linear,
}

impl Waits {
    /// Holds every one of these seconds.
    pub(super) fn upto(seconds: impl Iterator<Item = f64>) -> Waits {
        let most = seconds.map(finite).fold(0.0, f64::max);
        let (unit, size) = match most {
            m if m >= 7_200.0 => ("hours", 3_600.0),
            m if m >= 180.0 => ("minutes", 60.0),
            _ => ("seconds", 1.0),
        };
        Waits { unit, size, axis: Linear::nice(0.0, 1.04 * most / size, 4) }
    }
}

/// A logarithmic axis of seconds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LogSeconds {
    low: f64,
    high: f64,
}

/// Round numbers of seconds as people know them.
const SECONDS: [(f64, &str); 14] = [
    (0.001, "1 ms"),
    (0.01, "10 ms"),
    (0.1, "0.1 s"),
    (1.0, "1 s"),
    (10.0, "10 s"),
    (60.0, "1 min"),
    (600.0, "10 min"),
    (3_600.0, "1 h"),
    (21_600.0, "6 h"),
    (86_400.0, "1 d"),
    (604_800.0, "7 d"),
    (2_592_000.0, "30 d"),
    (31_536_000.0, "1 y"),
    (315_360_000.0, "10 y"),
];

impl LogSeconds {
    /// Holds every positive value; smaller ones than its lower end stand there.
    pub(super) fn around(values: impl Iterator<Item = f64>) -> LogSeconds {
        let (mut low, mut high) = (f64::INFINITY, 0.0f64);
        for value in values.filter(|v| v.is_finite() && *v > 0.0) {
            low = low.min(value);
            high = high.max(value);
        }
        let bounds = SECONDS.map(|(s, _)| s);
        // Below a tenth of a second nobody waits.
        let low = bounds.iter().rev().copied().find(|b| *b <= low).unwrap_or(0.1).clamp(0.1, 1.0);
        let above = bounds.iter().copied().find(|b| *b >= high).unwrap_or(315_360_000.0);
        LogSeconds { low, high: above.max(10.0 * low) }
    }

    /// Share of the way from the lower to the upper end.
    pub(super) fn share(&self, value: f64) -> f64 {
        let value = if value.is_finite() { value.clamp(self.low, self.high) } else { self.high };
        ln(value / self.low) / ln(self.high / self.low)
    }

    /// Ticks with what they say; the first also stands for what is smaller.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        SECONDS
            .iter()
            .filter(|(s, _)| *s >= self.low && *s <= self.high)
            .enumerate()
            .map(|(i, (s, label))| {
                (*s, if i == 0 { format!("≤ {label}") } else { (*label).to_owned() })
            })
            .collect()
    }
}

/// A time axis in UTC.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Time {
    /// Unix milliseconds at its left end.
    from: i64,
    /// Unix milliseconds at its right end.
    to: i64,
}

impl Time {
    /// From one time to another, both Unix milliseconds.
    pub(super) fn new(from: i64, to: i64) -> Time {
        // Well within what dates can be written for, and safe to subtract.
        let (from, to) = (from.clamp(-LAST, LAST), to.clamp(-LAST, LAST));
        Time { from, to: to.max(from + 1) }
    }

    /// Share of the way from left to right.
    pub(super) fn share(&self, unix_ms: i64) -> f64 {
        let whole = (self.to - self.from) as f64;
        ((unix_ms.clamp(-LAST, LAST) - self.from) as f64 / whole).clamp(0.0, 1.0)
    }

    /// Ticks at round times whose labels fit into `width`, measured by `measure`.
    pub(super) fn ticks(&self, width: f64, measure: impl Fn(&str) -> f64) -> Vec<(i64, String)> {
        const STEPS: [(i64, i64); 19] = [
            (MINUTE, 0),
            (5 * MINUTE, 0),
            (10 * MINUTE, 0),
            (30 * MINUTE, 0),
            (HOUR, 0),
            (2 * HOUR, 0),
            (3 * HOUR, 0),
            (6 * HOUR, 0),
            (12 * HOUR, 0),
            (DAY, 0),
            (2 * DAY, 0),
            // Weeks begin on Mondays; the epoch was a Thursday.
            (7 * DAY, 4 * DAY),
            (14 * DAY, 4 * DAY),
            (28 * DAY, 4 * DAY),
            (91 * DAY, 4 * DAY),
            (364 * DAY, 4 * DAY),
            (10 * 364 * DAY, 4 * DAY),
            (100 * 364 * DAY, 4 * DAY),
            (1_000 * 364 * DAY, 4 * DAY),
        ];
        for (step, offset) in STEPS {
            if (self.to - self.from) / step > if step < DAY { 12 } else { 15 } {
                continue;
            }
            // The longer form of a day is worth having where it fits.
            for with_weekday in [step == DAY, false] {
                let ticks = self.at(step, offset, with_weekday);
                let widest = ticks.iter().map(|(_, l)| measure(l)).fold(0.0, f64::max);
                let room = width * step as f64 / (self.to - self.from) as f64;
                if ticks.len() < 2 || widest + 10.0 <= room {
                    return ticks;
                }
            }
        }
        Vec::new()
    }

    fn at(&self, step: i64, offset: i64, with_weekday: bool) -> Vec<(i64, String)> {
        let first = (self.from - offset).div_euclid(step) * step + offset;
        let first = if first < self.from { first + step } else { first };
        let mut ticks = Vec::new();
        let mut at = first;
        while at <= self.to && ticks.len() <= 100 {
            if let Some(label) = label(at, step, with_weekday) {
                ticks.push((at, label));
            }
            at += step;
        }
        ticks
    }

    /// What the axis is: the years it covers, and that times are UTC.
    pub(super) fn caption(&self) -> String {
        let year = |ms| civil(ms, "%Y");
        match (year(self.from), year(self.to - 1)) {
            (Some(a), Some(b)) if a == b => format!("{a}, UTC"),
            (Some(a), Some(b)) => format!("{a} to {b}, UTC"),
            _ => "UTC".to_owned(),
        }
    }
}

fn civil(unix_ms: i64, format: &str) -> Option<String> {
    let at = Timestamp::from_millisecond(unix_ms).ok()?.to_zoned(TimeZone::UTC);
    jiff::fmt::strtime::format(format, &at).ok()
}

fn label(unix_ms: i64, step: i64, with_weekday: bool) -> Option<String> {
    let midnight = unix_ms.rem_euclid(DAY) == 0;
    let format = match step {
        _ if step < DAY && !midnight => "%H:%M",
        _ if with_weekday => "%a %-d %b",
        _ if step >= 364 * DAY => "%Y",
        _ => "%-d %b",
    };
    civil(unix_ms, format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_ticks_are_round_and_few() {
        let axis = Linear::nice(0.0, 17.3, 4);
        assert_eq!(axis.ticks(), [0.0, 5.0, 10.0, 15.0, 20.0]);
        assert_eq!(axis.label(15.0), "15");
        let small = Linear::nice(0.0, 0.9, 4);
        assert_eq!(small.ticks().last().map(|t| small.label(*t)), Some("1.0".to_owned()));
        for (low, high) in [
            (0.0, 0.0),
            (f64::NAN, f64::INFINITY),
            (0.0, 1e300),
            (5.0, 5.0),
            (-3.0, 8.0),
            (0.0, 1e-12),
            (0.0, 5e-324),
            (1.0, 1.0 + f64::EPSILON),
            (1e18, 1e18 + 256.0),
        ] {
            let axis = Linear::nice(low, high, 4);
            let ticks = axis.ticks();
            assert!(ticks.len() >= 2 && ticks.len() <= 12, "{low} {high}: {ticks:?}");
            assert!(ticks.iter().all(|t| t.is_finite() && !axis.label(*t).contains("NaN")));
            assert!((0.0..=1.0).contains(&axis.share(high)), "{low} {high}");
        }
        assert_eq!(Linear::nice(0.0, 4e6, 4).label(2e6), "2 M");
    }

    #[test]
    fn waits_choose_their_unit() {
        for (most, unit, high) in [
            (0.0, "seconds", 1.0),
            (100.0, "seconds", 125.0),
            (240.0, "minutes", 5.0),
            (9e3, "hours", 3.0),
        ] {
            let waits = Waits::upto([0.0, most].into_iter());
            assert_eq!((waits.unit, waits.axis.high), (unit, high), "{most}");
        }
    }

    #[test]
    fn log_axis_holds_its_values() {
        let axis = LogSeconds::around([0.0, 0.4, 700.0].into_iter());
        assert_eq!((axis.low, axis.high), (0.1, 3_600.0));
        assert!(axis.share(0.0).abs() < 1e-12 && (axis.share(3_600.0) - 1.0).abs() < 1e-12);
        assert_eq!(axis.ticks().first().map(|t| t.1.as_str()), Some("≤ 0.1 s"));
        for values in [vec![], vec![0.0], vec![f64::NAN], vec![1e30], vec![1e-9]] {
            let axis = LogSeconds::around(values.into_iter());
            assert!(axis.ticks().len() >= 2 && axis.share(5.0).is_finite(), "{axis:?}");
        }
    }

    #[test]
    fn time_ticks_fit_and_start_days_at_midnight() {
        // 2025-01-06T00:00Z, a Monday.
        let monday = 1_736_121_600_000;
        let week = Time::new(monday, monday + 7 * DAY);
        let wide = week.ticks(760.0, |l| l.len() as f64 * 7.0);
        assert_eq!(wide.first().map(|t| t.1.as_str()), Some("Mon 6 Jan"));
        assert_eq!(wide.len(), 8);
        let narrow = week.ticks(300.0, |l| l.len() as f64 * 7.0);
        assert!(narrow.len() <= 5 && narrow.iter().all(|t| t.1.len() <= 6), "{narrow:?}");
        let hours = Time::new(monday, monday + 5 * HOUR).ticks(700.0, |l| l.len() as f64 * 7.0);
        assert_eq!(hours.get(1).map(|t| t.1.as_str()), Some("00:30"));
        assert_eq!(week.caption(), "2025, UTC");
        for (from, to) in [(0, 0), (i64::MIN, i64::MAX), (monday, monday + 40_000 * DAY)] {
            let _ = Time::new(from, to).ticks(700.0, |l| l.len() as f64 * 7.0);
        }
    }
}
