//! The `valet` binary: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    valet::cli::main()
}
