use super::Version;
use std::time::Duration;

/// Why nothing was signed. It names the field and what to do, and holds neither a key nor any other text of a grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// A field that this kind of signature needs is not there.
    #[error("{field} is missing: {hint}")]
    Missing {
        /// The field, as specs and grants spell it.
        field: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// A field that a spec does not have.
    #[error("{of} has {field}, which is not known there: correct its name or leave it out")]
    UnknownField {
        /// Its name.
        field: String,
        /// The object that has it.
        of: &'static str,
    },
    /// A field's value is none that Azure or this signer accepts.
    #[error("{field} {problem}")]
    Invalid {
        /// The field, as specs and grants spell it.
        field: &'static str,
        /// What is wrong and what to write instead.
        problem: &'static str,
    },
    /// A control character would shift the lines of a string-to-sign, and so the meaning of the signature.
    #[error("{field} has a control character: remove it")]
    ControlCharacter {
        /// The field, as specs and grants spell it.
        field: &'static str,
    },
    /// A field is longer than its bound.
    #[error("{field} is longer than {most} characters: shorten it")]
    TooLong {
        /// The field, as specs and grants spell it.
        field: &'static str,
        /// The bound, in characters.
        most: usize,
    },
    /// Two fields exclude each other.
    #[error("{field} and {other} exclude each other: leave one out")]
    Conflict {
        /// One of them.
        field: &'static str,
        /// The other.
        other: &'static str,
    },
    /// A field that this kind of signature does not carry: signed without it, the token would allow more than was asked for.
    #[error("{field} is nothing that {kind} can carry: leave it out")]
    NotCarried {
        /// The field, as specs and grants spell it.
        field: &'static str,
        /// What was to be signed.
        kind: &'static str,
    },
    /// The layout of the chosen service version has no place for a field, or the service of that version does not know it.
    #[error("{field} needs service version {since} or later, not {chosen}: raise service_version or leave {field} out")]
    NeedsVersion {
        /// The field, as specs and grants spell it.
        field: &'static str,
        /// The first version that has it.
        since: Version,
        /// The version that was chosen.
        chosen: Version,
    },
    /// A letter that does not exist for what is to be signed.
    #[error("{field} has {letter:?}, which {of} does not have: use letters of {letters}")]
    UnknownLetter {
        /// The field, as specs and grants spell it.
        field: &'static str,
        /// The letter.
        letter: char,
        /// What is to be signed.
        of: &'static str,
        /// What exists there.
        letters: &'static str,
    },
    /// A letter is written twice.
    #[error("{field} has {letter:?} twice: write it once")]
    RepeatedLetter {
        /// The field, as specs and grants spell it.
        field: &'static str,
        /// The letter.
        letter: char,
    },
    /// The expiry is not after the start.
    #[error("expiry is not after start: a token needs some life")]
    ExpiryNotAfterStart,
    /// The token or key would live longer than it may, counted from its start.
    #[error("{field} is more than {} hours: shorten it", cap.as_secs() / 3600)]
    TooLongLived {
        /// What lives too long.
        field: &'static str,
        /// The longest life.
        cap: Duration,
    },
    /// The user delegation key is not valid for all the time that the token would be.
    #[error("{field} is outside the life of the user delegation key: get a new key or shorten the token's life")]
    OutsideDelegationKey {
        /// `start` or `expiry`.
        field: &'static str,
    },
}

impl SignError {
    /// The field that it is about, as specs and grants spell it.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Missing { field, .. }
            | Self::Invalid { field, .. }
            | Self::ControlCharacter { field }
            | Self::TooLong { field, .. }
            | Self::Conflict { field, .. }
            | Self::NotCarried { field, .. }
            | Self::NeedsVersion { field, .. }
            | Self::UnknownLetter { field, .. }
            | Self::RepeatedLetter { field, .. }
            | Self::TooLongLived { field, .. }
            | Self::OutsideDelegationKey { field } => field,
            Self::UnknownField { of, .. } => of,
            Self::ExpiryNotAfterStart => "expiry",
        }
    }
}
