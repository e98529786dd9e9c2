//! What Microsoft's clients cannot show: exact answers on the wire, faults, the log, listeners and certificates.

mod client;
mod fault_answers;
mod fault_scopes;
mod hosts;
mod lifecycle;
mod pages;
mod proxy;
mod request_log;
