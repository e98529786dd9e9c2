//! What becomes of cached values, keys and tokens when somebody says that they are no good: an operator, or a task whose credential was refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod invalidation;
mod lab;
mod rejection;
