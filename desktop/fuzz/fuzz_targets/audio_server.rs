#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| orgo_desktop::fuzz::run("audio_server", data));
