//! The web browser of a computer. It shows only the page, without warnings or prompts, regardless of how it was started
//! and how its last run ended.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::Signal;
use serde_json::json;

use crate::environment::output_of;
use crate::server::{Computer, Server, wait_until};

/// A server of pages that have a single color. It logs the requested paths, and for each page the height of the
/// browser's controls.
const PAGES: &str = r#"
import http.server
PAGE = b"""<!doctype html><title>Page</title><style>html { background: #30d0a0; height: 100% }</style>
<script>
// A window has no size before it is open.
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
/// The maximum height of the tab strip and the address bar, in pixels. A warning bar would add 40 pixels.
const CONTROLS: u32 = 110;

/// Starts the page server on a free port, since computers without boxes share their ports. Returns the address of the
/// server.
fn serve_pages(computer: &Computer<'_>) -> String {
    computer.act("exec", &json!({ "code": format!("open('pages.py', 'w').write({PAGES:?})") })).expect(200);
    // Moves the pointer off the page, because screenshots contain it.
    computer.act("click", &json!({ "x": 1270, "y": 5 })).expect(200);
    output_of(computer, "rm -f asked address; touch asked; python3 pages.py > /dev/null 2>&1 &");
    wait_until("the pages", || computer.bash(": < /dev/tcp/$(sed 's,:,/,' address)")["exit_code"] == 0);
    output_of(computer, "cat address")
}

/// Waits until the browser has requested the page and the page fills the window below the address bar.
#[track_caller]
fn wait_for_page(computer: &Computer<'_>, page: &str) {
    let seen = format!("/seen/{page}?");
    let mut controls = None;
    wait_until(&format!("the page {page}"), || {
        controls =
            output_of(computer, "cat asked").lines().find_map(|line| line.strip_prefix(&seen)?.parse().ok());
        controls.is_some()
    });
    assert!(controls.is_some_and(|controls: u32| controls < CONTROLS), "{page}: {controls:?}");
    wait_until(&format!("the page {page} to fill the window"), || {
        let (width, height, others) = page_area(computer);
        width > 800 && height > 400 && others == 0
    });
}

/// Returns the width and height of the bounding box of all pixels in the page's color, and the number of other pixels
/// in the box.
fn page_area(computer: &Computer<'_>) -> (usize, usize, usize) {
    let shot = computer.server.get(&format!("/computers/{}/screenshot", computer.id)).expect(200);
    let png = STANDARD.decode(shot["image"].as_str().expect("it is a string")).expect("it is base64");
    let mut image = png::Decoder::new(std::io::Cursor::new(&png)).read_info().expect("it is a PNG");
    let mut bytes = vec![0; image.output_buffer_size().expect("the image is small")];
    let info = image.next_frame(&mut bytes).expect("it is complete");
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
fn every_way_to_open_the_browser_shows_the_page() {
    let server = Server::start();
    let computer = server.computer();
    let address = serve_pages(&computer);
    let ways = [
        ("command", "chromium ADDRESS > /dev/null 2>&1 &"),
        // Starts the browser without its own sandbox, as on a host without namespaces. No warning may appear.
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
            println!("skipped: {program} is not installed");
            continue;
        }
        output_of(&computer, &command.replace("ADDRESS", &format!("http://{address}/{page}")));
        wait_for_page(&computer, page);
        close(&computer);
    }
    output_of(
        &computer,
        &format!("echo '<meta http-equiv=refresh content=\"0;url=http://{address}/file\">' > page.html"),
    );
    output_of(&computer, "timeout 20 xdg-open page.html");
    wait_for_page(&computer, "file");
    // A second address opens a tab in the same window.
    output_of(&computer, &format!("timeout 20 xdg-open http://{address}/tab"));
    wait_for_page(&computer, "tab");
    assert_eq!(output_of(&computer, "xdg-settings get default-web-browser"), "web-browser.desktop");
    // Types an address without a click, since the address bar of a new tab has the focus.
    computer.act("key", &json!({ "key": "ctrl+t" })).expect(200);
    computer.act("type", &json!({ "text": format!("{address}/typed\n") })).expect(200);
    wait_for_page(&computer, "typed");
    close(&computer);

    // Opens the browser by its desktop entry, as the panel and the menu do.
    output_of(
        &computer,
        &format!(
            "gtk-launch chromium http://{address}/entry > /dev/null 2>&1 || chromium http://{address}/entry > /dev/null 2>&1 &"
        ),
    );
    wait_for_page(&computer, "entry");
    let options =
        output_of(&computer, &format!("tr '\\0' ' ' < /proc/{}/cmdline", computer.processes("chromium")[0]));
    assert!(!options.contains("--no-sandbox"), "{options}");
}

#[test]
fn a_killed_browser_reopens_without_a_prompt() {
    let server = Server::start();
    let computer = server.computer();
    serve_pages(&computer);
    let open = |page: &str| {
        output_of(&computer, &format!("timeout 20 xdg-open http://$(cat address)/{page}"));
        wait_for_page(&computer, page);
    };
    open("first");
    kill(&computer);
    open("killed");
    kill(&computer);
    open("killed-again");

    // The browser is running when the computer stops.
    computer.act("restart", &json!({})).expect(200);
    computer.wait_for_status("running");
    serve_pages(&computer);
    open("restarted");

    // Stale locks of another host, of a process that does not exist, and of a process that is not a browser, then two
    // invalid locks.
    for (number, lock) in
        ["another-host-7", "$(uname -n)-999999", "$(uname -n)-1", "$(uname -n)", "x"].iter().enumerate()
    {
        kill(&computer);
        output_of(&computer, &format!("ln -sfn {lock} ~/.config/chromium/SingletonLock"));
        open(&format!("lock-{number}"));
    }

    kill(&computer);
    output_of(&computer, "rm -rf ~/.config/chromium");
    open("removed");
}

#[test]
fn after_the_server_is_killed_each_computer_opens_its_own_browser() {
    let mut server = Server::start();
    let first = server.computer().id;
    let check_both = |server: &Server, page: &str| {
        let computers: Vec<_> = server.get("/workspaces/").expect(200)["workspaces"][0]["desktops"]
            .as_array()
            .expect("it is a list")
            .iter()
            .map(|shown| Computer { server, id: shown["id"].as_str().expect("it is a string").to_owned() })
            .collect();
        assert_eq!(computers.len(), 2);
        for computer in &computers {
            computer.wait_for_status("running");
            serve_pages(computer);
            output_of(computer, &format!("timeout 20 xdg-open http://$(cat address)/{page}"));
        }
        for computer in &computers {
            wait_for_page(computer, page);
        }
    };
    let workspace = server.get(&format!("/computers/{first}")).expect(200)["workspace_id"].clone();
    server.call("POST", "/computers", &json!({ "workspace_id": workspace, "name": "two" })).expect(201);
    check_both(&server, "first");
    server.signal(Signal::KILL);
    server.process.wait().expect("it ends");
    let data = std::mem::replace(&mut server.data, tempfile::tempdir().expect("the tests may write to /tmp"));
    let server = Server::start_in(data, &[]);
    check_both(&server, "after");
}
