//! The target `stored_key`, for `cargo fuzz`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| valet_fuzz::stored_key::run(data));
