//! The systemd service in `deploy/`.

use rustix::process::geteuid;

use crate::server::{Server, can_test_sandbox};

const SERVICE: &str = include_str!("../../deploy/orgo-desktop.service");

/// Returns the service's `CapabilityBoundingSet=CAP_A CAP_B` in the syntax of setpriv: `-all,+a,+b`.
fn bounding_set() -> String {
    let line = SERVICE.lines().find_map(|line| line.strip_prefix("CapabilityBoundingSet="));
    let capabilities = line.expect("the service limits its capabilities").split(' ');
    let names = capabilities.map(|name| name.strip_prefix("CAP_").expect("it is the name of a capability"));
    names.fold("-all".to_owned(), |set, name| format!("{set},+{}", name.to_lowercase()))
}

#[test]
fn a_computer_has_a_network_with_only_the_capabilities_of_the_service() {
    if !can_test_sandbox() {
        return;
    }
    if !geteuid().is_root() {
        println!("skipped: the service runs as root");
        return;
    }
    // On a system with systemd, udev lets every user open the TUN device. The test creates the device, since its
    // machine may have none.
    let with_tunnel =
        "mount -t tmpfs -o mode=755 none /dev/net && mknod -m 666 /dev/net/tun c 10 200 && exec \"$@\"";
    let unshared = ["unshare", "--mount", "sh", "-c", with_tunnel, "sh"];
    let confined = ["setpriv", "--no-new-privs", "--bounding-set", &bounding_set()];
    let server = Server::start_by(&[&unshared[..], &confined].concat());
    let computer = server.computer();
    let network = computer.bash("cat /proc/net/dev")["output"].to_string();
    assert!(network.contains("tap0:"), "{network}");
}
