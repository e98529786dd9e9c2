//! The signing room: against published signatures, against a verifier that reads tokens as the service does, and against what must be refused.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

#[path = "sign/command.rs"]
mod command;
#[path = "sign/grants.rs"]
mod grants;
#[path = "sign/oracle.rs"]
mod oracle;
#[path = "sign/properties.rs"]
mod properties;
#[path = "sign/redaction.rs"]
mod redaction;
#[path = "sign/refusals.rs"]
mod refusals;
#[path = "sign/requests.rs"]
mod requests;
#[path = "sign/spellings.rs"]
mod spellings;
#[path = "sign/vectors.rs"]
mod vectors;
#[path = "sign/verifier.rs"]
mod verifier;
