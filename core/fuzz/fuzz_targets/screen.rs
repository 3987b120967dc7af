#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| orgo_core_fuzz::run("screen", data));
