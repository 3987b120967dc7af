//! Checks whether this machine can run computers.

#![expect(clippy::disallowed_methods, reason = "reads files of the system")]

use std::env;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::computer::{ContainerSigns, ETC_MOUNT, Isolation, IsolationChoice, SYSTEM_MOUNTS, Users, decide};

/// The list of packages. The scripts of this repository read the same file.
const PACKAGES: &str = include_str!("../packages.txt");

/// The program that creates boxes.
const BWRAP: &str = "bwrap";
/// The programs that only boxes need.
const BOX_PROGRAMS: &[&str] = &[BWRAP, "slirp4netns"];
/// The kernel device that slirp4netns needs.
const TUN_DEVICE: &str = "/dev/net/tun";

/// An entry of the package list.
#[derive(Debug, Eq, PartialEq)]
struct Package {
    name: &'static str,
    purpose: &'static str,
    optional: bool,
    program: Option<&'static str>,
}

impl Package {
    fn parse(line: &'static str) -> Option<Self> {
        let (entry, purpose) = line.split_once('#')?;
        let mut words = entry.split_whitespace();
        let name = words.next()?;
        let mut package = Self { name, purpose: purpose.trim(), optional: false, program: None };
        for word in words {
            match word.strip_prefix("needs=") {
                Some(program) => package.program = Some(program),
                None => package.optional |= word == "optional",
            }
        }
        Some(package)
    }

    fn is_present(&self) -> bool {
        // A package without a program contains only data, which no computer needs to run. Only dpkg can report whether
        // such a package is installed.
        self.program.map_or_else(|| is_installed(self.name), is_in_path)
    }
}

fn packages() -> impl Iterator<Item = Package> {
    PACKAGES.lines().filter_map(Package::parse)
}

/// Prints the results of all checks. Returns a failure if computers cannot run on this machine.
pub(crate) fn run() -> ExitCode {
    let (optional, missing): (Vec<_>, Vec<_>) =
        packages().filter(|package| !package.is_present()).partition(|package| package.optional);
    for package in &missing {
        println!("missing   {:<30}{}", package.name, package.purpose);
    }
    for package in &optional {
        println!("optional  {:<30}{}", package.name, package.purpose);
    }
    for (kind, packages) in [("missing", &missing), ("optional", &optional)] {
        if !packages.is_empty() {
            let names: Vec<_> = packages.iter().map(|package| package.name).collect();
            println!("\nInstall the {kind} packages with: {}", install_command(&names.join(" ")));
        }
    }
    let container = ContainerSigns::read().detect();
    let isolation = decide(IsolationChoice::Auto, || try_box(Users::detect()), container.as_deref());
    println!();
    match &isolation {
        Ok(decision) => {
            let name = decision.isolation.name();
            let reason = decision.warning.as_deref().unwrap_or("each computer has its own box.");
            println!("--isolation=auto chooses {name}: {reason}");
        }
        Err(reason) => println!("--isolation=auto fails: {reason}"),
    }
    let has_networks = isolation.as_ref().is_ok_and(|decision| decision.isolation.has_boxes());
    if has_networks && !Path::new(TUN_DEVICE).exists() {
        println!(
            "\nComputers will have no network, since {TUN_DEVICE} does not exist. To create it: {}",
            as_root("modprobe tun")
        );
    }
    if missing.is_empty() && isolation.is_ok() {
        println!("Computers can run on this machine.");
        return ExitCode::SUCCESS;
    }
    ExitCode::FAILURE
}

/// Returns the reason why computers cannot run on this machine, with a remedy, or `None` if they can. Does not repeat a
/// check that has passed.
pub(crate) fn problem(isolation: Isolation) -> Option<String> {
    static PASSED: AtomicBool = AtomicBool::new(false);
    if PASSED.load(Ordering::Relaxed) {
        return None;
    }
    let problem = find_problem(isolation);
    PASSED.store(problem.is_none(), Ordering::Relaxed);
    problem
}

fn find_problem(isolation: Isolation) -> Option<String> {
    let missing: Vec<_> = packages()
        .filter(|package| !package.optional && is_needed(package, isolation))
        .filter(|package| package.program.is_some_and(|program| !is_in_path(program)))
        .map(|package| package.name)
        .collect();
    if !missing.is_empty() {
        return Some(format!(
            "computers need programs that are not installed. Install them with: {}",
            install_command(&missing.join(" "))
        ));
    }
    let tried = if isolation == Isolation::Box { try_box(Users::detect()) } else { Ok(()) };
    tried.err().map(|reason| format!("cannot open a box for a computer: {reason}"))
}

/// Returns whether computers with this isolation need the package.
fn is_needed(package: &Package, isolation: Isolation) -> bool {
    isolation == Isolation::Box || !package.program.is_some_and(|program| BOX_PROGRAMS.contains(&program))
}

/// Creates a minimal box as the user of a computer. The error is the reason why that failed.
pub(crate) fn try_box(users: Users) -> Result<(), String> {
    if !is_in_path(BWRAP) {
        return Err("bubblewrap is not installed".into());
    }
    let mut command = Command::new(BWRAP);
    if let Some(user) = users.first() {
        command.uid(user).gid(user);
    }
    let tried = command
        .args(["--unshare-user", "--uid", "1000", "--gid", "1000"])
        .args(["--unshare-pid", "--unshare-ipc", "--unshare-uts"])
        .args(SYSTEM_MOUNTS)
        .args(ETC_MOUNT)
        .arg("/bin/true")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if tried.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&tried.stderr).trim().trim_end_matches('.').to_owned();
    let blocking_settings = blocking_settings(|file| fs::read_to_string(file).unwrap_or_default());
    Err(if blocking_settings.is_empty() {
        format!(
            "{message}. This user is not allowed to create namespaces. desktop/deploy/README.md describes the options \
             that a container or a service needs for that"
        )
    } else {
        let command = as_root(&format!("sysctl -w {}", blocking_settings.join(" ")));
        format!("{message}. To allow namespaces: {command}")
    })
}

/// Returns the kernel settings that prevent user namespaces, with the values that allow them. `read` returns the
/// content of a file.
fn blocking_settings(read: impl Fn(&str) -> String) -> Vec<String> {
    [
        ("kernel/unprivileged_userns_clone", "0", "1"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
        ("user/max_user_namespaces", "0", "15000"),
    ]
    .into_iter()
    .filter(|(name, refusing, _)| read(&format!("/proc/sys/{name}")).trim() == *refusing)
    .map(|(name, _, right)| format!("{}={right}", name.replace('/', ".")))
    .collect()
}

fn is_in_path(program: &str) -> bool {
    let paths = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}

fn is_installed(package: &str) -> bool {
    if !Path::new("/var/lib/dpkg/status").exists() {
        return true;
    }
    Command::new("dpkg-query")
        .args(["--show", "--showformat=${db:Status-Status}", package])
        .output()
        .is_ok_and(|found| found.stdout == b"installed")
}

/// Returns the command with which the current user installs packages.
pub(crate) fn install_command(packages: &str) -> String {
    let install = format!("apt-get install --no-install-recommends {packages}");
    format!("{} && {}", as_root("apt-get update"), as_root(&install))
}

fn as_root(command: &str) -> String {
    if rustix::process::geteuid().is_root() { command.to_owned() } else { format!("sudo {command}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_contains_name_program_and_purpose() {
        assert_eq!(
            Package::parse("chromium  optional needs=chromium-bin # its browser"),
            Some(Package {
                name: "chromium",
                purpose: "its browser",
                optional: true,
                program: Some("chromium-bin")
            })
        );
        assert_eq!(Package::parse(""), None);
        assert_eq!(Package::parse("# a remark"), None);
    }

    #[test]
    fn kernel_settings_that_prevent_namespaces_are_found() {
        let kernel = |file: &str| match file {
            "/proc/sys/kernel/unprivileged_userns_clone" => "0\n".to_owned(),
            "/proc/sys/user/max_user_namespaces" => "96365\n".to_owned(),
            _ => String::new(),
        };
        assert_eq!(blocking_settings(kernel), ["kernel.unprivileged_userns_clone=1"]);
        assert_eq!(blocking_settings(|_| "1\n".into()), ["kernel.apparmor_restrict_unprivileged_userns=0"]);
        assert!(blocking_settings(|_| String::new()).is_empty());
    }

    #[test]
    fn the_list_contains_the_required_programs() {
        for program in ["bwrap", "Xvnc", "pulseaudio"] {
            assert!(
                packages().any(|package| package.program == Some(program) && !package.optional),
                "{program}"
            );
        }
    }
}
