//! `bill`: files of providers priced again, hourly usage under commitments.

mod cur;
mod focus;
mod hourly;
mod reprice;

use std::path::Path;

use super::{fine, text};

/// Bills a usage file; the JSON result.
fn billed(dir: &Path, args: &[&str]) -> serde_json::Value {
    let args: Vec<&str> =
        ["bill"].iter().chain(args).chain(&["--format", "json"]).copied().collect();
    serde_json::from_slice(&fine(dir, &args).stdout).expect("JSON")
}

/// Columns that every FOCUS file here has.
const FOCUS: &str = "ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ProviderName,ServiceName,\
    ChargeDescription,RegionId,PricingQuantity,ListCost,BilledCost,BillingCurrency";

/// A row of a FOCUS file with these columns: an hour of something for a dollar,
/// with other cells for those named.
fn focus_row(columns: &str, other: &[(&str, &str)]) -> String {
    let usual = [
        "2026-01-05T00:00:00Z",
        "2026-01-05T01:00:00Z",
        "Usage",
        "AWS",
        "EC2",
        "x",
        "us-east-1",
        "1",
        "1",
        "1",
        "USD",
    ];
    line(columns, &usual, other)
}

/// A line of a CSV file: the usual cells of its first columns, nothing in those
/// behind, and other cells for those named (without the group before a slash).
fn line(columns: &str, usual: &[&str], other: &[(&str, &str)]) -> String {
    let columns: Vec<&str> = columns
        .split(',')
        .map(|name| name.split_once('/').map_or(name, |(_, short)| short))
        .collect();
    for (name, _) in other {
        assert!(columns.contains(name), "no column `{name}`");
    }
    let cells = columns.iter().enumerate().map(|(at, name)| {
        let other = other.iter().find(|(of, _)| of == name).map(|(_, cell)| *cell);
        other.or(usual.get(at).copied()).unwrap_or_default()
    });
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(cells).expect("a row");
    text(&csv.into_inner().expect("written"))
}
