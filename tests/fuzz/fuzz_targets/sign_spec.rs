//! The target `sign_spec`, for `cargo fuzz`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| valet_fuzz::sign_spec::run(data));
