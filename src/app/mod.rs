//! The composition root: builds the rooms from a configuration, runs them, reloads, drains. It never parses and holds no request logic.
//! [`crate::cli`] calls it for `serve`; tests call it to run Valet in-process.
