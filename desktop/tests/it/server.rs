//! Starts `orgo-desktop` servers and sends HTTP calls to them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::http::Request;

use crate::disk;

pub(crate) const KEY: &str = "sk_live_test";

const PROGRAM: &str = env!("CARGO_BIN_EXE_orgo-desktop");

/// The maximum time that a test waits for an event. It is long enough for a busy machine.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(120);

/// Returns the isolation of the servers in this run. `ORGO_DESKTOP_ISOLATION=none cargo test` runs all tests without
/// boxes.
fn isolation() -> String {
    std::env::var("ORGO_DESKTOP_ISOLATION").unwrap_or_else(|_| "box".to_owned())
}

/// Returns whether the tests may start servers as other users. In a user namespace, root may be the only user.
pub(crate) fn may_change_users() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let users =
        map.lines().filter_map(|line| line.split_whitespace().nth(2)?.parse::<u64>().ok()).sum::<u64>();
    rustix::process::geteuid().is_root() && users > 65_535
}

/// Returns whether this test run isolates computers in sandboxes.
pub(crate) fn is_sandboxed() -> bool {
    isolation() != "none"
}

/// Returns [`is_sandboxed`]. A test of the sandbox returns early if this is false; this function then prints that the
/// test is skipped.
pub(crate) fn can_test_sandbox() -> bool {
    let sandboxed = is_sandboxed();
    if !sandboxed {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        // Does not use `eprintln!`, because the test harness shows that output only if the test fails.
        let _ = writeln!(std::io::stderr(), "skipped: {test} needs boxes, and this run has none");
    }
    sandboxed
}

/// Returns whether the long tests run completely.
pub(crate) fn full() -> bool {
    std::env::var_os("ORGO_FULL").is_some()
}

pub(crate) struct Server {
    pub(crate) process: Child,
    /// The origin of the server: `http://127.0.0.1:PORT`.
    pub(crate) origin: String,
    pub(crate) data: TempDir,
}

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) body: Value,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("the tests may write to /tmp"), &[])
    }

    pub(crate) fn start_in(data: TempDir, options: &[&str]) -> Self {
        Self::run(Command::new(PROGRAM), data, options)
    }

    /// Starts a server whose data folder is on a disk of this size. Other processes can access that folder only by the
    /// path that [`Self::visible_data`] returns.
    pub(crate) fn start_on_small_disk(megabytes: u32) -> Self {
        let data = tempfile::tempdir().expect("the tests may write to /tmp");
        let mut command = Command::new(PROGRAM);
        disk::confine(&mut command, data.path(), megabytes);
        Self::run(command, data, &[])
    }

    /// Returns a path to the data folder in the mount namespace of the server.
    pub(crate) fn visible_data(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{}", self.process.id(), self.data.path().display()))
    }

    /// Starts a server through another program. The path of `orgo-desktop` and its arguments follow those of `starter`.
    pub(crate) fn start_by(starter: &[&str]) -> Self {
        Self::start_by_in(starter, tempfile::tempdir().expect("the tests may write to /tmp"))
    }

    pub(crate) fn start_by_in(starter: &[&str], data: TempDir) -> Self {
        let (program, arguments) = starter.split_first().expect("it has a name");
        let mut command = Command::new(program);
        command.args(arguments).arg(PROGRAM);
        Self::run(command, data, &[])
    }

    /// Starts a server as a user of the host other than root. The user owns the data folder.
    pub(crate) fn start_as_user(user: u32) -> Self {
        let data = tempfile::tempdir().expect("the tests may write to /tmp");
        std::os::unix::fs::chown(data.path(), Some(user), Some(user)).expect("the tests run as root");
        let mut command = Command::new("setpriv");
        command.args([&format!("--reuid={user}"), &format!("--regid={user}"), "--clear-groups"]).arg(PROGRAM);
        Self::run(command, data, &[])
    }

    fn run(mut command: Command, data: TempDir, options: &[&str]) -> Self {
        let mut process = command
            .args(["serve", "--json", "--data-dir"])
            .arg(data.path())
            .args(if options.contains(&"--listen") { &[][..] } else { &["--listen", "127.0.0.1:0"] })
            .args(options)
            .env("ORGO_DESKTOP_API_KEY", KEY)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program was built");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it prints a line when it is ready");
        let ready: Value = serde_json::from_str(&line).expect("the line is JSON");
        assert_eq!(ready["api_key"], KEY);
        let base = ready["base_url"].as_str().expect("it is a URL");
        let origin = base.strip_suffix("/api").expect("the path of the calls is /api").to_owned();
        Self { process, origin, data }
    }

    /// Sends a request with the API key. `path` is relative to `/api`.
    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> Response {
        self.call_with(method, path, &body.to_string(), &[("authorization", &format!("Bearer {KEY}"))])
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.call_with("GET", path, "", &[("authorization", &format!("Bearer {KEY}"))])
    }

    pub(crate) fn call_with(
        &self,
        method: &str,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Response {
        self.try_call_with(method, path, body, headers).expect("the server responds")
    }

    /// Like [`Self::call`], but returns `None` if the server ends before it responds.
    pub(crate) fn try_call(&self, method: &str, path: &str, body: &Value) -> Option<Response> {
        // If the server does not read a body, it may reset the connection before the client has read the response.
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.try_call_with(method, path, &body, &[("authorization", &format!("Bearer {KEY}"))])
    }

    fn try_call_with(
        &self,
        method: &str,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Option<Response> {
        let mut request = Request::builder().method(method).uri(format!("{}/api{path}", self.origin));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.to_owned()).expect("the request is valid");
        let agent =
            ureq::Agent::config_builder().http_status_as_error(false).allow_non_standard_methods(true);
        let mut response = agent.build().new_agent().run(request).ok()?;
        let text = response.body_mut().read_to_string().ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Some(Response { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null) })
    }

    /// Creates a computer in a new workspace, and waits until it is running.
    pub(crate) fn computer(&self) -> Computer<'_> {
        let workspace = self.call("POST", "/workspaces", &json!({ "name": "lab" })).expect(201);
        let new = json!({ "workspace_id": workspace["id"], "name": "one" });
        let made = self.call("POST", "/computers", &new).expect(201);
        let computer = Computer { server: self, id: made["id"].as_str().expect("it has an ID").to_owned() };
        computer.wait_for_status("running");
        computer
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(id, signal).expect("it is running");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.signal(rustix::process::Signal::TERM);
        }
        // A panic during the unwinding of a failed test would abort the whole run.
        let _ = self.process.wait();
    }
}

impl Response {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// Returns the message of an error response. Panics if the status is different or the response contains no request
    /// ID.
    #[track_caller]
    pub(crate) fn refusal(self, status: u16) -> String {
        let body = self.expect(status);
        assert!(body["request_id"].is_string(), "{body}");
        body["error"].as_str().expect("it is a string").to_owned()
    }
}

pub(crate) struct Computer<'a> {
    pub(crate) server: &'a Server,
    pub(crate) id: String,
}

impl Computer<'_> {
    pub(crate) fn show(&self) -> Value {
        self.server.get(&format!("/computers/{}", self.id)).expect(200)
    }

    pub(crate) fn act(&self, action: &str, body: &Value) -> Response {
        self.server.call("POST", &format!("/computers/{}/{action}", self.id), body)
    }

    pub(crate) fn bash(&self, command: &str) -> Value {
        self.act("bash", &json!({ "command": command })).expect(200)
    }

    /// Returns the path of the home in the computer.
    pub(crate) fn home(&self) -> String {
        self.bash("echo -n ~")["output"].as_str().expect("it is a string").to_owned()
    }

    /// Returns the IDs of the computer's processes with this name, oldest first. Without boxes, the process list also
    /// contains processes of other computers, so this function considers only descendants of the computer's agent.
    pub(crate) fn processes(&self, name: &str) -> Vec<u32> {
        // The parent of the shell is a supervisor. The parent of the supervisor is the agent.
        let found = self.bash(&format!(
            "agent=$(ps -o ppid= -p $PPID); ps -eo pid=,ppid=,comm= --sort=start_time,pid | awk -v agent=$((agent)) -v name={name} '
               {{ parent[$1] = $2; names[$1] = $3; order[NR] = $1 }}
               END {{
                 for (i = 1; i <= NR; i++) {{
                   for (pid = order[i]; pid in parent && pid != agent; pid = parent[pid]);
                   if (pid == agent && names[order[i]] == name) print order[i]
                 }}
               }}'"
        ));
        let found = found["output"].as_str().expect("it is a string");
        found.lines().map(|pid| pid.parse().expect("it is a number")).collect()
    }

    pub(crate) fn password(&self) -> String {
        let response = self.server.get(&format!("/computers/{}/vnc-password", self.id)).expect(200);
        response["password"].as_str().expect("it is a string").to_owned()
    }

    #[track_caller]
    pub(crate) fn wait_for_status(&self, status: &str) {
        wait_until(&format!("the computer to be {status}"), || self.show()["status"] == status);
    }
}

#[track_caller]
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !condition() {
        assert!(Instant::now() < deadline, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
