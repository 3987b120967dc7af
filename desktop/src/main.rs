//! The program `orgo-desktop`.

fn main() -> std::process::ExitCode {
    orgo_desktop::main()
}
