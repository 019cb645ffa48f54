//! plimsoll: capacity and cost planning for containers on AWS.

use std::process::ExitCode;

fn main() -> ExitCode {
    plimsoll::cli::main()
}
