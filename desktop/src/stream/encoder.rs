//! The encoder: ffmpeg in a box of its own. It reaches the computer's screen and sound by their sockets, and the network,
//! and nothing else; the computer's user cannot see it, nor the address it streams to. What of the address is a secret is not
//! in its command line, which every user of the host can read, but in a file that is in the box alone.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::{FdFlags, fcntl_setfd};
use tokio::process::Command;

use crate::computer::SYSTEM;

use super::connections::{Connection, Target};

const PROGRAM: &str = "ffmpeg";
/// The sound server's socket in the box.
const SOUND: &str = "/tmp/pulse.sock";
/// The file with the secret options in the box.
const SECRETS: &str = "/tmp/target";

/// What is streamed.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The folder of the X server's socket.
    pub(crate) x_sockets: PathBuf,
    /// The X display number.
    pub(crate) display: u16,
    /// The sound server's socket.
    pub(crate) sound: PathBuf,
    /// The screen's size in pixels.
    pub(crate) size: (u16, u16),
    /// The host's user that the computer runs as, when it is not the server's own.
    pub(crate) owner: Option<u32>,
}

/// The command that streams `stage` to `connection`. It writes about its progress as soon as the target takes something,
/// and ends when it reads a `q`.
pub(super) fn command(stage: &Stage, connection: &Connection) -> io::Result<Command> {
    let target = connection.target().map_err(io::Error::other)?;
    let secrets = secrets(&target)?;
    let mut command = Command::new("bwrap");
    command
        .args(["--die-with-parent", "--unshare-user", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"])
        .args(["--unshare-pid", "--unshare-ipc", "--unshare-uts"])
        .args(SYSTEM);
    let mut bind = |from: &Path, to: &Path| {
        command.arg("--ro-bind").arg(from).arg(to);
    };
    bind(&stage.x_sockets, Path::new("/tmp/.X11-unix"));
    bind(&stage.sound, Path::new(SOUND));
    // Where the host's resolver keeps its file outside `/etc`, the link to it must lead somewhere.
    if let Ok(resolver) = Path::new("/etc/resolv.conf").canonicalize()
        && resolver.starts_with("/run")
    {
        bind(&resolver, &resolver);
    }
    command
        .args(["--ro-bind-data", &secrets.as_raw_fd().to_string(), SECRETS])
        .args(["--clearenv", "--setenv", "PATH", "/usr/local/bin:/usr/bin", "--", PROGRAM])
        .args(arguments(stage, connection))
        .arg(target.server)
        // By which it is told to end.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Ctrl-C in the server's terminal is the server's to handle.
        .process_group(0);
    if let Some(owner) = stage.owner {
        command.uid(owner).gid(owner);
    }
    // SAFETY: between fork and exec only an async-signal-safe system call is made, and nothing is allocated.
    unsafe {
        command.pre_exec(move || Ok(fcntl_setfd(&secrets, FdFlags::empty())?));
    }
    Ok(command)
}

/// Options of the encoder, a line for each, in a file without a name.
fn secrets(target: &Target<'_>) -> io::Result<OwnedFd> {
    let mut file = File::from(memfd_create("target", MemfdFlags::CLOEXEC)?);
    writeln!(file, "rtmp_app={}", target.application)?;
    if let Some(playpath) = target.playpath {
        writeln!(file, "rtmp_playpath={playpath}")?;
    }
    file.rewind()?;
    Ok(file.into())
}

fn arguments(stage: &Stage, connection: &Connection) -> Vec<String> {
    let Connection { frames_per_second, video_kbps, audio_kbps, .. } = connection;
    let (width, height) = stage.size;
    let words = [
        "-hide_banner -loglevel error -progress pipe:1 -stats_period 0.2".to_owned(),
        format!(
            "-thread_queue_size 64 -f x11grab -framerate {frames_per_second} -video_size {width}x{height}"
        ),
        format!("-draw_mouse 1 -i :{}", stage.display),
        "-thread_queue_size 512 -f pulse -fragment_size 3840 -sample_rate 48000 -channels 2".into(),
        format!("-server unix:{SOUND} -i out.monitor"),
        // The colours of two by two pixels are stored as one.
        "-vf crop=trunc(iw/2)*2:trunc(ih/2)*2 -pix_fmt yuv420p".into(),
        format!("-c:v libx264 -preset ultrafast -tune zerolatency -g {}", 2 * frames_per_second),
        format!("-b:v {video_kbps}k -maxrate {video_kbps}k -bufsize {}k", 2 * video_kbps),
        format!("-c:a aac -b:a {audio_kbps}k -f flv -flvflags no_duration_filesize"),
        format!("-fpre {SECRETS}"),
    ];
    words.iter().flat_map(|line| line.split(' ')).map(str::to_owned).collect()
}
