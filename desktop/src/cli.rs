//! The command line.

use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::secret::Secret;

/// A local computer service that speaks the Orgo protocol over real X desktops.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve computers until interrupted.
    Serve(Serve),
    /// Say what this machine lacks to run computers, and the command that installs it.
    Doctor,
    /// Print the names of keys that the `key` call takes, as a table in Markdown.
    Keys,
    /// Start processes inside a computer's box; the server runs this itself.
    #[command(hide = true)]
    Agent {
        /// The descriptor of the socket to the server.
        #[arg(long)]
        control: RawFd,
    },
    /// Carry a computer's network; the server runs this itself.
    #[command(hide = true)]
    Carrier {
        /// The descriptors of the box's namespaces.
        #[arg(long)]
        users: RawFd,
        #[arg(long)]
        network: RawFd,
        /// The program to become, and its arguments.
        #[arg(last = true)]
        program: Vec<String>,
    },
    /// Open the sockets of a stream's box and run its encoder; the server runs this itself.
    #[command(hide = true)]
    Encoder {
        #[arg(long)]
        control_fd: i32,
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// Address and port; port 0 takes any free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8800")]
    pub(crate) listen: SocketAddr,
    /// Allow an address that other machines reach. The connection is not encrypted.
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// Where workspaces, computers and their homes are kept [default: /var/lib/orgo-desktop for root, else
    /// ~/.local/share/orgo-desktop].
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The key that callers must send; without one a random key is made and kept in the data folder.
    #[arg(long, value_name = "KEY", env = "ORGO_DESKTOP_API_KEY", hide_env_values = true)]
    pub(crate) api_key: Option<Secret>,
    /// The address at which clients reach this server, if that is another than the one it listens on, such as that of a proxy
    /// that adds TLS. Links in responses begin with it, and requests may name its host.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// An origin whose pages may call, such as http://127.0.0.1:3000; may be given several times.
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<String>,
    /// Once ready, print the addresses and the key as one line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
