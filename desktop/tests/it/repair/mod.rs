//! Tests that a computer with a broken home can be repaired: after any change to the home, the computer starts, and
//! `bash`, `exec` and terminals work.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::geteuid;
use serde_json::{Value, json};

use crate::inside::another;
use crate::random::Random;
use crate::server::{Computer, Server, TIMEOUT, full, is_sandboxed, wait_until};
use crate::socket::Socket;

/// The program that breaks the home.
const MUTATIONS: &str = include_str!("mutations.py");

/// Every file and folder in the home that a start or a command reads or writes according to `strace`, and some further
/// files that the same programs read if they exist.
const TARGETS: &[&str] = &[
    "",
    ".XCompose",
    ".Xauthority",
    ".Xdefaults",
    ".Xdefaults-host",
    ".arriving-0",
    ".asoundrc",
    ".bash_history",
    ".bash_login",
    ".bash_logout",
    ".bash_profile",
    ".bashrc",
    ".cache",
    ".cache/fontconfig",
    ".cache/mesa_shader_cache",
    ".cache/openbox",
    ".cache/openbox/openbox.log",
    ".cache/openbox/sessions",
    ".cache/tint2",
    ".cache/tint2/icon.cache",
    ".config",
    ".config/autostart",
    ".config/autostart/x.desktop",
    ".config/dconf",
    ".config/dconf/user",
    ".config/fontconfig",
    ".config/fontconfig/conf.d",
    ".config/fontconfig/fonts.conf",
    ".config/gtk-3.0",
    ".config/gtk-3.0/Compose",
    ".config/gtk-3.0/bookmarks",
    ".config/gtk-3.0/gtk.css",
    ".config/gtk-3.0/settings.ini",
    ".config/libfm",
    ".config/libfm/dir-settings.conf",
    ".config/libfm/libfm.conf",
    ".config/menus",
    ".config/mimeapps.list",
    ".config/openbox",
    ".config/openbox/autostart",
    ".config/openbox/environment",
    ".config/openbox/menu.xml",
    ".config/openbox/rc.xml",
    ".config/pcmanfm",
    ".config/pcmanfm/default",
    ".config/pcmanfm/default/desktop-items-0.conf",
    ".config/pcmanfm/default/pcmanfm.conf",
    ".config/pcmanfm/pcmanfm.conf",
    ".config/pulse",
    ".config/pulse/client.conf",
    ".config/pulse/cookie",
    ".config/pulse/daemon.conf",
    ".config/pulse/default.pa",
    ".config/tint2",
    ".config/tint2/tint2rc",
    ".config/user-dirs.dirs",
    ".config/user-dirs.locale",
    ".config/xfce4",
    ".config/xfce4/terminal/terminalrc",
    ".dbus",
    ".drirc",
    ".fontconfig",
    ".fonts",
    ".fonts.conf",
    ".fonts.conf.d",
    ".gtk-2.0",
    ".gtk-bookmarks",
    ".gtkrc-2.0",
    ".gtkrc-2.0.C",
    ".icons",
    ".icons/Adwaita",
    ".icons/default",
    ".inputrc",
    ".local",
    ".local/bin",
    ".local/lib",
    ".local/lib/python3.11/site-packages",
    ".local/lib/python3.11/site-packages/os.py",
    ".local/lib/python3.11/site-packages/sitecustomize.py",
    ".local/lib/python3.11/site-packages/usercustomize.py",
    ".local/lib/python3.11/site-packages/x.pth",
    ".local/share",
    ".local/share/Trash",
    ".local/share/applications",
    ".local/share/applications/mimeapps.list",
    ".local/share/backgrounds",
    ".local/share/backgrounds/dusk.svg",
    ".local/share/dbus-1",
    ".local/share/dbus-1/services/x.service",
    ".local/share/fonts",
    ".local/share/glib-2.0/schemas/gschemas.compiled",
    ".local/share/icons",
    ".local/share/mime",
    ".local/share/mime/mime.cache",
    ".local/share/recently-used.xbel",
    ".local/share/templates",
    ".local/share/themes",
    ".local/share/thumbnailers",
    ".local/state",
    ".profile",
    ".pulse",
    ".pulse-cookie",
    ".python-version",
    ".terminfo",
    ".themes",
    ".themes/Orgo",
    ".themes/Orgo/openbox-3/themerc",
    "Desktop",
    "Desktop/x.desktop",
    "Documents",
    "Downloads",
    "Templates",
    "encodings.py",
    "json.py",
    "pyvenv.cfg",
    "sys.py",
];

/// The files that the shell of a terminal reads. A broken one may end the shell, but a `bash` call can repair it.
const SHELL_FILES: &[&str] = &[
    ".bash_history",
    ".bash_login",
    ".bash_logout",
    ".bash_profile",
    ".bashrc",
    ".inputrc",
    ".profile",
    ".terminfo",
];

/// The time limit for a shell in a terminal to respond.
const SHELL_TIMEOUT: Duration = Duration::from_secs(30);

/// The number of computers that run cases at the same time.
const COMPUTERS: usize = 3;

#[derive(Debug)]
struct Case {
    /// The paths in the home to break, each with the name of its mutation.
    mutations: Vec<(String, String)>,
    seed: u64,
}

/// A computer whose home can be restored.
struct Subject<'a> {
    computer: Computer<'a>,
    /// The original home, as a tar archive in base64.
    skeleton: String,
}

impl<'a> Subject<'a> {
    fn new(computer: Computer<'a>) -> Self {
        // A warning of `tar`, for example about a file that changed, must not become part of the archive.
        let skeleton = computer.bash("tar -C ~ -c . 2>/dev/null | base64 -w 0")["output"]
            .as_str()
            .expect("it is a string")
            .to_owned();
        Self { computer, skeleton }
    }

    fn mutate(&self, mutations: &Value, seed: u64) -> Result<String, String> {
        let quote = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
        // Without a box, other processes of the computer's user may exist, such as those of other tests.
        let protect = if is_sandboxed() { "none" } else { "others" };
        let arguments = [MUTATIONS, &self.skeleton, &mutations.to_string(), &seed.to_string(), protect]
            .map(quote)
            .join(" ");
        self.bash(&format!("python3 -ISc {arguments}"))
    }

    fn bash(&self, command: &str) -> Result<String, String> {
        let response = self.computer.act("bash", &json!({ "command": command, "timeout": 60 }));
        match (response.status, &response.body["exit_code"]) {
            (200, code) if code == 0 => Ok(response.body["output"].as_str().unwrap_or_default().to_owned()),
            _ => Err(format!("bash: {} {}", response.status, response.body)),
        }
    }

    /// Breaks the home, restarts the computer and checks all calls that a user needs for a repair.
    fn run_case(&self, case: &Case) -> Result<(), String> {
        self.mutate(&json!(case.mutations), case.seed)?;
        self.restart()?;
        let first = self.check(case);
        // Settings in the home can run programs that end the X server. The next start then ignores these settings.
        if first.is_err() && self.has_ended() {
            self.restart()?;
            return self.check(case);
        }
        first
    }

    /// Waits until the computer has the status `error`, at most `SHELL_TIMEOUT`. Returns whether this happened.
    fn has_ended(&self) -> bool {
        let deadline = Instant::now() + SHELL_TIMEOUT;
        while Instant::now() < deadline {
            if self.computer.show()["status"] == "error" {
                return true;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        false
    }

    fn state(&self) -> String {
        let details = &self.computer.show()["instance_details"];
        format!("missing parts: {}, settings: {}", details["missing_parts"], details["settings"])
    }

    fn restart(&self) -> Result<(), String> {
        let response = self.computer.act("restart", &Value::Null);
        if response.status != 200 {
            return Err(format!("restart: {} {}", response.status, response.body));
        }
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let show = self.computer.show();
            match show["status"].as_str() {
                Some("running") => return Ok(()),
                Some("restarting" | "starting") if Instant::now() < deadline => {}
                _ => return Err(format!("it is not running: {}", show["instance_details"])),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn check(&self, case: &Case) -> Result<(), String> {
        let echoed = self.bash("echo ok")?;
        if echoed != "ok\n" {
            return Err(format!("bash printed {echoed:?}"));
        }
        let response = self.computer.act("exec", &json!({ "code": "print(6 * 7)", "timeout": 8 }));
        // Python may print warnings about unreadable files before the output of the code.
        let printed = response.body["output"].as_str().is_some_and(|output| output.ends_with("42\n"));
        if response.status != 200 || response.body["success"] != true || !printed {
            return Err(format!("exec: {} {}", response.status, response.body));
        }
        if case.mutations.iter().any(|(path, _)| SHELL_FILES.contains(&path.as_str())) {
            // The terminal must open, even if the shell then ends.
            drop(Socket::open(&self.computer, "terminal", ""));
            self.bash(&format!("cd ~; chmod -R u+rwX {0}; rm -rf {0}", SHELL_FILES.join(" "))).or_else(
                |error| {
                    if error.contains("\"exit_code\":1") { Ok(String::new()) } else { Err(error) }
                },
            )?;
        }
        self.echo()?;
        let path = format!("/computers/{}/screenshot", self.computer.id);
        let response = self.computer.server.get(&path);
        if response.status != 200 {
            return Err(format!("screenshot: {} {}", response.status, response.body));
        }
        let show = self.computer.show();
        if show["status"] != "running" || !show["instance_details"]["missing_parts"].is_array() {
            return Err(format!("status after all calls: {} {}", show["status"], show["instance_details"]));
        }
        Ok(())
    }

    fn echo(&self) -> Result<(), String> {
        let mut terminal = Socket::open(&self.computer, "terminal", "");
        terminal.send(&json!({ "type": "input", "data": "echo te''st-$((6*7))\r" }));
        let mut seen = String::new();
        let deadline = Instant::now() + SHELL_TIMEOUT;
        while !seen.contains("test-42") {
            let Some(frame) = terminal.frame_before(deadline) else {
                return Err(format!("the terminal printed {seen:?}"));
            };
            seen.push_str(frame["data"].as_str().unwrap_or_default());
        }
        Ok(())
    }
}

fn subjects(server: &Server) -> Vec<Subject<'_>> {
    let first = server.computer();
    let others = (1..COMPUTERS).map(|number| another(server, &first, &format!("subject {number}")));
    let others: Vec<_> = others.map(Subject::new).collect();
    std::iter::once(Subject::new(first)).chain(others).collect()
}

/// Runs the cases on all computers in parallel, and returns the failures.
fn run(subjects: &[Subject<'_>], cases: &[Case]) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for subject in subjects {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let began = Instant::now();
                    let result = subject.run_case(case);
                    println!("{case:?}: {result:?}, {} in {:?}", subject.state(), began.elapsed());
                    if let Err(error) = result {
                        // The next case needs a running computer.
                        let path = format!("/computers/{}/restart?settings=system", subject.computer.id);
                        subject.computer.server.call("POST", &path, &Value::Null);
                        failures
                            .lock()
                            .expect("no thread panics while it holds the lock")
                            .push(format!("{case:?}: {error}"));
                    }
                }
            });
        }
    });
    failures.into_inner().expect("no thread panics while it holds the lock")
}

#[track_caller]
fn assert_none(failures: &[String], count: usize) {
    let mut text = String::new();
    for failure in failures {
        writeln!(text, "{failure}").expect("writing to a string cannot fail");
    }
    assert!(failures.is_empty(), "{} of {count} cases failed:\n{text}", failures.len());
}

fn seed() -> u64 {
    std::env::var("ORGO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

/// Returns the names of all mutations, and the number of hostile contents for each file.
fn all_mutations(subject: &Subject<'_>) -> (Vec<String>, Value) {
    let listed = subject.mutate(&json!("list"), 1).expect("the script runs");
    let listed: Value = serde_json::from_str(&listed).expect("it is JSON");
    let names = listed[0].as_array().expect("it is a list").iter();
    (names.map(|name| name.as_str().expect("it is a string").to_owned()).collect(), listed[1].clone())
}

/// The number of cases that each test runs without `ORGO_FULL`.
const SAMPLE: usize = 12;

/// Applies each mutation to each path, and writes each hostile content. Without `ORGO_FULL`, runs only a sample of
/// these cases, which `ORGO_SEED` selects.
#[test]
fn no_single_mutation_of_a_home_prevents_a_start_or_a_call() {
    let server = Server::start();
    let subjects = subjects(&server);
    let (mutations, hostile) = all_mutations(&subjects[0]);
    let seed = seed();
    let case = |path: &str, mutation: String| Case { mutations: vec![(path.to_owned(), mutation)], seed };
    let mut cases = Vec::new();
    for path in TARGETS {
        let plain = mutations.iter().filter(|mutation| *mutation != "hostile");
        cases.extend(plain.map(|mutation| case(path, mutation.clone())));
    }
    for (path, count) in hostile.as_object().expect("it is an object") {
        let count = count.as_u64().expect("it is a number");
        cases.extend((0..count).map(|number| case(path, format!("hostile:{number}"))));
    }
    if !full() {
        let mut random = Random::new(seed);
        let sample = (0..SAMPLE).map(|_| cases.swap_remove(random.below(cases.len())));
        // Each of these cases found a different bug.
        let known = [
            ("", "0"),
            (".config", "file"),
            (".config/openbox/rc.xml", "hostile:1"),
            (".config/tint2/tint2rc", "hostile:0"),
            (".config/tint2/tint2rc", "hostile:1"),
            (".local/lib/python3.11/site-packages/usercustomize.py", "hostile:0"),
            (".local/lib/python3.11/site-packages/x.pth", "hostile:1"),
            (".bashrc", "fifo"),
        ];
        cases = sample.chain(known.map(|(path, mutation)| case(path, mutation.to_owned()))).collect();
    }
    assert_none(&run(&subjects, &cases), cases.len());
}

/// Runs combinations of two to six mutations. Each case has its own seed. `ORGO_SEED` is the seed of the first case.
#[test]
fn no_combination_of_mutations_prevents_a_start_or_a_call() {
    let server = Server::start();
    let subjects = subjects(&server);
    let (mutations, _) = all_mutations(&subjects[0]);
    let count = if full() { 200 } else { SAMPLE };
    let combine = |seed: u64| {
        let mut random = Random::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mutations = (0..2 + random.below(5)).map(|_| {
            let path = TARGETS[random.below(TARGETS.len())];
            (path.to_owned(), mutations[random.below(mutations.len())].clone())
        });
        Case { mutations: mutations.collect(), seed }
    };
    let cases: Vec<_> = (seed()..).take(count).map(combine).collect();
    assert_none(&run(&subjects, &cases), cases.len());
}

/// The data folder and the homes are on the same disk. When the disk is full, the server can store no data, but a user
/// can still free space.
#[test]
fn a_home_that_fills_the_disk_prevents_neither_starts_nor_calls() {
    let server = Server::start_on_small_disk(24);
    let subject = Subject::new(server.computer());
    let path = ".config/tint2/tint2rc".to_owned();
    let case = Case { mutations: vec![(path, "full".to_owned())], seed: 1 };
    subject.run_case(&case).expect("the home can be repaired");
    assert_eq!(subject.computer.bash("df --output=avail ~ | tail -n 1")["output"], "    0\n");
    for (action, status) in [("stop", "stopped"), ("start", "running"), ("restart", "running")] {
        subject.computer.act(action, &Value::Null).expect(200);
        subject.computer.wait_for_status(status);
    }
    subject.check(&case).expect("the home can be repaired");
    subject.bash("rm ~/.filling; echo text > ~/new").expect("there is space again");
}

/// The first server is killed, so its database has a log that the next one must read.
#[test]
fn a_full_disk_does_not_prevent_a_server_start() {
    let script = "mount -t tmpfs -o size=8m none \"$5\" || exit
        \"$@\" > \"$5/ready\" &
        until [ -s \"$5/ready\" ]; do sleep 0.05; done
        kill -9 $!
        wait
        dd if=/dev/zero of=\"$5/filling\" bs=4k 2>/dev/null
        exec \"$@\"";
    let own: &[&str] = if geteuid().is_root() {
        &["unshare", "--mount"]
    } else {
        &["unshare", "--mount", "--map-root-user"]
    };
    let server = Server::start_by(&[own, &["sh", "-c", script, "sh"]].concat());
    assert_eq!(server.get("/workspaces").expect(200)["workspaces"], json!([]));
    assert_eq!(
        server.call("POST", "/workspaces", &json!({ "name": "lab" })).expect(507)["code"],
        "disk_full"
    );
}

#[test]
fn inaccessible_folders_outside_the_home_do_not_prevent_calls() {
    let server = Server::start();
    let subject = Subject::new(server.computer());
    let in_box = [
        "chmod 0 /tmp /var /dev/shm",
        "chmod 0 /run",
        "chmod 0 /run/user /run/computer /run/log",
        "rm -rf /run/user /run/computer /tmp/* /tmp/.X11-unix 2>/dev/null; for i in $(seq 0 99); do mkdir /run/exec-$i; done",
        "ln -sf /dev/null ~/.bashrc; chmod 0 ~ /tmp /run",
    ];
    // Without a box, the user owns only these folders outside of the home.
    let unboxed = [
        "cd $XDG_RUNTIME_DIR/..; chmod 0 user run",
        "cd $XDG_RUNTIME_DIR/..; chmod 0 user run log exec",
        "rm -rf $XDG_RUNTIME_DIR/* $XDG_RUNTIME_DIR/../{run,log,exec}/* /tmp/.X11-unix/X${DISPLAY#:} /tmp/.X${DISPLAY#:}-lock",
        "cd $XDG_RUNTIME_DIR/../exec; for i in $(seq 0 99); do mkdir exec-$i; done",
        "cd $XDG_RUNTIME_DIR/..; ln -sf /dev/null ~/.bashrc; chmod 0 ~ user run log exec",
    ];
    let unchanged = Case { mutations: Vec::new(), seed: 1 };
    for mutation in if is_sandboxed() { in_box } else { unboxed } {
        subject.bash(mutation).expect("the user has the rights");
        subject.check(&unchanged).unwrap_or_else(|error| panic!("{mutation}: {error}"));
        subject.restart().expect("it starts");
        subject.check(&unchanged).unwrap_or_else(|error| panic!("{mutation}: {error}"));
    }
}

/// The settings in the home can start a program that kills every shell. Then no command can repair the settings.
#[test]
fn a_restart_can_ignore_the_settings_in_the_home() {
    let server = Server::start();
    let computer = server.computer();
    assert_eq!(computer.show()["instance_details"]["settings"], "home");
    let killer = if is_sandboxed() {
        "while :; do pkill -9 -x bash; sleep 0.01; done"
    } else {
        "while :; do for p in $(pgrep -x bash); do grep -qsz ^DISPLAY=$DISPLAY$ /proc/$p/environ && kill -9 $p; done; done"
    };
    computer.bash(&format!(
        "echo '{killer}' > killer; printf 'panel_items = E\nexecp = new\nexecp_command = sh ~/killer\n' > .config/tint2/tint2rc"
    ));
    computer.act("restart", &Value::Null).expect(200);
    wait_until("the shells to be killed", || computer.bash("sleep 0.5")["exit_code"] == 137);
    computer.act("restart?settings=none", &Value::Null).refusal(400);
    computer.act("restart?settings=system", &Value::Null).expect(200);
    assert_eq!(computer.bash("rm ~/.config/tint2/tint2rc; echo done")["output"], "done\n");
    assert_eq!(computer.show()["instance_details"]["settings"], "system");
    computer.act("restart", &Value::Null).expect(200);
    assert_eq!(computer.bash("sleep 0.5; echo ok")["output"], "ok\n");
    assert_eq!(computer.show()["instance_details"]["settings"], "home");
}
