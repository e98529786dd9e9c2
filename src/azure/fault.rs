//! What Azure's errors are to those who ask Valet for something: the one table.

use super::{Error, IdentityProblem, Refusal, StorageRefusal, Trouble};
use crate::model::{Fault, FaultKind};

impl Error {
    /// The kind of fault that it is.
    pub fn fault_kind(&self) -> FaultKind {
        match self {
            Self::Unreachable { .. } | Self::Failing { .. } | Self::Nonsense { .. } => FaultKind::SourceDown,
            Self::TimedOut { .. } => FaultKind::TimedOut,
            Self::Throttled { .. } | Self::BudgetSpent { .. } => FaultKind::Throttled,
            Self::HeldBack { trouble, .. } => match trouble {
                Trouble::Throttled => FaultKind::Throttled,
                Trouble::TimedOut(_) => FaultKind::TimedOut,
                Trouble::Failing(_) | Trouble::Unreachable(_) => FaultKind::SourceDown,
            },
            // The bound is ours, and says nothing of the vault.
            Self::Yielded { .. } => FaultKind::Overloaded,
            // A firewall is about where we are, not who we are: it may end by itself, and what was read before is still right.
            Self::Refused { why, .. } => match why {
                Refusal::Firewall | Refusal::PrivateOnly => FaultKind::SourceDown,
                Refusal::Disabled
                | Refusal::MissingRole
                | Refusal::MissingPolicy
                | Refusal::MayNotList
                | Refusal::MayNotListVersions
                | Refusal::Forbidden
                | Refusal::Unauthorized { .. } => FaultKind::DeniedBySource,
            },
            Self::RefusedByStorage { why, .. } => match why {
                StorageRefusal::Firewall => FaultKind::SourceDown,
                StorageRefusal::MissingRole(_)
                | StorageRefusal::SharedKeyOff
                | StorageRefusal::AccountDisabled
                | StorageRefusal::Forbidden
                | StorageRefusal::Unauthorized => FaultKind::DeniedBySource,
            },
            Self::Identity { why, .. } => match why {
                IdentityProblem::TimedOut(_) => FaultKind::TimedOut,
                IdentityProblem::NoToken | IdentityProblem::TokenHasEnded => FaultKind::SourceDown,
                _ => FaultKind::DeniedBySource,
            },
            Self::Setup(_) => FaultKind::BadConfig,
        }
    }

    /// The fault that it is, where `what` was wanted, e.g. `secret "db"`.
    pub fn fault(&self, what: &str) -> Fault {
        let fault = Fault::new(self.fault_kind(), format!("{what}: {self}")).retry_after(self.retry_after());
        match self {
            Self::HeldBack { .. } | Self::BudgetSpent { .. } | Self::Yielded { .. } => fault.unasked(),
            _ => fault,
        }
    }
}
