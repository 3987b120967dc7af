//! The encoder, which is ffmpeg. If the computer runs in a box, its encoder runs in a separate box without a network.
//! Three sockets in that box represent the computer's X server, its audio server and the target. The server relays the
//! connections to these sockets. The encoder can open no other connections.
//!
//! The computer's user can see neither an encoder in a box nor the address that it streams to. All users of the
//! host can read command lines, so the encoder reads the secret parts of the address from a file, which exists only in
//! the encoder's box. Without a box, the encoder reads the secret parts from an inherited descriptor.

use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use crate::computer::SYSTEM_MOUNTS;
use crate::inherited::{inherit, memory_file};

use super::connections::{Connection, Host, Target};
use super::listeners::{AUDIO, DISPLAY};
use super::relay::ComputerSocket;

const PROGRAM: &str = "ffmpeg";
/// The path of this program in the box.
const LAUNCHER: &str = "/run/orgo-desktop";
/// The path of the file with the secret options in the box.
const SECRETS: &str = "/tmp/target";

/// The `bwrap` arguments that mount the files in `/etc` that the dynamic loader and TLS libraries read. The encoder
/// needs no other host files in `/etc`.
#[rustfmt::skip]
const SETTINGS: &[&str] = &[
    "--ro-bind-try", "/etc/alternatives", "/etc/alternatives",
    "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache",
    "--ro-bind-try", "/etc/ssl", "/etc/ssl",
    "--ro-bind-try", "/etc/ca-certificates", "/etc/ca-certificates",
    "--ro-bind-try", "/etc/pki", "/etc/pki",
    "--ro-bind-try", "/etc/crypto-policies", "/etc/crypto-policies",
    "--ro-bind-try", "/etc/gnutls", "/etc/gnutls",
];

/// The source and the size of the captured screen, and the privileges of the encoder.
pub(crate) struct Setup<'a> {
    /// The path of this program. The computer's user can execute it but not change it.
    pub(crate) program: PathBuf,
    pub(crate) source: Source,
    /// The screen's size in pixels.
    pub(crate) size: (u16, u16),
    /// The host user that the computer runs as, if it is not the server's user.
    pub(crate) owner: Option<u32>,
    /// Configures a command to start in the computer's control groups.
    pub(crate) join_group: &'a (dyn Fn(&mut Command) -> io::Result<()> + Sync),
}

/// How the encoder connects to the X server and the audio server.
pub(crate) enum Source {
    /// Through the server's relays. The encoder runs in a separate box.
    Relayed { display: ComputerSocket, audio: ComputerSocket },
    /// Directly, in the same way as the programs of a computer without a box.
    Direct {
        display: u16,
        /// The path of the audio server's socket.
        audio: String,
        variables: Vec<(String, String)>,
    },
}

/// Builds the command that streams to `connection`. In a box, the command sends its listening sockets through
/// `control`. It reports progress on stdout when the target has accepted data, and exits when it reads `q` from stdin.
pub(super) fn command(
    setup: &Setup<'_>,
    connection: &Connection,
    control: UnixStream,
) -> io::Result<Command> {
    let target = connection.target().map_err(io::Error::other)?;
    let mut command = match &setup.source {
        Source::Relayed { .. } => in_box(setup, connection, &target, control)?,
        Source::Direct { display, audio, variables } => {
            let secrets = memory_file("secrets", secrets(&target).as_bytes())?;
            let number = secrets.as_raw_fd().to_string();
            let input = Input { display: *display, audio, secrets: &format!("/proc/self/fd/{number}") };
            let mut command = Command::new(&setup.program);
            command
                .args(["encoder", "--secrets-fd", &number, "--", PROGRAM])
                .args(arguments(setup, connection, &input))
                .arg(target.url_of_host())
                .current_dir("/");
            command.envs(variables.iter().map(|(name, value)| (name, value)));
            inherit(command.as_std_mut(), vec![secrets]);
            command
        }
    };
    command
        // The server stops the stream by writing to stdin.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(owner) = setup.owner {
        command.uid(owner).gid(owner);
    }
    (setup.join_group)(&mut command)?;
    Ok(command)
}

fn in_box(
    setup: &Setup<'_>,
    connection: &Connection,
    target: &Target<'_>,
    control: UnixStream,
) -> io::Result<Command> {
    let files = [
        (SECRETS, memory_file("secrets", secrets(target).as_bytes())?),
        ("/etc/hosts", memory_file("hosts", hosts(target).as_bytes())?),
        ("/etc/nsswitch.conf", memory_file("nsswitch", b"passwd: files\nhosts: files\n")?),
        ("/etc/passwd", memory_file("passwd", b"user:x:1000:1000::/tmp:/usr/sbin/nologin\n")?),
    ];
    let mut command = Command::new("bwrap");
    command
        .args(["--die-with-parent", "--unshare-user", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"])
        .args(["--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-cgroup-try"])
        .args(["--unshare-uts", "--hostname", "encoder"])
        .args(SYSTEM_MOUNTS)
        .args(SETTINGS)
        .arg("--ro-bind")
        .arg(&setup.program)
        .arg(LAUNCHER);
    for (path, file) in &files {
        command.args(["--ro-bind-data", &file.as_raw_fd().to_string(), path]);
    }
    command
        .args(["--remount-ro", "/", "--clearenv", "--setenv", "PATH", "/usr/local/bin:/usr/bin", "--"])
        .args([LAUNCHER, "encoder", "--control-fd", &control.as_raw_fd().to_string(), "--", PROGRAM])
        .args(arguments(setup, connection, &Input { display: DISPLAY, audio: AUDIO, secrets: SECRETS }))
        .arg(target.url_in_box());
    let inherited = files.into_iter().map(|(_, file)| file).chain([control.into()]);
    inherit(command.as_std_mut(), inherited.collect());
    Ok(command)
}

/// Returns the encoder's secret options, one per line. They contain the target's own address, even if the encoder
/// connects through a relay.
fn secrets(target: &Target<'_>) -> String {
    let mut options = format!("rtmp_tcurl={}\nrtmp_app={}\n", target.url(), target.application);
    if let Some(playpath) = target.playpath {
        options += &format!("rtmp_playpath={playpath}\n");
    }
    options
}

/// Returns a hosts file that resolves the target's host name to the loopback address. The encoder can then connect by
/// that name, so that TLS requests the certificate of that name (SNI).
fn hosts(target: &Target<'_>) -> String {
    match target.host {
        Host::Name(name) => format!("127.0.0.1 {name}\n"),
        Host::Address(_) => String::new(),
    }
}

/// The encoder's inputs. In a box, the paths and the display number are those in the box.
struct Input<'a> {
    display: u16,
    audio: &'a str,
    /// The path of the file with the secret options.
    secrets: &'a str,
}

fn arguments(setup: &Setup<'_>, connection: &Connection, input: &Input<'_>) -> Vec<String> {
    let Input { display, audio, secrets } = input;
    let Connection { frames_per_second, video_kbps, audio_kbps, .. } = connection;
    let (width, height) = setup.size;
    let lines = [
        "-hide_banner -loglevel error -progress pipe:1 -stats_period 0.2".to_owned(),
        format!(
            "-thread_queue_size 64 -f x11grab -framerate {frames_per_second} -video_size {width}x{height}"
        ),
        format!("-draw_mouse 1 -i :{display}"),
        "-thread_queue_size 512 -f pulse -fragment_size 3840 -sample_rate 48000 -channels 2".into(),
        format!("-server unix:{audio} -i out.monitor"),
        // yuv420p stores one color sample for each block of 2x2 pixels, so the width and the height must be even.
        "-vf crop=trunc(iw/2)*2:trunc(ih/2)*2 -pix_fmt yuv420p".into(),
        format!("-c:v libx264 -preset ultrafast -tune zerolatency -g {}", 2 * frames_per_second),
        format!("-b:v {video_kbps}k -maxrate {video_kbps}k -bufsize {}k", 2 * video_kbps),
        format!("-c:a aac -b:a {audio_kbps}k -f flv -flvflags no_duration_filesize"),
        format!("-fpre {secrets}"),
    ];
    lines.iter().flat_map(|line| line.split(' ')).map(str::to_owned).collect()
}
