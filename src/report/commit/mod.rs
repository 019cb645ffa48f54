//! How much to commit, as a table for people and as JSON, CSV and Markdown.

mod charts;
mod files;
mod table;
mod withheld;

pub use files::files;
pub use withheld::{reason, withheld};

use super::Format;
use crate::Result;
use crate::advise::commit::Commitments;
use crate::bill::MONTH_HOURS;

/// The answer in a format.
///
/// # Errors
/// When a writer fails, which a disk that is full cannot cause here.
pub fn commitments(it: &Commitments, format: Format) -> Result<String> {
    match format {
        Format::Table => Ok(table::terminal(it)),
        Format::Json => files::json(it),
        Format::Csv => files::plans_csv(it),
        Format::Markdown => Ok(table::markdown(it)),
    }
}

/// Dollars a month.
fn monthly(per_hour: f64) -> f64 {
    per_hour * f64::from(MONTH_HOURS)
}
