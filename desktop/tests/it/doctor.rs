//! The report of `orgo-desktop doctor` about a machine.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

fn doctor(path: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_orgo-desktop"))
        .arg("doctor")
        .env("PATH", path)
        .output()
        .expect("the program was built")
}

/// Returns a folder, to be used as `PATH`, with links to all programs of this machine except these.
fn without(programs: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("the tests may write to /tmp");
    for bin in ["/usr/local/bin", "/usr/bin", "/usr/sbin"] {
        for entry in Path::new(bin).read_dir().into_iter().flatten().flatten() {
            let link = folder.path().join(entry.file_name());
            if !programs.iter().any(|&program| entry.file_name() == program) && !link.exists() {
                symlink(entry.path(), link).expect("the folder is writable");
            }
        }
    }
    folder
}

#[test]
fn doctor_accepts_a_machine_with_all_programs() {
    let all = without(&[]);
    let output = doctor(&all.path().display().to_string());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.ends_with("Computers can run on this machine.\n"), "{text}");
    assert!(text.contains("--isolation=auto chooses "), "{text}");
}

#[test]
fn doctor_names_missing_programs_and_the_command_that_installs_them() {
    let some = without(&["Xvnc", "ffmpeg"]);
    let output = doctor(&some.path().display().to_string());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{text}");
    let lines_with = |word: &str| text.lines().filter(|line| line.starts_with(word)).collect::<Vec<_>>();
    assert!(lines_with("missing").iter().any(|line| line.contains(" tigervnc-standalone-server ")), "{text}");
    assert!(lines_with("optional").iter().any(|line| line.contains(" ffmpeg ")), "{text}");
    for (kind, package, other) in [
        ("missing", "tigervnc-standalone-server", "ffmpeg"),
        ("optional", "ffmpeg", "tigervnc-standalone-server"),
    ] {
        let command = lines_with(&format!("Install the {kind} packages with: ")).concat();
        let (_, packages) =
            command.split_once("apt-get install --no-install-recommends ").expect("it is one command");
        let has = |name: &str| packages.split(' ').any(|package| package == name);
        assert!(has(package) && !has(other), "{command}");
    }
}

#[test]
fn doctor_accepts_a_machine_without_optional_programs() {
    let some = without(&["ffmpeg", "chromium", "xdg-open", "pip3", "aplay"]);
    let output = doctor(&some.path().display().to_string());
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    for package in ["ffmpeg", "chromium", "xdg-utils", "python3-pip", "alsa-utils"] {
        let line = text.lines().find(|line| line.starts_with(&format!("optional  {package} ")));
        assert!(line.is_some_and(|line| line.len() > 45), "{package}: {text}");
    }
    assert!(!text.contains("missing"), "{text}");
    assert!(text.contains("Install the optional packages with: "), "{text}");
    assert!(text.ends_with("Computers can run on this machine.\n"), "{text}");
}
