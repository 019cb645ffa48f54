//! Whether the prices in use are as fresh as the user wants them.
//!
//! The answer depends on the day, so it goes to stderr and never into
//! results, which are the same whenever they are made.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::Console;
use super::scenario::Warnings;
use crate::Result;
use crate::plan::Warning;
use crate::units::{DAY_MS, SimDuration};

/// Prices named in a warning.
const NAMED: usize = 3;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Warn of prices in use that are older than this today, as in 90d
    #[arg(long, value_name = "AGE", env = "PLIMSOLL_MAX_PRICE_AGE")]
    max_price_age: Option<SimDuration>,
}

impl Args {
    /// Warns of stale prices among those in use, given with their dates.
    pub(super) fn check(
        &self,
        dated: &BTreeMap<String, String>,
        warnings: &Warnings,
        console: &Console,
    ) -> Result<()> {
        let Some(age) = self.max_price_age else { return Ok(()) };
        let days = age.ms() / DAY_MS;
        let limit = today().checked_sub(days.days()).unwrap_or(Date::MIN);
        let stale: Vec<Warning> = stale(dated, limit, &age.to_string()).into_iter().collect();
        warnings.show(&stale, console)
    }
}

/// The day of now in UTC.
pub(super) fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// The first day that a date may mean: of `2026-03` the first of the month,
/// of `2024..2026` that of 2024.
fn first_day(as_of: &str) -> Option<Date> {
    let first = as_of.split("..").next()?;
    let padded = match first.len() {
        4 => format!("{first}-01-01"),
        7 => format!("{first}-01"),
        _ => first.to_owned(),
    };
    padded.parse().ok()
}

/// One warning for all prices from before a day, the oldest named.
fn stale(prices: &BTreeMap<String, String>, limit: Date, age: &str) -> Option<Warning> {
    let mut old: Vec<(Date, &str, &str)> = prices
        .iter()
        .filter_map(|(name, as_of)| Some((first_day(as_of)?, name.as_str(), as_of.as_str())))
        .filter(|(day, ..)| *day < limit)
        .collect();
    old.sort_unstable();
    let named: Vec<String> =
        old.iter().take(NAMED).map(|(_, name, as_of)| format!("{name} of {as_of}")).collect();
    let more = match old.len() {
        0 => return None,
        n if n > NAMED => format!(" and {} more", n - NAMED),
        _ => String::new(),
    };
    let text = format!(
        "prices in use are older than {age}: {}{more}; import newer ones with `plimsoll prices \
         update`",
        named.join(", ")
    );
    Some(Warning { code: "stale-prices", text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_prices_are_named() {
        let prices: BTreeMap<String, String> = [
            ("a", "2026-03"),
            ("b", "2024..2026-07"),
            ("c", "2026-07-20"),
            ("d", ""),
            ("e", "2026-03-02"),
            ("f", "2026-02-28"),
        ]
        .map(|(name, as_of)| (name.to_owned(), as_of.to_owned()))
        .into();
        let told =
            |limit: &str| stale(&prices, limit.parse().expect("a date"), "90d").map(|w| w.text);
        assert_eq!(told("2024-01-01"), None);
        assert_eq!(
            told("2026-03-02").as_deref(),
            Some(
                "prices in use are older than 90d: b of 2024..2026-07, f of 2026-02-28, a of \
                 2026-03; import newer ones with `plimsoll prices update`"
            )
        );
        assert!(told("2026-08-01").is_some_and(|text| text.contains(" and 2 more;")));
    }
}
