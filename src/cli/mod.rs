//! The command line: clap's definitions, one file per verb, exit codes.
//!
//! Results go to stdout, progress and warnings to stderr. Exit codes: 0 fine,
//! 1 failed, 2 usage or invalid input, 3 a goal missed, 130 interrupted.

mod bill;
mod breakeven;
mod cells;
mod check;
mod commit;
mod compare;
#[cfg(test)]
mod coverage;
mod explain;
mod export;
mod fail_if;
mod generate;
mod import;
mod import_hourly;
mod init;
mod price_age;
mod prices;
mod progress;
mod report;
mod rightsize;
mod run;
mod scenario;
mod sweep;
mod verify;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::{Error, Result};

/// Replays container workloads in virtual time against clusters that do not
/// exist yet, and says how full they are, how long pods wait and what the
/// bill is
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

/// Flags that every verb understands.
#[derive(Debug, Args)]
struct Global {
    /// No progress, no warnings
    #[arg(short, long, global = true)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write a first scenario to start from
    Init(init::Args),
    /// Check a scenario and say what a run would do
    Check(check::Args),
    /// Simulate every case of a scenario, compare them and write a report
    Run(run::Args),
    /// Simulate cases, axes and seeds of a scenario's sweep
    Sweep(sweep::Args),
    /// Fit requests to usage, and say what that saves in dollars
    Rightsize(Box<rightsize::Args>),
    /// Say at which packing EC2 costs as much as Fargate
    Breakeven(Box<breakeven::Args>),
    /// Price a file of usage without simulating
    Bill(bill::Args),
    /// Say how much Savings Plan to buy for the simulated usage
    Commit(commit::Args),
    /// Compare two finished results, or two cases of one
    Compare(compare::Args),
    /// Show a finished result again
    Report(report::Args),
    /// Say where dollars went and why a pod waited
    #[command(subcommand)]
    Explain(explain::Verb),
    /// Show or rebuild the price tables
    #[command(subcommand)]
    Prices(prices::Verb),
    /// Draw the generated workloads of a scenario into trace files
    Generate(generate::Args),
    /// Turn a running cluster into a scenario
    #[command(subcommand)]
    Import(import::Verb),
    /// Replay recorded decisions of the real scheduler, and count which are
    /// reproduced
    Verify(verify::Args),
    /// Print the JSON Schema of scenario files
    Schema,
    /// Print a completion script
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people, within 80 columns
    #[default]
    Table,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
    /// For pull requests
    Markdown,
}

impl From<Format> for crate::report::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Table => Self::Table,
            Format::Json => Self::Json,
            Format::Csv => Self::Csv,
            Format::Markdown => Self::Markdown,
        }
    }
}

/// Where verbs write to.
struct Console {
    quiet: bool,
}

impl Console {
    /// A warning or note on stderr.
    fn warn(&self, code: &str, text: &str) {
        if self.quiet {
            return;
        }
        let head = format!("warning[{code}]: ");
        // Programs that read stderr find a warning on one line.
        let _ = if io::stderr().is_terminal() {
            write!(io::stderr(), "{}", crate::report::wrapped(text, &head, "  "))
        } else {
            writeln!(io::stderr(), "{head}{text}")
        };
    }

    /// A plain line on stderr.
    fn note(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// Whether stderr can show a bar.
    fn shows_bars(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }
}

/// A result on stdout. A closed pipe ends the output, not the program with
/// an error: `plimsoll … | head` is fine.
fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::failed(format!("cannot write to stdout: {e}")))
        }
        _ => Ok(()),
    }
}

/// How a verb that did not fail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Fine,
    GoalMissed,
    Interrupted,
}

/// Parses the command line, runs the verb, maps its end to an exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            let _ = e.print();
            return ExitCode::from(u8::from(e.use_stderr()) * 2);
        }
    };
    let console = Console { quiet: cli.global.quiet };
    match dispatch(cli.verb, &console) {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::GoalMissed) => ExitCode::from(3),
        Ok(Outcome::Interrupted) => ExitCode::from(130),
        Err(e) => {
            let text = e.to_string();
            // Findings of a scenario come rendered, warnings among them.
            let rendered = text.starts_with("error") || text.starts_with("warning[");
            let head = if rendered { "" } else { "error: " };
            let _ = writeln!(io::stderr(), "{head}{}", text.trim_end());
            ExitCode::from(if e.is_input() { 2 } else { 1 })
        }
    }
}

fn dispatch(verb: Verb, console: &Console) -> Result<Outcome> {
    match verb {
        Verb::Init(args) => init::run(&args, console),
        Verb::Check(args) => check::run(&args, console),
        Verb::Run(args) => run::run(&args, console),
        Verb::Sweep(args) => sweep::run(&args, console),
        Verb::Rightsize(args) => rightsize::run(&args, console),
        Verb::Breakeven(args) => breakeven::run(&args, console),
        Verb::Bill(args) => bill::run(&args, console),
        Verb::Commit(args) => commit::run(&args, console),
        Verb::Compare(args) => compare::run(&args, console),
        Verb::Report(args) => report::run(&args),
        Verb::Explain(verb) => explain::run(&verb, console),
        Verb::Prices(verb) => prices::run(&verb, console),
        Verb::Generate(args) => generate::run(&args, console),
        Verb::Import(verb) => import::run(&verb, console),
        Verb::Verify(args) => verify::run(&args, console),
        Verb::Schema => {
            let schema = serde_json::to_string_pretty(&crate::scenario::json_schema())
                .map_err(|e| Error::failed(format!("cannot print the schema: {e}")))?;
            print(&format!("{schema}\n"))?;
            Ok(Outcome::Fine)
        }
        Verb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "plimsoll", &mut script);
            print(&String::from_utf8_lossy(&script))?;
            Ok(Outcome::Fine)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
