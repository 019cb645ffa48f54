//! `bill`: files of providers priced again, hourly usage under commitments.

mod cur;
mod focus;
mod hourly;
mod reprice;

use std::path::Path;

use super::fine;

/// Bills a usage file; the JSON result.
fn billed(dir: &Path, args: &[&str]) -> serde_json::Value {
    let args: Vec<&str> =
        ["bill"].iter().chain(args).chain(&["--format", "json"]).copied().collect();
    serde_json::from_slice(&fine(dir, &args).stdout).expect("JSON")
}
