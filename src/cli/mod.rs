//! The command line: one file a subcommand, results to stdout, everything else to stderr, exit codes as sysexits has them.
//! It holds no business rules. `main` calls it.

use std::process::ExitCode;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
