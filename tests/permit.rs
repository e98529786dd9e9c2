//! What a shared-key grant signs: every operation with its letters, every spelling that means something else, every length that lies.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

#[path = "permit/blobs.rs"]
mod blobs;
#[path = "permit/configuration.rs"]
mod configuration;
#[path = "permit/form.rs"]
mod form;
#[path = "permit/paths.rs"]
mod paths;
#[path = "permit/properties.rs"]
mod properties;
#[path = "permit/queues_and_tables.rs"]
mod queues_and_tables;
#[path = "permit/sdks.rs"]
mod sdks;
#[path = "permit/spellings.rs"]
mod spellings;
#[path = "permit/world.rs"]
mod world;
