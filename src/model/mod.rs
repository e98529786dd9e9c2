//! The vocabulary of the crate: names, lookups, answers, secrets, callers and faults, each parsed once and valid from then on.
//! It never does I/O and knows neither tokio nor tonic. Every other room speaks it.

mod answer;
mod caller;
mod changes;
pub mod document;
mod fault;
mod found;
mod issued;
mod lookup;
mod loopback;
mod origin;
mod reference;
mod rejection;
mod relayed;
mod review;
mod right;
mod secret;
mod source_name;
mod urgency;
mod via;

pub use answer::{Answer, State};
pub use caller::{Caller, Claims, Peer};
pub use changes::Changes;
pub use fault::{Fault, FaultKind, NOT_FOUND_REASON, REASON_HEADER};
pub use found::{Found, Wanted};
pub use issued::{IssuedToken, SignableRequest, SignedRequest};
pub use lookup::{Kind, Lookup, Name, Team};
pub use loopback::{is_localhost, is_loopback};
pub use origin::Origin;
pub use reference::Reference;
pub use rejection::{Credential, Rejection, Reported, ValueDigest};
pub use relayed::Relayed;
pub use review::{Held, Review, Revision};
pub use right::Right;
pub use secret::Secret;
pub use source_name::SourceName;
pub use urgency::Urgency;
pub use via::{ProcessId, Via};
