//! Exit codes, as sysexits.h has them.

use std::process::ExitCode;

/// A code with its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exit(u8);

/// `EX_USAGE`: the command line is wrong.
pub(super) const USAGE: Exit = Exit(64);
/// `EX_NOINPUT`: the name is not here.
pub(super) const NOT_FOUND: Exit = Exit(66);
/// `EX_UNAVAILABLE`: a source or the broker cannot be asked.
pub(super) const UNAVAILABLE: Exit = Exit(69);
/// `EX_NOPERM`: refused.
pub(super) const REFUSED: Exit = Exit(77);
/// `EX_CONFIG`: the configuration, or a stored value, must be mended.
pub(super) const CONFIG: Exit = Exit(78);

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}

/// The code for a call that a broker answered with this status.
pub(super) fn of_status(code: tonic::Code) -> Exit {
    use tonic::Code;
    match code {
        Code::NotFound => NOT_FOUND,
        Code::InvalidArgument | Code::Unimplemented | Code::OutOfRange => USAGE,
        Code::PermissionDenied | Code::Unauthenticated => REFUSED,
        Code::FailedPrecondition => CONFIG,
        _ => UNAVAILABLE,
    }
}
