//! The `orgo-desktop` program.

fn main() -> std::process::ExitCode {
    orgo_desktop::main()
}
