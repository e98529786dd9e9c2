//! The target `value_file`, for `cargo fuzz`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| valet_fuzz::value_file::run(data));
