//! The target `document`, for `cargo fuzz`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| valet_fuzz::document::run(data));
