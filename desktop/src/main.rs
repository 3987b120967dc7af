//! `orgo-desktop`: a local computer service that speaks the Orgo protocol over real X desktops.

mod agent;
mod cli;
mod computer;
mod doctor;
mod events;
mod files;
mod http;
mod screen;
mod secret;
mod server;
mod socket;
mod store;
mod stream;
mod timestamp;

use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command};

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(options) => report(server::serve(&options)),
        Command::Doctor => doctor::run(),
        Command::Keys => {
            print!("{}", screen::key_table());
            ExitCode::SUCCESS
        }
        Command::Agent { socket } => report(agent::serve(&socket)),
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
