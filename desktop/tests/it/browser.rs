//! The web browser of a computer: it shows a page and nothing else, however it is opened and however it ended before.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::Signal;
use serde_json::json;

use crate::environment::said;
use crate::server::{Computer, Server, wait_until};

/// Serves pages of one color, and keeps which were asked for, and how much of the window is
/// not the page.
const PAGES: &str = r#"
import http.server
PAGE = b"""<!doctype html><title>Page</title><style>html { background: #30d0a0; height: 100% }</style>
<script>
// A window that is being opened has no size yet.
const timer = setInterval(() => {
  if (!outerHeight) return;
  clearInterval(timer);
  fetch(`/seen${location.pathname}?${outerHeight - innerHeight}`);
}, 20);
</script>"""
class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open("asked", "a") as asked:
            asked.write(self.path + "\n")
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
with open("address", "w") as address:
    address.write("127.0.0.1:%d" % server.server_port)
server.serve_forever()
"#;
const COLOR: [u8; 3] = [0x30, 0xd0, 0xa0];
/// Tabs and the address; a bar with a warning has 40 pixels more.
const CONTROLS: u32 = 110;

/// Returns the address of the pages. Computers without boxes share their ports.
fn serve_pages(computer: &Computer<'_>) -> String {
    computer.act("exec", &json!({ "code": format!("open('pages.py', 'w').write({PAGES:?})") })).expect(200);
    // The pointer is a part of the screen, so it is moved off the pages.
    computer.act("click", &json!({ "x": 1270, "y": 5 })).expect(200);
    said(computer, "rm -f asked address; touch asked; python3 pages.py > /dev/null 2>&1 &");
    wait_until("the pages", || computer.bash(": < /dev/tcp/$(sed 's,:,/,' address)")["exit_code"] == 0);
    said(computer, "cat address")
}

/// Waits until the page is asked for, and is all that the window shows below the address.
#[track_caller]
fn shows_only(computer: &Computer<'_>, page: &str) {
    let seen = format!("/seen/{page}?");
    let mut controls = None;
    wait_until(&format!("the page {page}"), || {
        controls =
            said(computer, "cat asked").lines().find_map(|line| line.strip_prefix(&seen)?.parse().ok());
        controls.is_some()
    });
    assert!(controls.is_some_and(|controls: u32| controls < CONTROLS), "{page}: {controls:?}");
    wait_until(&format!("the page {page} to be whole"), || {
        let (width, height, others) = colored(computer);
        width > 800 && height > 400 && others == 0
    });
}

/// The size of the rectangle that holds every pixel of the page's color, and how many in it have another.
fn colored(computer: &Computer<'_>) -> (usize, usize, usize) {
    let shot = computer.server.get(&format!("/computers/{}/screenshot", computer.id)).expect(200);
    let png = STANDARD.decode(shot["image"].as_str().expect("it is a text")).expect("it is plain base64");
    let mut image = png::Decoder::new(std::io::Cursor::new(&png)).read_info().expect("it is a PNG");
    let mut bytes = vec![0; image.output_buffer_size().expect("it is small")];
    let info = image.next_frame(&mut bytes).expect("it is whole");
    let (width, size) = (info.width as usize, info.color_type.samples());
    let has_color = |at: usize| bytes[at * size..][..3] == COLOR;
    let page: Vec<_> = (0..width * info.height as usize).filter(|&at| has_color(at)).collect();
    let Some((&first, &last)) = page.first().zip(page.last()) else { return (0, 0, 0) };
    let columns = || page.iter().map(|at| at % width);
    let (left, right) = (columns().min().unwrap_or(0), columns().max().unwrap_or(0));
    let (wide, high) = (right - left + 1, last / width - first / width + 1);
    (wide, high, wide * high - page.len())
}

fn close(computer: &Computer<'_>) {
    computer.act("key", &json!({ "key": "alt+F4" })).expect(200);
    wait_until("the browser to end", || computer.processes("chromium").is_empty());
}

fn kill(computer: &Computer<'_>) {
    let all: Vec<_> = computer.processes("chromium").iter().map(u32::to_string).collect();
    computer.bash(&format!("kill -9 {}", all.join(" ")));
    wait_until("the browser to end", || computer.processes("chromium").is_empty());
}

#[test]
fn the_browser_opens_in_every_way_that_a_desktop_has() {
    let server = Server::start();
    let computer = server.computer();
    let address = serve_pages(&computer);
    let ways = [
        ("command", "chromium ADDRESS > /dev/null 2>&1 &"),
        // As where there are no namespaces for the browser's own sandbox: without a warning.
        ("unconfined", "chromium --no-sandbox ADDRESS > /dev/null 2>&1 &"),
        ("xdg", "timeout 20 xdg-open ADDRESS"),
        ("python", "timeout 20 python -m webbrowser ADDRESS"),
        ("variable", "timeout 20 $BROWSER ADDRESS"),
        ("sensible", "timeout 20 sensible-browser ADDRESS"),
        ("alternative", "x-www-browser ADDRESS > /dev/null 2>&1 &"),
        ("gio", "timeout 20 gio open ADDRESS"),
        ("shell", "timeout 20 sh -lc 'web-browser ADDRESS'"),
    ];
    for (page, command) in ways {
        let program = command.trim_start_matches("timeout 20 ").split(' ').next().unwrap_or_default();
        if computer.bash(&format!("command -v {program}"))["exit_code"] != 0 {
            println!("not tried: {program} is not installed");
            continue;
        }
        said(&computer, &command.replace("ADDRESS", &format!("http://{address}/{page}")));
        shows_only(&computer, page);
        close(&computer);
    }
    said(
        &computer,
        &format!("echo '<meta http-equiv=refresh content=\"0;url=http://{address}/file\">' > page.html"),
    );
    said(&computer, "timeout 20 xdg-open page.html");
    shows_only(&computer, "file");
    // Another address is a tab of the same window.
    said(&computer, &format!("timeout 20 xdg-open http://{address}/tab"));
    shows_only(&computer, "tab");
    assert_eq!(said(&computer, "xdg-settings get default-web-browser"), "web-browser.desktop");
    // A new tab takes what is typed as an address.
    computer.act("key", &json!({ "key": "ctrl+t" })).expect(200);
    computer.act("type", &json!({ "text": format!("{address}/typed\n") })).expect(200);
    shows_only(&computer, "typed");
    close(&computer);

    // The entry of the panel and that of the menu.
    said(
        &computer,
        &format!(
            "gtk-launch chromium http://{address}/entry > /dev/null 2>&1 || chromium http://{address}/entry > /dev/null 2>&1 &"
        ),
    );
    shows_only(&computer, "entry");
    let options =
        said(&computer, &format!("tr '\\0' ' ' < /proc/{}/cmdline", computer.processes("chromium")[0]));
    assert!(!options.contains("--no-sandbox"), "{options}");
}

#[test]
fn the_browser_opens_again_without_a_question_after_it_was_killed() {
    let server = Server::start();
    let computer = server.computer();
    serve_pages(&computer);
    let open = |page: &str| {
        said(&computer, &format!("timeout 20 xdg-open http://$(cat address)/{page}"));
        shows_only(&computer, page);
    };
    open("first");
    kill(&computer);
    open("killed");
    kill(&computer);
    open("killed-again");

    // The browser runs as the computer goes down.
    computer.act("restart", &json!({})).expect(200);
    computer.wait_for_status("running");
    serve_pages(&computer);
    open("restarted");

    // Locks that are left from another host, from a process that does not exist, and from one that is no browser.
    for (number, lock) in
        ["another-host-7", "$(uname -n)-999999", "$(uname -n)-1", "$(uname -n)", "x"].iter().enumerate()
    {
        kill(&computer);
        said(&computer, &format!("ln -sfn {lock} ~/.config/chromium/SingletonLock"));
        open(&format!("lock-{number}"));
    }

    kill(&computer);
    said(&computer, "rm -rf ~/.config/chromium");
    open("removed");
}

#[test]
fn the_browser_opens_after_the_server_was_killed_and_each_computer_has_its_own() {
    let mut server = Server::start();
    let first = server.computer().id;
    let both = |server: &Server, page: &str| {
        let computers: Vec<_> = server.get("/workspaces/").expect(200)["workspaces"][0]["desktops"]
            .as_array()
            .expect("it is a list")
            .iter()
            .map(|shown| Computer { server, id: shown["id"].as_str().expect("it is a text").to_owned() })
            .collect();
        assert_eq!(computers.len(), 2);
        for computer in &computers {
            computer.wait_for_status("running");
            serve_pages(computer);
            said(computer, &format!("timeout 20 xdg-open http://$(cat address)/{page}"));
        }
        for computer in &computers {
            shows_only(computer, page);
        }
    };
    let workspace = server.get(&format!("/computers/{first}")).expect(200)["workspace_id"].clone();
    server.call("POST", "/computers", &json!({ "workspace_id": workspace, "name": "two" })).expect(201);
    both(&server, "first");
    server.signal(Signal::KILL);
    server.process.wait().expect("it is ours");
    let data = std::mem::replace(&mut server.data, tempfile::tempdir().expect("the tests may write to /tmp"));
    let server = Server::start_in(data, &[]);
    both(&server, "after");
}
