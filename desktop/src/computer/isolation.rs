//! Isolates computers from the host, the server and each other: by a box for each computer, or not at all.
//!
//! The methods of [`Isolation`] select between the two modes. In both modes, the server accesses a computer only
//! through its agent.

#![expect(clippy::disallowed_methods, reason = "reads files of the system")]

use std::collections::HashMap;
use std::path::Path;
use std::{env, fs, io};

use clap::ValueEnum;
use tokio::process::{Child, Command};

use crate::agent::TerminalDevice;

use super::boxed::{self, AgentLaunch};
use super::homes::Home;
use super::layout::Layout;
use super::limits::ControlGroup;
use super::root_process::{KillScope, RootProcess};
use super::runtime_dir::RuntimeDir;
use super::shutdown::Shutdown;
use super::spawner::Spawner;
use super::unboxed;

/// The value of `--isolation`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum IsolationChoice {
    /// A box for each computer if boxes work on this system. Otherwise `none` inside a container, which is then the
    /// only isolation; outside of a container, an error.
    Auto,
    /// A bubblewrap sandbox for each computer. If sandboxes do not work on this system, no computer can be created.
    Box,
    /// No isolation: for a machine or a container that is used for nothing else.
    None,
}

/// The isolation that the server uses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Isolation {
    Box,
    None,
}

/// The chosen isolation, and a warning for the operator of the server.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct IsolationDecision {
    pub(crate) isolation: Isolation,
    pub(crate) warning: Option<String>,
}

/// Chooses the isolation. `boxes` tries to open a box and returns the reason if that fails. `container` is the evidence
/// that this system is a container, or `None` if it is not one.
pub(crate) fn decide(
    choice: IsolationChoice,
    boxes: impl FnOnce() -> Result<(), String>,
    container: Option<&str>,
) -> Result<IsolationDecision, String> {
    const CONSEQUENCE: &str = "computers are not isolated: they share this container's network and processes";
    let decision = |isolation, warning| Ok(IsolationDecision { isolation, warning });
    match choice {
        IsolationChoice::Box => decision(Isolation::Box, None),
        IsolationChoice::None if container.is_some() => {
            decision(Isolation::None, Some(format!("{CONSEQUENCE}.")))
        }
        IsolationChoice::None => {
            let warning = "computers are not isolated: programs in them can access this machine's network, and the \
                           files and processes of the account that they run as.";
            decision(Isolation::None, Some(warning.into()))
        }
        IsolationChoice::Auto => match (boxes(), container) {
            (Ok(()), _) => decision(Isolation::Box, None),
            (Err(reason), Some(sign)) => {
                let warning = format!(
                    "{CONSEQUENCE}, since the container does not allow boxes ({reason}). It was detected by {sign}. \
                     Set --isolation=box or --isolation=none to choose explicitly."
                );
                decision(Isolation::None, Some(warning))
            }
            (Err(reason), None) => Err(format!(
                "cannot open a box for a computer: {reason}\n\
                 On a machine that is used for nothing else, --isolation=none runs computers without isolation: \
                 programs in them can then access this machine's network, and the files and processes of this account."
            )),
        },
    }
}

impl Isolation {
    /// Returns the name of the isolation in the protocol.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Box => "box",
            Self::None => "none",
        }
    }

    /// Returns the paths of a computer. Without a box, also creates its folders.
    pub(super) fn layout(self, runtime: &RuntimeDir, home: &Home, slot: u32) -> io::Result<Layout> {
        match self {
            Self::Box => Ok(boxed::layout(runtime, home, slot)),
            Self::None => unboxed::layout(runtime, home),
        }
    }

    /// Removes the folders that [`Self::layout`] created. Must be called after all processes of the computer have
    /// ended.
    pub(super) fn remove_folders(self, runtime: &RuntimeDir, layout: &Layout) {
        match self {
            Self::Box => {}
            Self::None => runtime.remove_computer_folders(layout.display),
        }
    }

    /// Returns the command that starts the agent.
    pub(super) fn command(self, layout: &Layout, launch: AgentLaunch<'_>) -> io::Result<Command> {
        match self {
            Self::Box => boxed::command(layout, launch),
            Self::None => unboxed::command(layout, launch),
        }
    }

    /// Returns the command that starts the shell of a terminal.
    pub(super) fn shell_command(self, layout: &Layout) -> Vec<String> {
        match self {
            Self::Box => boxed::shell_command(),
            Self::None => unboxed::shell_command(layout),
        }
    }

    /// Watches the root process of a computer, which was started by [`Self::command`].
    pub(super) fn follow(
        self,
        child: Child,
        spawner: &Spawner,
        group: &ControlGroup,
        shutdown: Shutdown,
    ) -> RootProcess {
        let scope = match self {
            Self::Box => KillScope::Namespace,
            Self::None => KillScope::Descendants(spawner.clone(), group.clone()),
        };
        RootProcess::follow(child, scope, shutdown)
    }

    pub(super) fn terminals(self) -> TerminalDevice {
        match self {
            Self::Box => TerminalDevice::Box,
            Self::None => TerminalDevice::Host,
        }
    }

    /// Returns whether computers have their own namespaces. If so, slirp4netns connects them to the network, and the
    /// encoder reaches them through relays.
    pub(crate) fn has_boxes(self) -> bool {
        self == Self::Box
    }
}

/// Facts about the system that show whether it is a container.
#[derive(Debug, Default)]
pub(crate) struct ContainerSigns {
    /// The paths in [`FILES`] that exist.
    pub(crate) files: Vec<&'static str>,
    /// The environment variables in [`VARIABLES`] that are not empty, by name.
    pub(crate) variables: HashMap<&'static str, String>,
    /// The content of `/proc/self/cgroup`.
    pub(crate) cgroup: String,
    /// The content of `/proc/self/mountinfo`.
    pub(crate) mounts: String,
}

/// The paths that show that a system is a container of Docker, of Podman, or of another engine with systemd's container
/// interface.
const FILES: &[&str] =
    &["/.dockerenv", "/run/.containerenv", "/run/systemd/container", "/run/host/container-manager"];
/// The environment variables that container engines (`container`), dev containers, Codespaces and Kubernetes set.
const VARIABLES: &[&str] = &["container", "REMOTE_CONTAINERS", "CODESPACES", "KUBERNETES_SERVICE_HOST"];
/// The parts of control group paths that show that a process runs in a container.
const GROUPS: &[&str] =
    &["/docker/", "/docker-", "/kubepods", "/libpod", "/lxc/", "/lxc.payload", "/cri-containerd", "/crio-"];
/// The parts of a mount entry that show that a container engine has mounted the root folder, or a file in `/etc`.
const MOUNTS: &[&str] = &["/docker/", "/containers/", "/containerd/", "/kubelet/", "/lxc/"];

impl ContainerSigns {
    pub(crate) fn read() -> Self {
        let text_of = |file| fs::read_to_string(file).unwrap_or_default();
        Self {
            files: FILES.iter().copied().filter(|file| Path::new(file).exists()).collect(),
            variables: VARIABLES
                .iter()
                .filter_map(|&name| Some((name, env::var(name).ok().filter(|value| !value.is_empty())?)))
                .collect(),
            cgroup: text_of("/proc/self/cgroup"),
            mounts: text_of("/proc/self/mountinfo"),
        }
    }

    /// Returns the evidence that this system is a container, or `None` if it is not one.
    pub(crate) fn detect(&self) -> Option<String> {
        if let Some(file) = self.files.first() {
            return Some((*file).to_owned());
        }
        if let Some(name) = VARIABLES.iter().find(|name| self.variables.contains_key(*name)) {
            return Some(format!("the environment variable {name}"));
        }
        let in_groups = |line: &&str| {
            // The format is `ID:CONTROLLERS:PATH`. On a host, this process is not in a control group of the engine,
            // even if the host runs containers.
            let place = line.splitn(3, ':').nth(2).unwrap_or_default();
            GROUPS.iter().any(|group| place.contains(group))
        };
        if self.cgroup.lines().any(|line| in_groups(&line)) {
            return Some("its control group".into());
        }
        self.mounts.lines().any(is_engine_mount).then(|| "its mounts".into())
    }
}

/// Returns whether a line of `/proc/self/mountinfo` shows that a container engine has mounted the root folder, or one
/// of the files in `/etc` that engines write.
fn is_engine_mount(mount: &str) -> bool {
    // The format is `ID PARENT DEVICE ROOT MOUNT-POINT OPTIONS [TAGS...] - TYPE SOURCE SUPER-OPTIONS`.
    let mut fields = mount.split(' ').skip(3);
    let (Some(root), Some(point)) = (fields.next(), fields.next()) else { return false };
    let Some((_, tree)) = mount.split_once(" - ") else { return false };
    let is_known = |text: &str| MOUNTS.iter().any(|name| text.contains(name));
    match point {
        "/" => is_known(root) || is_known(tree),
        "/etc/hostname" | "/etc/hosts" | "/etc/resolv.conf" => is_known(root),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> Result<(), String> {
        Err("no namespaces".into())
    }

    #[test]
    fn boxes_are_used_if_they_work() {
        for container in [None, Some("/.dockerenv")] {
            let decision = decide(IsolationChoice::Auto, || Ok(()), container).expect("boxes work");
            assert_eq!(decision, IsolationDecision { isolation: Isolation::Box, warning: None });
        }
    }

    #[test]
    fn a_container_without_boxes_disables_isolation_with_a_warning() {
        let IsolationDecision { isolation, warning } =
            decide(IsolationChoice::Auto, refused, Some("/.dockerenv")).expect("it is a container");
        assert_eq!(isolation, Isolation::None);
        let warning = warning.expect("there is a warning");
        for part in ["not isolated", "no namespaces", "/.dockerenv", "--isolation=box"] {
            assert!(warning.contains(part), "{warning}");
        }
    }

    #[test]
    fn without_boxes_a_host_is_refused_with_a_hint() {
        let refusal = decide(IsolationChoice::Auto, refused, None).expect_err("the host is not a container");
        assert!(refusal.contains("no namespaces") && refusal.contains("--isolation=none"), "{refusal}");
    }

    #[test]
    fn an_explicit_choice_is_used_without_trying_a_box() {
        let tried = || -> Result<(), String> { panic!("no box must be tried") };
        for (choice, isolation) in
            [(IsolationChoice::Box, Isolation::Box), (IsolationChoice::None, Isolation::None)]
        {
            for container in [None, Some("x")] {
                let decision = decide(choice, tried, container).expect("the choice is accepted");
                assert_eq!(decision.isolation, isolation);
                assert_eq!(decision.warning.is_some(), isolation == Isolation::None);
            }
        }
    }

    const PLAIN_MOUNT: &str = "25 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n\
        90 25 0:50 / /var/lib/docker/overlay2/a/merged rw - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l\n\
        91 25 0:51 / /home/me/containers rw - ext4 /dev/vdb rw\n";

    #[test]
    fn a_host_that_runs_containers_is_not_a_container() {
        for cgroup in [
            "0::/\n",
            "0::/user.slice/user-1000.slice/session-2.scope\n",
            "0::/system.slice/docker.service\n",
        ] {
            let signs = ContainerSigns {
                cgroup: cgroup.into(),
                mounts: PLAIN_MOUNT.into(),
                ..ContainerSigns::default()
            };
            assert_eq!(signs.detect(), None, "{cgroup}");
        }
    }

    #[test]
    fn any_sign_identifies_a_container() {
        for file in FILES {
            assert_eq!(
                ContainerSigns { files: vec![file], ..ContainerSigns::default() }.detect().as_deref(),
                Some(*file)
            );
        }
        for name in VARIABLES {
            let variables = HashMap::from([(*name, "true".to_owned())]);
            let sign = ContainerSigns { variables, ..ContainerSigns::default() }.detect();
            assert_eq!(sign, Some(format!("the environment variable {name}")));
        }
        for cgroup in [
            "12:memory:/docker/9f0c\n0::/\n",
            "0::/kubepods.slice/kubepods-burstable.slice/cri-containerd-9f0c.scope\n",
            "0::/machine.slice/libpod-9f0c.scope/container\n",
            "0::/lxc.payload.web\n",
        ] {
            let signs = ContainerSigns {
                cgroup: cgroup.into(),
                mounts: PLAIN_MOUNT.into(),
                ..ContainerSigns::default()
            };
            assert!(signs.detect().is_some(), "{cgroup}");
        }
        for mounts in [
            "600 500 0:55 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A,upperdir=/x\n",
            "600 500 0:55 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/containers/storage/overlay/l/A\n",
            "601 600 8:1 /var/lib/docker/containers/9f0c/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n",
            "601 600 8:1 /var/lib/kubelet/pods/9f0c/etc-hosts /etc/hosts rw - ext4 /dev/sda1 rw\n",
        ] {
            let signs = ContainerSigns {
                cgroup: "0::/\n".into(),
                mounts: mounts.into(),
                ..ContainerSigns::default()
            };
            assert!(signs.detect().is_some(), "{mounts}");
        }
        assert_eq!(ContainerSigns { mounts: "nonsense".into(), ..ContainerSigns::default() }.detect(), None);
    }
}
