//! Uploads, lists, exports, signed links and deletion of files.

use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::Signal;
use serde_json::{Value, json};
use ureq::http::Request;

use crate::server::{KEY, Response, Server, can_test_sandbox, wait_until};

const BOUNDARY: &str = "----orgo-test";

/// Returns the body of a form as a browser sends it, with the fields after the file.
pub(crate) fn form(filename: &str, content: &[u8], fields: &[(&str, &str)]) -> Vec<u8> {
    let mut body = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\n\
         Content-Type: text/plain\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(content);
    for (name, value) in fields {
        let field =
            format!("\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}");
        body.extend_from_slice(field.as_bytes());
    }
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    body
}

pub(crate) fn send(server: &Server, path: &str, body: &[u8]) -> Response {
    try_send(server, path, body).expect("the server responds")
}

/// Sends an upload. Returns `None` if the server does not respond, for example because it was killed.
pub(crate) fn try_send(server: &Server, path: &str, body: &[u8]) -> Option<Response> {
    let request = Request::post(format!("{}/api{path}", server.origin))
        .header("authorization", format!("Bearer {KEY}"))
        .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"))
        .body(body.to_vec())
        .expect("the request is valid");
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let mut response = agent.run(request).ok()?;
    let text = response.body_mut().read_to_string().ok()?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Some(Response { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null) })
}

fn upload(server: &Server, filename: &str, content: &[u8], fields: &[(&str, &str)]) -> Value {
    send(server, "/files/upload", &form(filename, content, fields)).expect(200)["file"].clone()
}

/// Requests a URL without the API key.
fn fetch(url: &str, headers: &[(&str, &str)]) -> (u16, ureq::http::HeaderMap, Vec<u8>) {
    let mut request = Request::get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let mut response =
        agent.run(request.body(()).expect("the request is valid")).expect("the server responds");
    let body = response.body_mut().with_config().limit(64 << 20).read_to_vec().expect("it is complete");
    (response.status().as_u16(), response.headers().clone(), body)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a string"))
}

fn workspace(server: &Server, name: &str) -> String {
    text(&server.call("POST", "/workspaces", &json!({ "name": name })).expect(201)["id"]).to_owned()
}

fn link_to(server: &Server, id: &Value) -> String {
    text(&server.get(&format!("/files/download?id={}", text(id))).expect(200)["url"]).to_owned()
}

/// Returns the number of stored files.
fn stored_count(data: &Path) -> usize {
    std::fs::read_dir(data.join("files")).expect("it exists").count()
}

#[test]
fn an_upload_is_stored_listed_downloaded_and_deleted() {
    let server = Server::start();
    let workspace = workspace(&server, "lab");
    let content: Vec<u8> = (0..10 * 1024 * 1024).map(|n: u32| (n % 251) as u8).collect();
    let file = upload(&server, "räport 1.txt", &content, &[("projectId", &workspace)]);
    assert_eq!((&file["filename"], &file["size_bytes"]), (&json!("räport 1.txt"), &json!(content.len())));
    assert_eq!((&file["content_type"], &file["source"]), (&json!("text/plain"), &json!("upload")));
    let listed = server.get(&format!("/files?projectId={workspace}")).expect(200);
    assert_eq!(listed["files"], json!([file]));

    let link = link_to(&server, &file["id"]);
    let (status, headers, body) = fetch(&link, &[]);
    assert_eq!(status, 200);
    assert_eq!(headers["content-type"], "text/plain");
    assert!(headers["content-disposition"].to_str().is_ok_and(|text| text.contains("r%C3%A4port%201%2Etxt")));
    assert!(body == content);
    let (status, headers, body) = fetch(&link, &[("range", "bytes=5-9")]);
    assert_eq!((status, body.as_slice()), (206, &content[5..10]));
    assert_eq!(headers["content-range"], format!("bytes 5-9/{}", content.len()));
    let (status, _, body) = fetch(&link, &[("range", "bytes=-3")]);
    assert_eq!((status, body.as_slice()), (206, &content[content.len() - 3..]));
    let (status, headers, body) = fetch(&link, &[("range", "bytes=99999999-")]);
    assert_eq!(status, 416);
    assert_eq!(headers["content-range"], "bytes */10485760");
    assert!(serde_json::from_slice::<Value>(&body).expect("it is JSON")["request_id"].is_string());

    server.call("DELETE", &format!("/files/delete?id={}", text(&file["id"])), &Value::Null).expect(200);
    assert_eq!(fetch(&link, &[]).0, 404);
    assert_eq!(server.get(&format!("/files?projectId={workspace}")).expect(200)["files"], json!([]));
    assert_eq!(stored_count(server.data.path()), 0);
    server.get(&format!("/files/download?id={}", text(&file["id"]))).refusal(404);
    server.call("DELETE", &format!("/files/delete?id={}", text(&file["id"])), &Value::Null).refusal(404);
}

#[test]
fn a_changed_link_is_refused() {
    let server = Server::start();
    let workspace = workspace(&server, "lab");
    let one = upload(&server, "one", b"1", &[("projectId", &workspace)]);
    let two = upload(&server, "two", b"2", &[("projectId", &workspace)]);
    let link = link_to(&server, &one["id"]);
    assert_eq!(fetch(&link, &[]).2, b"1");
    let (path, query) = link.split_once('?').expect("it is signed");
    let (expires, signature) = query.split_once('&').expect("it expires");
    let others = [
        path.to_owned(),
        format!("{path}?{expires}"),
        format!("{path}?expires=99999999999&{signature}"),
        format!("{path}?{expires}&signature=00"),
        link.replace(text(&one["id"]), text(&two["id"])),
        link.replace(text(&one["id"]), "..%2Forgo.db"),
    ];
    for other in others {
        let status = fetch(&other, &[]).0;
        assert!(status == 403 || status == 400, "{other}: {status}");
    }
}

#[test]
fn an_invalid_upload_is_refused_with_the_reason() {
    let server = Server::start();
    let workspace = workspace(&server, "lab");
    let other =
        text(&server.call("POST", "/workspaces", &json!({ "name": "other" })).expect(201)["id"]).to_owned();
    let computer =
        server.call("POST", "/computers", &json!({ "workspace_id": other, "name": "one" })).expect(201);
    let send = |body: &[u8]| send(&server, "/files/upload", body);
    let project: &[(&str, &str)] = &[("projectId", &workspace)];

    let too_large = send(&form("a", &vec![0; 10 * 1024 * 1024 + 1], project)).expect(413);
    assert_eq!(too_large["code"], "file_too_large");
    assert_eq!(send(&form("a", &vec![0; 30 * 1024 * 1024], project)).expect(413)["code"], "file_too_large");
    assert!(send(&form("a", b"", &[])).refusal(400).starts_with("projectId"));
    assert!(send(&form("..", b"", project)).refusal(400).starts_with("file: "));
    assert_eq!(send(&form("a", b"", &[("projectId", "none")])).refusal(404), "Workspace not found");
    let with_computer = |id: &str| send(&form("a", b"", &[("projectId", &workspace), ("desktopId", id)]));
    assert_eq!(with_computer("none").refusal(404), "Computer not found");
    assert!(with_computer(text(&computer["id"])).refusal(400).starts_with("desktopId"));
    let form_without_file = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"projectId\"\r\n\r\n{workspace}\r\n--{BOUNDARY}--\r\n"
    );
    assert!(send(form_without_file.as_bytes()).refusal(400).starts_with("file is required"));
    let whole = form("a", b"abc", project);
    send(&whole[..whole.len() - 20]).refusal(400);
    send(b"nonsense").refusal(400);
    server.call("POST", "/files/upload", &json!({})).refusal(400);
    server.get("/files").refusal(400);
    server.get("/files?projectId=none").refusal(404);
    assert_eq!(stored_count(server.data.path()), 0);
    assert_eq!(std::fs::read_dir(server.data.path().join("arriving")).expect("it exists").count(), 0);
}

fn is_empty(data: &Path, folder: &str) -> bool {
    std::fs::read_dir(data.join(folder)).expect("it exists").next().is_none()
}

#[test]
fn an_interrupted_upload_leaves_no_files() {
    let server = Server::start();
    let workspace = workspace(&server, "lab");
    let whole = form("half.bin", &vec![1; 4 << 20], &[("projectId", &workspace)]);
    let address = server.origin.strip_prefix("http://").expect("it is an HTTP URL");
    let mut stream = TcpStream::connect(address).expect("the server listens");
    let head = format!(
        "POST /api/files/upload HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {}\r\n\r\n",
        whole.len()
    );
    stream.write_all(head.as_bytes()).expect("the server reads");
    stream.write_all(&whole[..2 << 20]).expect("the server reads");
    let data = server.data.path();
    wait_until("the upload to begin", || !is_empty(data, "arriving"));
    drop(stream);
    wait_until("the partial file to be removed", || is_empty(data, "arriving"));
    assert!(is_empty(data, "files"));
    assert_eq!(server.get(&format!("/files?projectId={workspace}")).expect(200)["files"], json!([]));
}

#[test]
fn an_upload_to_a_full_disk_is_refused_and_leaves_no_files() {
    let server = Server::start_on_small_disk(6);
    let workspace = workspace(&server, "lab");
    let project: &[(&str, &str)] = &[("projectId", &workspace)];
    let small = upload(&server, "small", b"kept", project);
    let large = form("large", &vec![1; 9 << 20], project);
    // The server responds before it has read the whole body, so the connection may be reset while the client still sends.
    let refused =
        (0..20).find_map(|_| try_send(&server, "/files/upload", &large)).expect("the server responds");
    assert_eq!(refused.expect(507)["code"], "disk_full");
    assert!(is_empty(&server.visible_data(), "arriving"));
    assert_eq!(stored_count(&server.visible_data()), 1);
    // There is still space for a small upload, and the stored file is unchanged.
    upload(&server, "next", &vec![1; 1 << 20], project);
    assert_eq!(fetch(&link_to(&server, &small["id"]), &[]).2, b"kept");
}

#[test]
fn a_symlink_in_the_home_redirects_no_upload_or_export_to_the_host() {
    if !can_test_sandbox() {
        return;
    }
    let server = Server::start();
    let computer = server.computer();
    let workspace = text(&computer.show()["workspace_id"]).to_owned();
    let outside = tempfile::tempdir().expect("the tests may write to /tmp");
    std::fs::set_permissions(outside.path(), std::fs::Permissions::from_mode(0o777))
        .expect("the tests own it");
    // Retries, because a starting file manager may create the folder again.
    computer.bash(&format!("until rm -rf Desktop; ln -sT {} Desktop; do :; done", outside.path().display()));
    let fields: &[(&str, &str)] = &[("projectId", &workspace), ("desktopId", &computer.id)];
    for name in ["a.txt", "../../../../tmp/b.txt", "..\\..\\c.txt"] {
        let kept = upload(&server, name, b"x", fields);
        assert!(!text(&kept["filename"]).contains('/') && kept["delivered"] == false, "{kept}");
        assert_eq!(kept["delivery_error"], "~/Desktop is not a folder");
    }
    assert!(std::fs::read_dir(outside.path()).expect("it exists").next().is_none());
    let export = json!({ "desktopId": computer.id, "path": "Desktop/a.txt" });
    assert!(matches!(server.call("POST", "/files/export", &export).status, 403 | 404));
}

#[test]
fn an_upload_for_a_computer_is_delivered_now_or_when_it_starts() {
    let server = Server::start();
    let computer = server.computer();
    let workspace = text(&computer.show()["workspace_id"]).to_owned();
    let fields: &[(&str, &str)] = &[("projectId", &workspace), ("desktopId", &computer.id)];
    upload(&server, "a b.txt", b"first", fields);
    let owned = "[ -O ~/Desktop/'a b.txt' ] && echo , owned";
    assert_eq!(
        computer.bash(&format!("cat ~/Desktop/'a b.txt'; {owned}; ls -A ~ | grep arriving"))["output"],
        "first, owned\n"
    );
    upload(&server, "a b.txt", b"second", fields);
    assert_eq!(computer.bash("cat ~/Desktop/*")["output"], "second");

    computer.act("stop", &json!({})).expect(200);
    computer.wait_for_status("stopped");
    // Uses the path of the older API version, which contains only the computer's id.
    let path = format!("/computers/{}/files/upload", computer.id);
    let late = send(&server, &path, &form("late.txt", b"late", &[])).expect(200)["file"].clone();
    assert_eq!(late["desktop_id"], computer.id);
    computer.act("start", &json!({})).expect(200);
    assert_eq!(computer.bash("cat ~/Desktop/late.txt; rm ~/Desktop/*")["output"], "late");
    // The user has deleted a file after its delivery. The server does not deliver it again.
    computer.act("restart", &json!({})).expect(200);
    assert_eq!(computer.bash("ls ~/Desktop")["output"], "");

    let listed = server.get(&format!("/computers/{}/files", computer.id)).expect(200);
    assert_eq!(listed["files"].as_array().map(Vec::len), Some(3));
    let path = format!("/files/{}", text(&late["id"]));
    let link = server.get(&format!("{path}/download")).expect(200);
    assert_eq!(fetch(text(&link["url"]), &[]).2, b"late");
    server.call("DELETE", &path, &Value::Null).expect(200);
    server.call("DELETE", &format!("/computers/{}", computer.id), &Value::Null).expect(200);
    let kept = server.get(&format!("/files?projectId={workspace}")).expect(200);
    assert_eq!(kept["files"][0]["desktop_id"], Value::Null);
    server.call("DELETE", &format!("/workspaces/{workspace}"), &Value::Null).expect(200);
    assert_eq!(stored_count(server.data.path()), 0);
}

#[test]
fn only_regular_files_in_the_home_can_be_exported() {
    let server = Server::start();
    let computer = server.computer();
    computer.bash(
        "mkdir out; printf exact > out/a.txt; ln -s out/a.txt inner.txt; ln -s /etc/passwd outer; mkfifo pipe",
    );
    let export =
        |path: &str| server.call("POST", "/files/export", &json!({ "desktopId": computer.id, "path": path }));
    for path in ["out/a.txt", "~/out/a.txt", "/home/user/out/a.txt", "inner.txt", "./out/../out/a.txt"] {
        let response = export(path).expect(200);
        assert_eq!((&response["success"], &response["file"]["size_bytes"]), (&json!(true), &json!(5)));
        assert_eq!(
            (&response["file"]["source"], &response["file"]["content_type"]),
            (&json!("export"), &json!("text/plain"))
        );
        assert_eq!(fetch(text(&response["url"]), &[]).2, b"exact", "{path}");
    }
    for path in
        ["/etc/passwd", "../../etc/passwd", "~/../../etc/passwd", "outer", "/proc/self/environ", "/nowhere"]
    {
        assert_eq!(export(path).refusal(403), "path: must be in /home/user", "{path}");
    }
    assert_eq!(export("nowhere").refusal(404), "File not found");
    for path in ["out", "pipe", "~", "a\0b"] {
        assert!(export(path).refusal(400).starts_with("path: "), "{path}");
    }
    server.call("POST", "/files/export", &json!({ "desktopId": computer.id })).refusal(400);
    server.call("POST", "/files/export", &json!({ "desktopId": "none", "path": "a" })).refusal(404);
    computer.act("stop", &json!({})).expect(200);
    assert!(export("out/a.txt").refusal(400).starts_with("Desktop instance not available"));
}

#[test]
fn an_upload_keeps_its_name_in_every_encoding() {
    let server = Server::start();
    let computer = server.computer();
    let workspace = text(&computer.show()["workspace_id"]).to_owned();
    let content_disposition = |name: &str| {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; {name}\r\n\r\n");
        let more = format!(
            "\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"projectId\"\r\n\r\n{workspace}\r\n\
             --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"desktopId\"\r\n\r\n{}\r\n--{BOUNDARY}--\r\n",
            computer.id
        );
        send(&server, "/files/upload", format!("{head}x{more}").as_bytes())
    };
    let names = ["say \"hi\".txt", "a\nb.txt", "é.txt", "a\\b.txt", "-rf"];
    for (header, name) in [
        (r#"filename="say %22hi%22.txt""#, names[0]),
        (r#"filename="say \"hi\".txt""#, names[0]),
        (r#"filename="a%0Ab.txt""#, names[1]),
        ("filename*=UTF-8''%C3%A9.txt", names[2]),
        (r#"filename="a\b.txt""#, names[3]),
        (r#"filename="-rf""#, names[4]),
    ] {
        let file = content_disposition(header).expect(200)["file"].clone();
        assert_eq!((text(&file["filename"]), &file["delivered"]), (name, &json!(true)), "{header}");
        assert_eq!(fetch(&link_to(&server, &file["id"]), &[]).2, b"x", "{header}");
    }
    let listed = computer.bash("cd ~/Desktop; printf '%s\\0' * | sort -z | base64 -w 0");
    let mut expected = names.map(str::as_bytes);
    expected.sort_unstable();
    let listed = STANDARD.decode(text(&listed["output"])).expect("it is base64");
    assert_eq!(listed.split(|&byte| byte == 0).filter(|name| !name.is_empty()).collect::<Vec<_>>(), expected);
    // An export also keeps the name of its file.
    for name in names {
        let export = json!({ "desktopId": computer.id, "path": format!("Desktop/{name}") });
        let response = server.call("POST", "/files/export", &export).expect(200);
        assert_eq!(text(&response["file"]["filename"]), name);
        assert_eq!(fetch(text(&response["url"]), &[]).2, b"x", "{name}");
    }
    for header in [r#"filename="""#, "filename*=UTF-8''%E9", r#"filename="..""#, "filename*=UTF-8''a%00b"] {
        let refusal = content_disposition(header).refusal(400);
        assert!(refusal.starts_with("file: must have a name"), "{header}: {refusal}");
    }
}

#[test]
fn a_failed_delivery_is_reported_and_retried() {
    let server = Server::start();
    let computer = server.computer();
    let workspace = text(&computer.show()["workspace_id"]).to_owned();
    let fields: &[(&str, &str)] = &[("projectId", &workspace), ("desktopId", &computer.id)];
    // Waits for the file manager, which creates the folder while it starts.
    server.get(&format!("/computers/{}/screenshot", computer.id)).expect(200);
    for (mutation, reason) in [
        ("chmod 0 Desktop", "~/Desktop: Permission denied"),
        ("chmod 500 Desktop", "~/Desktop: Permission denied"),
        ("rm -r Desktop; touch Desktop", "~/Desktop is not a folder"),
        ("rm -r Desktop; ln -s nowhere Desktop", "~/Desktop is not a folder"),
        ("rm -r Desktop; ln -s Desktop Desktop", "~/Desktop is not a folder"),
        ("rm -r Desktop; ln -s /tmp Desktop", "~/Desktop is outside of the home"),
        ("mkdir Desktop/a.txt; touch Desktop/a.txt/b", "~/Desktop contains a folder with that name"),
        ("chmod 500 .", "cannot create a file in the home: Permission denied"),
        ("chmod 0 .", "cannot create a file in the home: Permission denied"),
    ] {
        computer.bash("cd ~; chmod 700 .; rm -rf Desktop 2>/dev/null || { chmod 700 Desktop; rm -rf Desktop; }; mkdir Desktop");
        computer.bash(&format!("cd ~; {mutation}"));
        let file = upload(&server, "a.txt", b"x", fields);
        assert_eq!(file["delivered"], false, "{mutation}: {file}");
        assert!(text(&file["delivery_error"]).starts_with(reason), "{mutation}: {file}");
        server.call("DELETE", &format!("/files/delete?id={}", text(&file["id"])), &Value::Null).expect(200);
    }
    let file = upload(&server, "late.txt", b"late", fields);
    computer.bash("chmod 700 ~");
    computer.act("restart", &Value::Null).expect(200);
    assert_eq!(computer.bash("cat ~/Desktop/late.txt")["output"], "late");
    let listed = server.get(&format!("/computers/{}/files", computer.id)).expect(200);
    assert_eq!(
        (&listed["files"][0]["id"], &listed["files"][0]["delivered"], &listed["files"][0]["delivery_error"]),
        (&file["id"], &json!(true), &Value::Null)
    );
    computer.act("stop", &Value::Null).expect(200);
    computer.wait_for_status("stopped");
    let waiting = upload(&server, "waiting", b"x", fields);
    assert_eq!((&waiting["delivered"], &waiting["delivery_error"]), (&json!(false), &Value::Null));
    // An upload without a computer has no delivery state.
    assert_eq!(upload(&server, "a", b"x", &[("projectId", &workspace)])["delivered"], Value::Null);
}

#[test]
fn an_export_of_an_unreadable_file_is_forbidden_with_the_reason() {
    let server = Server::start();
    let computer = server.computer();
    computer.bash(
        "mkdir shut open; touch shut/a open/a; chmod 0 shut open/a; ln -s loop loop; \
         python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"socket\")'",
    );
    let export =
        |path: &str| server.call("POST", "/files/export", &json!({ "desktopId": computer.id, "path": path }));
    for path in ["shut/a", "open/a", "shut/nowhere"] {
        let refusal = export(path);
        assert_eq!(refusal.body["code"], "file_not_readable", "{path}");
        assert!(
            refusal.refusal(403).starts_with("path: the computer's user has no permission to read it"),
            "{path}"
        );
    }
    for path in ["loop", &"x".repeat(300), "a/b/c"] {
        export(path).refusal(404);
    }
    assert!(export("socket").refusal(400).starts_with("path: it is not a regular file"));
    assert_eq!(export("/etc/shadow").refusal(403), "path: must be in /home/user");
}

#[test]
fn links_begin_with_the_public_url() {
    let data = tempfile::tempdir().expect("the tests may write to /tmp");
    let server = Server::start_in(data, &["--public-url", "https://desk.example/a/"]);
    let workspace = workspace(&server, "lab");
    let file = upload(&server, "é.txt", b"x", &[("projectId", &workspace)]);
    let link = link_to(&server, &file["id"]);
    let path = link.strip_prefix("https://desk.example/a").expect("it begins with the public URL");
    assert_eq!(fetch(&format!("{}{path}", server.origin), &[]).2, b"x");
    let new = json!({ "workspace_id": workspace, "name": "one" });
    let computer = server.call("POST", "/computers", &new).expect(201);
    let instance = text(&computer["instance_id"]);
    assert_eq!(computer["connection_url"], format!("https://desk.example/a/desktops/{instance}"));
    assert_eq!(computer["hostname"], "desk.example");
    let with_host = |server: &Server, host: &str, proto: &str| {
        let headers = [
            ("authorization", format!("Bearer {KEY}")),
            ("host", host.to_owned()),
            ("x-forwarded-proto", proto.to_owned()),
        ];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        server.call_with("GET", &format!("/files/download?id={}", text(&file["id"])), "", &headers)
    };
    assert!(
        text(&with_host(&server, "desk.example", "http").expect(200)["url"])
            .starts_with("https://desk.example/a/")
    );
    with_host(&server, "evil.example", "https").refusal(403);

    // Without `--public-url`, the server still ignores forwarding headers.
    let server = Server::start();
    let workspace = self::workspace(&server, "lab");
    let file = upload(&server, "a", b"x", &[("projectId", &workspace)]);
    let headers = [
        ("authorization", &*format!("Bearer {KEY}")),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "proto=https;host=evil.example"),
    ];
    let link = server
        .call_with("GET", &format!("/files/download?id={}", text(&file["id"])), "", &headers)
        .expect(200);
    assert!(text(&link["url"]).starts_with(&server.origin));
}

#[test]
fn a_finished_upload_and_its_link_survive_a_killed_server() {
    let mut server = Server::start();
    let workspace = workspace(&server, "lab");
    let file = upload(&server, "a.txt", b"kept", &[("projectId", &workspace)]);
    let path = link_to(&server, &file["id"]).replace(&server.origin, "");
    server.signal(Signal::KILL);
    server.process.wait().expect("it ends");
    std::fs::write(server.data.path().join("arriving/half"), "ha").expect("the folder is writable");
    std::fs::write(server.data.path().join("files/unknown"), "?").expect("the folder is writable");

    let data = std::mem::replace(&mut server.data, tempfile::tempdir().expect("the tests may write to /tmp"));
    let server = Server::start_in(data, &[]);
    assert_eq!(
        server.get(&format!("/files?projectId={workspace}")).expect(200)["files"][0]["id"],
        file["id"]
    );
    assert_eq!(fetch(&format!("{}{path}", server.origin), &[]).2, b"kept");
    assert_eq!(stored_count(server.data.path()), 1);
    assert_eq!(std::fs::read_dir(server.data.path().join("arriving")).expect("it exists").count(), 0);
}

#[test]
fn a_screenshot_can_be_returned_as_a_link() {
    let server = Server::start();
    let computer = server.computer();
    let shot =
        |query: &str| server.get(&format!("/computers/{}/screenshot?{query}", computer.id)).expect(200);
    for (query, kind, start) in
        [("format=png", "image/png", &b"\x89PNG"[..]), ("format=jpeg&scale=0.5", "image/jpeg", b"\xff\xd8")]
    {
        let response = shot(&format!("response_format=url&{query}"));
        assert_eq!(response["mime_type"], Value::Null);
        let path = text(&response["image"]);
        let (status, headers, body) = fetch(&format!("{}{path}", server.origin), &[]);
        assert_eq!(status, 200);
        assert_eq!(headers["content-type"], kind);
        assert!(body.starts_with(start));
        assert_eq!(response["metadata"]["size"], body.len());
        let (bare, _) = path.split_once('?').expect("it is signed");
        assert_eq!(fetch(&format!("{}{bare}", server.origin), &[]).0, 400);
    }
}
