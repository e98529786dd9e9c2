//! Signs what a task may carry instead of a key: SAS tokens of every kind, Shared Key headers, Service Bus tokens.
//! It never does I/O, reads no clock and knows no configuration: a pure function of key, grant and `now`, and the same grant gives the same bytes.
//! `mint` calls it for grants, `valet sign` for specs.
//!
//! The rules are Microsoft's ("Create a service SAS", "Create an account SAS", "Create a user delegation SAS", "Authorize with Shared Key"), and
//! where those pages are silent, what the Azure SDKs for Python and JavaScript do, because the service has to accept that.

mod account_sas;
mod batch;
mod cosmos;
mod delegation_sas;
mod error;
mod fields;
mod grant;
mod hmac;
mod http_date;
mod ip;
mod key;
mod name;
mod options;
mod permission;
mod resource;
mod service_bus;
mod service_sas;
mod shared_key;
mod signed;
pub mod spec;
mod template;
mod text;
mod timestamp;
mod uri;
mod version;
mod window;

pub use account_sas::{AccountOptions, AccountSas};
pub use batch::sign_batch;
pub use cosmos::CosmosRequest;
pub use delegation_sas::{DelegationKey, DelegationKeyText, DelegationOptions, DelegationSas};
pub use error::SignError;
pub use grant::{Grant, Key, Sas, sign};
pub use key::{AccountKey, SharedAccessKey};
pub use name::AccountName;
pub use options::{Protocol, ResponseHeaders, SasOptions};
pub use resource::{KeyRange, Resource, Service};
pub use service_bus::ServiceBusSas;
pub use service_sas::ServiceSas;
pub use shared_key::{Request, Scheme, SharedKey, StorageService};
pub use signed::Signed;
pub use timestamp::Timestamp;
pub use version::Version;
pub use window::{CLOCK_SKEW, DELEGATION_CAP, Window};
