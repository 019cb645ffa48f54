//! Dates that files bear.

use jiff::Timestamp;
use jiff::civil::Date;

use super::input::shown;

/// What a file's dates are held against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dates {
    /// The date of files that bear none.
    pub(super) as_of: Option<Date>,
    /// The day it is.
    pub(super) today: Date,
}

impl Dates {
    /// The day of a date or time as AWS writes it; why it cannot be used.
    pub(super) fn day(self, key: &str, text: &str) -> Result<String, String> {
        let shown = shown(text);
        let whole = text.parse::<Timestamp>().is_ok() || text.len() == 10;
        let day: Option<Date> = text.get(..10).filter(|_| whole).and_then(|day| day.parse().ok());
        let Some(day) = day else {
            return Err(format!(
                "{key} `{shown}` is no date, as 2026-07-20T00:00:00Z; fetch the file again"
            ));
        };
        if day > self.today {
            return Err(format!(
                "{key} `{shown}` lies after today, {}: take a file that is in force, or set \
                 the clock",
                self.today
            ));
        }
        Ok(day.to_string())
    }

    /// The day of a list without a date of its own; what to do where none was
    /// given.
    pub(super) fn undated(self) -> Result<String, String> {
        self.as_of.map(|day| day.to_string()).ok_or_else(|| {
            "it has no publicationDate: state when it was fetched with --as-of".to_owned()
        })
    }
}
