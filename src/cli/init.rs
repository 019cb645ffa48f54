//! `plimsoll init`: a first scenario, commented, that runs as it is.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use super::{Console, Outcome};
use crate::{Error, Result};

/// The scenario it writes; a test checks that it loads and runs.
pub(super) const FIRST_SCENARIO: &str = include_str!("first-scenario.yaml");

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file to write
    #[arg(default_value = "scenario.yaml")]
    file: PathBuf,
}

pub(super) fn run(args: &Args, console: &Console) -> Result<Outcome> {
    let shown = args.file.display();
    let mut file =
        OpenOptions::new().write(true).create_new(true).open(&args.file).map_err(|e| {
            if e.kind() == std::io::ErrorKind::AlreadyExists {
                Error::input(format!("`{shown}` exists already; name another file"))
            } else {
                Error::write(&args.file, &e)
            }
        })?;
    file.write_all(FIRST_SCENARIO.as_bytes()).map_err(|e| Error::write(&args.file, &e))?;
    console.note(&format!("wrote {shown}; next: plimsoll run {shown}"));
    Ok(Outcome::Fine)
}
