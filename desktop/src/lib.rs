//! `orgo-desktop`: a local server for Orgo computers, with headless X desktops.
//!
//! This is a library, so that the program and the fuzzers can share the code.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests use their own files"))]

mod agent;
mod app;
mod cli;
mod computer;
mod data_dir;
mod doctor;
mod events;
mod files;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod http;
mod inherited;
mod privileges;
mod screen;
mod seccomp;
mod secret;
mod server;
mod socket;
mod status;
mod store;
mod stream;
mod timestamp;
mod untrusted;

use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command};

/// Runs the program with the arguments of this process.
#[must_use]
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(options) => match server::serve(&options) {
            Err(error) => {
                eprintln!("orgo-desktop: {error}");
                ExitCode::from(error.exit_code())
            }
            Ok(()) => ExitCode::SUCCESS,
        },
        Command::Status(options) => report(status::run(&options)),
        Command::Doctor => doctor::run(),
        Command::Keys => {
            print!("{}", screen::key_table());
            ExitCode::SUCCESS
        }
        Command::Agent { control, home, scratch, unboxed } => {
            let serve = if unboxed { computer::serve_unboxed } else { agent::serve };
            report(serve(control, agent::AgentPaths { home, scratch }))
        }
        Command::Network { users, network, program } => {
            report(computer::run_network_launcher(users, network, &program))
        }
        Command::Encoder { control_fd, secrets_fd, command } => {
            report(stream::launch(control_fd, secrets_fd, &command))
        }
    }
}

fn report<E: std::fmt::Display>(result: Result<(), E>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("orgo-desktop: {error}");
            ExitCode::FAILURE
        }
    }
}
