//! The command-line interface.

use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::computer::{BOX_RUN, HOME, IsolationChoice};
use crate::secret::Secret;

/// A local server for Orgo computers. It runs headless X desktops and serves the REST and WebSocket API of Orgo.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server until SIGINT or SIGTERM, which also stops the computers.
    ///
    /// Exits with 0 after a stop, 75 if another server uses the data folder, 2 if the command line cannot be parsed, and
    /// 1 after any other error.
    Serve(Serve),
    /// Check whether this machine can run computers.
    ///
    /// Prints the problems that prevent this, and commands that fix them. Exits with 0 if computers can run, and with 1
    /// otherwise.
    Doctor,
    /// Show whether a server uses a data folder, and its address.
    ///
    /// Exits with 0 in either case, and with 1 if the data folder cannot be read.
    Status(Status),
    /// Print the key names that the `key` call accepts, as a Markdown table.
    Keys,
    /// Run the agent of a computer. Only the server starts this.
    #[command(hide = true)]
    Agent {
        /// The descriptor of the socket to the server.
        #[arg(long)]
        control: RawFd,
        /// The path of the home.
        #[arg(long, default_value = HOME)]
        home: PathBuf,
        /// The folder for the source files of `exec` calls.
        #[arg(long, default_value = BOX_RUN)]
        scratch: PathBuf,
        /// Set if the computer has no box, so the agent has to confine itself.
        #[arg(long)]
        unboxed: bool,
    },
    /// Block addresses in a computer's network namespace, then execute a program in this process. Only the server
    /// starts this.
    #[command(hide = true)]
    Network {
        /// The descriptor of the box's user namespace.
        #[arg(long)]
        users: RawFd,
        /// The descriptor of the box's network namespace.
        #[arg(long)]
        network: RawFd,
        /// The program and its arguments.
        #[arg(last = true)]
        program: Vec<String>,
    },
    /// Create the sockets of a stream's box and run its encoder. Only the server starts this.
    #[command(hide = true)]
    Encoder {
        /// The descriptor of the socket to the server. Set if the encoder runs in a box.
        #[arg(long)]
        control_fd: Option<RawFd>,
        /// The descriptor of the file with the encoder's secrets. Set if the encoder runs without a box.
        #[arg(long)]
        secrets_fd: Option<RawFd>,
        /// The encoder and its arguments.
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Status {
    /// The data folder to check [default: as for `serve`].
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Print one line of JSON: `running`, `data_dir`, `pid`, `base_url` and `realtime_url`. The last three are null if
    /// no server runs. The URLs are also null while the server starts or stops.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// The IP address and port to listen on. Port 0 selects a free port. An address other than loopback requires
    /// --allow-remote.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8800")]
    pub(crate) listen: SocketAddr,
    /// Allow --listen with an address that other machines can reach. The connection is not encrypted.
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// The folder for workspaces, computers with their homes, uploads and the API key. Created if it does not exist.
    /// Only one server can use it at a time [default: /var/lib/orgo-desktop for root, otherwise
    /// ~/.local/share/orgo-desktop].
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The API key that clients must send. Must not be empty. Prefer the environment variable: other users can read the
    /// command line [default: a random key, stored in the file `api-key` of the data folder].
    #[arg(long, value_name = "KEY", env = "ORGO_DESKTOP_API_KEY", hide_env_values = true)]
    pub(crate) api_key: Option<Secret>,
    /// The URL at which clients reach this server, if it differs from the address that it listens on, for example
    /// `https://desk.example` for a TLS-terminating reverse proxy. Must start with http:// or https://. Links in
    /// responses start with it, and requests may have its host in the Host header [default: links start with http://
    /// and the host of the request].
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// An origin whose pages may use the API, such as http://127.0.0.1:3000. Can be repeated. Must be http:// or
    /// https:// with a host and no path [default: no page can read responses; pages of loopback hosts can open
    /// WebSockets].
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<String>,
    /// How computers are isolated from the host and from each other.
    #[arg(long, value_enum, default_value_t = IsolationChoice::Auto, env = "ORGO_DESKTOP_ISOLATION")]
    pub(crate) isolation: IsolationChoice,
    /// Stop the server when stdin ends. A pipe ends when the process that writes to it exits or is killed.
    #[arg(long)]
    pub(crate) end_with_stdin: bool,
    /// When the server is ready, print one line of JSON: `base_url`, `realtime_url`, `api_key` and `data_dir`. Without
    /// this option the API key is not printed.
    #[arg(long)]
    pub(crate) json: bool,
}
