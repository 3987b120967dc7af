//! The sizes of a computer: memory, CPUs, GPU and resolution.

use serde_json::{Value, json};

use crate::server::{Computer, Server};

fn create(server: &Server, name: &str, more: &Value) -> Value {
    let workspaces = server.get("/workspaces").expect(200);
    let workspace = match &workspaces["workspaces"][0]["id"] {
        Value::Null => {
            server.call("POST", "/workspaces", &json!({ "name": "lab" })).expect(201)["id"].clone()
        }
        id => id.clone(),
    };
    let mut new = json!({ "workspace_id": workspace, "name": name });
    new.as_object_mut().expect("it is an object").extend(more.as_object().expect("it is an object").clone());
    server.call("POST", "/computers", &new).expect(201)
}

#[test]
fn every_documented_size_is_accepted_and_reported() {
    let server = Server::start();
    let computers: [Value; 6] = [
        json!({ "os": "linux", "ram": 4, "cpu": 2, "gpu": "none", "resolution": "1280x720x24" }),
        json!({ "ram": 8, "cpu": 4, "gpu": "a10", "resolution": "1024x768x24" }),
        json!({ "ram": 16, "cpu": 8, "gpu": "l40s", "resolution": "1920x1080x24" }),
        json!({ "ram": 32, "cpu": 16, "gpu": "a100-40gb", "resolution": "800x600x24" }),
        json!({ "ram": 64, "cpu": 1, "gpu": "a100-80gb", "resolution": "2560x1440x24" }),
        json!({ "ram": 1, "cpu": 0.5, "resolution": "640x480" }),
    ];
    for (n, wanted) in computers.iter().enumerate() {
        let made = create(&server, &format!("computer {n}"), wanted);
        for field in ["ram", "cpu", "gpu"] {
            assert!(wanted[field].is_null() || made[field] == wanted[field], "{field}: {made}");
        }
        let computer =
            Computer { server: &server, id: made["id"].as_str().expect("it has an ID").to_owned() };
        computer.wait_for_status("running");
        let resolution = made["resolution"].as_str().expect("it is a string");
        assert!(resolution.starts_with(wanted["resolution"].as_str().expect("it is a string")));
        let shot = server.get(&format!("/computers/{}/screenshot", computer.id)).expect(200);
        assert!(resolution.starts_with(&format!("{}x{}x", shot["width"], shot["height"])));
        server.call("DELETE", &format!("/computers/{}", computer.id), &Value::Null).expect(200);
    }
}

/// Not every machine allows the server to limit its computers. The server reports the limits that it enforces, and
/// these must hold.
#[test]
fn enforced_limits_of_memory_and_cpu_hold() {
    let server = Server::start();
    let made = create(&server, "small", &json!({ "ram": 1, "cpu": 0.5 }));
    let computer = Computer { server: &server, id: made["id"].as_str().expect("it has an ID").to_owned() };
    computer.wait_for_status("running");
    let enforced = computer.show()["instance_details"]["enforced"].clone();
    assert_eq!((&enforced["gpu"], &enforced["disk_size_gb"]), (&json!(false), &json!(false)));
    // A command is marked just after it has started.
    let scores = "for attempt in $(seq 100); do grep -q 500 /proc/$$/oom_score_adj && break; sleep 0.1; done
        cat /proc/self/oom_score_adj /proc/$(pgrep Xvnc)/oom_score_adj";
    assert_eq!(computer.bash(scores)["output"], "500\n0\n");
    if enforced["ram"] == true {
        let greedy =
            "python3 -c \"b = bytearray(); [b.extend(b'x' * 2**26) for _ in range(24)]; print('allocated')\"";
        let response = computer.bash(greedy);
        assert_eq!((&response["exit_code"], &response["output"]), (&json!(137), &json!("")), "{response}");
        // The other programs of the computer still work.
        assert_eq!(computer.show()["status"], "running");
        server.get(&format!("/computers/{}/screenshot", computer.id)).expect(200);
    }
    if enforced["cpu"] == true {
        // The limit is half a core.
        let busy = "python3 -c \"import time\nstart, used = time.monotonic(), time.process_time()\n\
                    while time.monotonic() < start + 3: pass\nprint(time.process_time() - used)\"";
        let used: f64 = computer.bash(busy)["output"]
            .as_str()
            .and_then(|text| text.trim().parse().ok())
            .expect("it is a number");
        assert!(used < 2.0, "{used} s of 3 s");
    }
}
