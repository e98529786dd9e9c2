//! One event per decision: who asked for which name, what was answered and from where. It never holds a value, and it never makes a lookup
//! wait: the queue is bounded and what does not fit is counted. [`crate::broker`] records, [`crate::app`] starts and drains it.

mod config;
mod event;
#[cfg(test)]
mod tests;
mod writer;

pub use config::Config;
pub use event::{Event, Outcome};
pub use writer::{Audit, Pending};
