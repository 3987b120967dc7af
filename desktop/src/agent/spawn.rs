//! Starts one process inside the computer.

#![expect(clippy::disallowed_methods, reason = "runs inside the box, with the rights of the computer's user")]

use std::ffi::{CStr, CString};
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{self, Child, Command};

use rustix::fs::{Access, Mode, OFlags, access, open};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Resource, chdir, ioctl_tiocsctty, setrlimit, setsid};

use super::harden;
use super::kill::Marker;
use super::protocol::{Spawn, Stdio};
use super::script::Script;
use super::supervise::{mark_expendable, supervise};

/// The search path for the programs that the server starts by name. It does not contain folders of the home, unlike the
/// `PATH` of the started programs. Therefore a program in the home cannot replace `bash` or a part of the desktop.
pub(crate) const SYSTEM_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games";

/// Starts the process in a new session. Returns the process, and the server's end of its output if there is one.
pub(super) fn spawn(
    request: &Spawn,
    terminal: Option<&OwnedFd>,
    script: Option<&Script>,
    marker: &Marker,
) -> io::Result<(Child, Option<OwnedFd>)> {
    let (program, arguments) =
        request.argv.split_first().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let open_files = harden::open_file_limit();
    let mut command = Command::new(find(program)?);
    command
        .args(arguments)
        .env_clear()
        .envs(request.env.iter().map(|(name, value)| (name, value)))
        .env(Marker::VARIABLE, marker.value());
    let folder = CString::new(request.cwd.as_str())?;
    let inherited = script.map(Script::report);
    if let Some(script) = script {
        command.arg(script.path()).env(Script::REPORT_VARIABLE, script.report().to_string());
    }
    // A script's interpreter keeps its full path as `argv[0]`, because it finds its library by this path. Other
    // programs get the name in the request, because they print `argv[0]` in messages.
    if script.is_none() {
        command.arg0(program);
    }
    let output = match &request.stdio {
        Stdio::Terminal { .. } => {
            let terminal = terminal.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
            command.stdin(terminal.try_clone()?).stdout(terminal.try_clone()?).stderr(terminal.try_clone()?);
            None
        }
        Stdio::Merged => {
            let (read, write) = pipe()?;
            command.stdin(process::Stdio::null()).stdout(write.try_clone()?).stderr(write);
            Some(read)
        }
        Stdio::Output => {
            let (read, write) = pipe()?;
            command.stdin(process::Stdio::null()).stdout(write).stderr(process::Stdio::null());
            Some(read)
        }
        Stdio::Log { path } => {
            let log = OpenOptions::new().create(true).append(true).open(path)?;
            command.stdin(process::Stdio::null()).stdout(log.try_clone()?).stderr(log);
            None
        }
    };
    let controlling_terminal = matches!(request.stdio, Stdio::Terminal { .. });
    let supervised = is_supervised(&request.stdio);
    // SAFETY: between fork and exec the closure makes only async-signal-safe system calls and allocates nothing. The
    // inherited descriptor is open, since `script` outlives the start.
    unsafe {
        command.pre_exec(move || {
            setsid()?;
            enter(&folder)?;
            setrlimit(Resource::Nofile, open_files)?;
            if let Some(descriptor) = inherited {
                fcntl_setfd(BorrowedFd::borrow_raw(descriptor), FdFlags::empty())?;
            }
            if controlling_terminal {
                ioctl_tiocsctty(rustix::stdio::stdin())?;
            }
            if supervised { supervise() } else { Ok(()) }
        });
    }
    let child = command.spawn()?;
    let expendable = !matches!(request.stdio, Stdio::Log { .. });
    // A supervisor marks its command itself.
    if expendable && !supervised {
        mark_expendable(child.id());
    }
    Ok((child, output))
}

/// Finds a program in [`SYSTEM_PATH`]. Returns `program` unchanged if it contains a slash.
fn find(program: &str) -> io::Result<PathBuf> {
    if program.contains('/') {
        return Ok(program.into());
    }
    let is_program = |path: &PathBuf| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    std::env::split_paths(SYSTEM_PATH)
        .map(|folder| folder.join(program))
        .find(is_program)
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("{program} is not installed")))
}

/// Changes to the folder, or to `/` if the folder is not accessible, so that commands can repair it. Does not check the
/// access first, because the user can change the folder between the check and the call.
fn enter(folder: &CStr) -> rustix::io::Result<()> {
    chdir(folder).or_else(|_| chdir(c"/"))
}

/// Returns whether a supervisor runs between the agent and the process. Only commands have one, because of their time
/// limit.
pub(super) fn is_supervised(stdio: &Stdio) -> bool {
    matches!(stdio, Stdio::Merged)
}

/// Returns whether the process is a helper of the server instead of a program of the user.
pub(super) fn is_helper(stdio: &Stdio) -> bool {
    matches!(stdio, Stdio::Output)
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?)
}

/// Returns the device that opens terminals, as an `O_PATH` descriptor.
pub(super) fn terminals() -> io::Result<OwnedFd> {
    Ok(open("/dev/pts/ptmx", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?)
}
