//! What `deploy/` promises.

use rustix::process::geteuid;

use crate::server::{Server, walled};

const SERVICE: &str = include_str!("../../deploy/orgo-desktop.service");

/// systemd's `CapabilityBoundingSet=CAP_A CAP_B` as setpriv writes it: `-all,+a,+b`.
fn bounding_set() -> String {
    let line = SERVICE.lines().find_map(|line| line.strip_prefix("CapabilityBoundingSet="));
    let capabilities = line.expect("the service has few capabilities").split(' ');
    let names = capabilities.map(|name| name.strip_prefix("CAP_").expect("that is how they begin"));
    names.fold("-all".to_owned(), |set, name| format!("{set},+{}", name.to_lowercase()))
}

#[test]
fn a_computer_comes_up_with_its_network_with_the_services_capabilities_alone() {
    if !walled() {
        return;
    }
    if !geteuid().is_root() {
        println!("not run: the service is root's");
        return;
    }
    // A system that runs services opens the device of tunnels to all; this one may be less.
    let with_tunnel =
        "mount -t tmpfs -o mode=755 none /dev/net && mknod -m 666 /dev/net/tun c 10 200 && exec \"$@\"";
    let unshared = ["unshare", "--mount", "sh", "-c", with_tunnel, "sh"];
    let confined = ["setpriv", "--no-new-privs", "--bounding-set", &bounding_set()];
    let server = Server::start_by(&[&unshared[..], &confined].concat());
    let computer = server.computer();
    let network = computer.bash("cat /proc/net/dev")["output"].to_string();
    assert!(network.contains("tap0:"), "{network}");
}
