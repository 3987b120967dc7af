//! The command line.

use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::computer::{BOX_RUN, HOME, IsolationChoice};
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
    /// Say whether a server uses a data folder, and where it is.
    Status(Status),
    /// Print the names of keys that the `key` call takes, as a table in Markdown.
    Keys,
    /// Start processes inside a computer; the server runs this itself.
    #[command(hide = true)]
    Agent {
        /// The descriptor of the socket to the server.
        #[arg(long)]
        control: RawFd,
        #[arg(long, default_value = HOME)]
        home: PathBuf,
        #[arg(long, default_value = BOX_RUN)]
        scratch: PathBuf,
        /// Whether nothing else confines the computer.
        #[arg(long)]
        unboxed: bool,
    },
    /// Carry a computer's network; the server runs this itself.
    #[command(hide = true)]
    Network {
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
        /// The descriptor of the socket to the server, in a box.
        #[arg(long)]
        control_fd: Option<RawFd>,
        /// The descriptor of a file that the program is to have, outside of a box.
        #[arg(long)]
        secrets_fd: Option<RawFd>,
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Status {
    /// As for `serve`.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Print one line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
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
    /// How computers are kept apart from the host and from one another.
    #[arg(long, value_enum, default_value_t = IsolationChoice::Auto, env = "ORGO_DESKTOP_ISOLATION")]
    pub(crate) isolation: IsolationChoice,
    /// End when stdin does: when whoever holds its other end has ended, in whatever way.
    #[arg(long)]
    pub(crate) end_with_stdin: bool,
    /// Once ready, print the addresses, the key and the data folder as one line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
