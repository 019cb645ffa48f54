//! Break-evens of EC2 against Fargate as a table for people, as JSON, CSV and
//! Markdown, and as a chart.

mod chart;
mod files;
mod json;
mod table;
#[cfg(test)]
mod tests;
mod words;

pub use chart::breakeven_charts;

use super::Format;
use crate::advise::breakeven::Breakevens;
use crate::{Error, Result};

/// Break-evens in a format.
///
/// # Errors
/// None in practice: memory takes everything.
pub fn breakeven(it: &Breakevens, format: Format) -> Result<String> {
    match format {
        Format::Table => Ok(table::terminal(it)),
        Format::Json => serde_json::to_string_pretty(&json::document(it))
            .map(|s| s + "\n")
            .map_err(|e| Error::failed(format!("cannot write JSON: {e}"))),
        Format::Csv => files::csv(it),
        Format::Markdown => Ok(files::markdown(it)),
    }
}
