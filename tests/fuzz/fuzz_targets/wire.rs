//! The target `wire`, for `cargo fuzz`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| valet_fuzz::wire::run(data));
