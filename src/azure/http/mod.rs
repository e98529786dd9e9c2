//! The one way out to Azure: who may be spoken to, over which network path, with which trust, how long and how much.
//! It never decides on a retry and never looks into a value. Vaults, storage clients and identities of this room call it.

mod cause;
mod clients;
mod dial;
mod endpoint;
mod resolver;
mod transport;

pub(super) use clients::{CALL_TIMEOUT, Clients};
pub use dial::{DialError, Dialed, Dialer};
pub use endpoint::HostName;
pub(super) use endpoint::{Endpoint, Reply};
pub use resolver::{Resolver, SystemResolver};
pub(super) use transport::{client_options, our_error, raw_response, wrapped};
