//! Runs a computer without a box: its processes run next to the processes of the server, and its folders are in the
//! server's runtime folder.

use std::io;
use std::os::fd::{AsRawFd as _, RawFd};
use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use crate::agent::{self, AgentPaths};
use crate::inherited::inherit;
use crate::privileges::drop_all_capabilities;
use crate::seccomp;

use super::boxed::{AGENT, AgentLaunch};
use super::homes::Home;
use super::layout::{InsidePaths, Layout};
use super::runtime_dir::RuntimeDir;
use super::x_cookie::XCookie;

/// The subfolder of the support folder with the files that take precedence over those of the system. In a box, mounts
/// cover the system's files instead.
const REPLACEMENTS: &str = "unboxed";

/// Returns the command that starts the shell of a terminal. It is not a login shell, since a login shell would read the
/// system's `/etc/profile`, which resets `PATH`.
pub(super) fn shell_command(layout: &Layout) -> Vec<String> {
    let settings = format!("{}/{REPLACEMENTS}/shell", layout.inside.support);
    ["bash", "--noprofile", "--rcfile", &settings, "-i"].map(str::to_owned).to_vec()
}

/// Creates the folders of a computer, finds a free display number, and returns the paths.
pub(super) fn layout(runtime: &RuntimeDir, home: &Home) -> io::Result<Layout> {
    let key = XCookie::random().map_err(io::Error::other)?;
    let (display, place) = runtime.create_computer_folders(home.owner, &key)?;
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    let below = |name: &str| text(place.join(name));
    let [run, user, logs, scratch] = RuntimeDir::FOLDERS.map(below);
    let support = runtime.support();
    Ok(Layout {
        home: home.path.clone(),
        display,
        key: Some(key),
        inside: InsidePaths {
            home: text(home.path.clone()),
            run,
            user,
            logs,
            scratch,
            support: text(support.clone()),
            replacements: Some(text(support.join(REPLACEMENTS))),
        },
        support,
    })
}

/// Returns the command that starts the agent. Without a box, no other program confines the agent, so the agent confines
/// itself.
pub(super) fn command(layout: &Layout, launch: AgentLaunch<'_>) -> io::Result<Command> {
    let AgentLaunch { owner, control, .. } = launch;
    let mut command = Command::new(layout.support.join(AGENT));
    command
        .args(["agent", "--unboxed", "--control", &control.as_raw_fd().to_string()])
        .args(["--home", &layout.inside.home, "--scratch", &layout.inside.scratch])
        .current_dir("/")
        .stdin(Stdio::null());
    if let Some(owner) = owner {
        command.uid(owner).gid(owner);
    }
    inherit(command.as_std_mut(), vec![control]);
    Ok(command)
}

/// Runs the agent of a computer without a box. Must be called while the process has one thread.
pub(crate) fn serve(control: RawFd, paths: AgentPaths) -> io::Result<()> {
    // As a subreaper, the agent adopts orphans, so it can end them together with the computer.
    rustix::process::set_child_subreaper(rustix::process::Pid::from_raw(1))?;
    // The agent detects the end of the server when its socket is closed. If the kernel killed the agent instead, the
    // agent could not end the other processes.
    rustix::process::set_parent_process_death_signal(None)?;
    drop_all_capabilities()?;
    seccomp::COMPUTER.install()?;
    agent::serve(control, paths)
}
