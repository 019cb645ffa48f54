//! Which price a Spot instance pays while the price of its pool moves.
//!
//! An instance-hour is charged at the price in force at its start (EC2
//! announcement of the Spot pricing model, 2017-11); AWS's white paper on Spot
//! speaks only of the price in effect, billed to the second. Hence a setting.

use super::prices::SpotBilledAt;
use crate::cluster::PriceSteps;
use crate::units::{HOUR_MS, Rate, SimTime};

/// Part of a run at one price, Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) rate: Rate,
}

impl Stretch {
    /// All of a run.
    pub(super) const fn whole(rate: Rate) -> Self {
        Stretch { from: i64::MIN, to: i64::MAX, rate }
    }
}

/// The run [running, end) by price, ascending and without gaps, at least one;
/// neighbours differ in price. The first one has no start and the last one no
/// end, so that every millisecond of the run lies in one.
pub(super) fn stretches(
    steps: &PriceSteps,
    at: SpotBilledAt,
    start_unix_ms: i64,
    running: SimTime,
    end: SimTime,
) -> Vec<Stretch> {
    let unix = |t: i64| start_unix_ms.saturating_add(t);
    let mut done = vec![Stretch::whole(steps.at(running))];
    let mut hour = running.ms();
    loop {
        hour = match at {
            SpotBilledAt::InstanceHour => hour.saturating_add(HOUR_MS),
            SpotBilledAt::ClockHour => {
                let next = (unix(hour).div_euclid(HOUR_MS) + 1) * HOUR_MS;
                next.saturating_sub(start_unix_ms)
            }
            SpotBilledAt::Second => steps.next_change(SimTime(hour)).ms(),
        };
        if hour >= end.ms() {
            return done;
        }
        let rate = steps.at(SimTime(hour));
        if let Some(last) = done.last_mut().filter(|last| last.rate != rate) {
            last.to = unix(hour);
            done.push(Stretch { from: unix(hour), to: i64::MAX, rate });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::MINUTE_MS;

    fn usd(text: &str) -> Rate {
        text.parse().expect("a rate")
    }

    /// The run starts at 10:20; the price rises at 11:10, 11:30 and falls at
    /// 13:30. Instance-hours begin at :20, clock hours at :00.
    #[test]
    fn an_hour_keeps_the_price_of_its_start() {
        let at = |h: i64, m: i64| SimTime(h * HOUR_MS + m * MINUTE_MS);
        let steps = PriceSteps::new(
            usd("0.04"),
            [(at(11, 10), usd("0.05")), (at(11, 30), usd("0.06")), (at(13, 30), usd("0.04"))],
        );
        let told = |mode, end| -> Vec<(i64, i64, String)> {
            let minutes =
                |t: i64| if t.abs() == i64::MAX || t == i64::MIN { -1 } else { t / MINUTE_MS };
            stretches(&steps, mode, 0, at(10, 20), end)
                .iter()
                .map(|s| (minutes(s.from), minutes(s.to), s.rate.to_string()))
                .collect()
        };
        let s = |from, to, rate: &str| (from, to, rate.to_owned());
        assert_eq!(
            told(SpotBilledAt::InstanceHour, at(15, 0)),
            [s(-1, 680, "0.04"), s(680, 740, "0.05"), s(740, 860, "0.06"), s(860, -1, "0.04")]
        );
        assert_eq!(
            told(SpotBilledAt::ClockHour, at(15, 0)),
            [s(-1, 720, "0.04"), s(720, 840, "0.06"), s(840, -1, "0.04")]
        );
        assert_eq!(
            told(SpotBilledAt::Second, at(15, 0)),
            [s(-1, 670, "0.04"), s(670, 690, "0.05"), s(690, 810, "0.06"), s(810, -1, "0.04")]
        );
        // An hour that would begin at the end does not.
        assert_eq!(told(SpotBilledAt::InstanceHour, at(11, 20)), [s(-1, -1, "0.04")]);
        assert_eq!(told(SpotBilledAt::InstanceHour, at(10, 20)), [s(-1, -1, "0.04")]);
    }

    /// The record starts at half past: clock hours are those of the Unix clock.
    #[test]
    fn clock_hours_are_the_clocks() {
        let half = 30 * MINUTE_MS;
        let steps = PriceSteps::new(usd("1"), [(SimTime(20 * MINUTE_MS), usd("2"))]);
        let got = stretches(&steps, SpotBilledAt::ClockHour, half, SimTime(0), SimTime(HOUR_MS));
        let hour = HOUR_MS;
        assert_eq!(
            got,
            [
                Stretch { from: i64::MIN, to: hour, rate: usd("1") },
                Stretch { from: hour, to: i64::MAX, rate: usd("2") },
            ]
        );
    }
}
