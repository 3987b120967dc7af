//! The encoder's seccomp filter. It refuses system calls that an encoder does not need: sockets that a network
//! namespace does not confine, namespaces and mounts, access to other processes and keys, and large kernel interfaces.

use std::io;

use libc::{
    BPF_ABS, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET, BPF_W, c_long, sock_filter,
};

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

/// The first number of the x32 ABI of x86-64. Other architectures do not use numbers that high.
const X32: u32 = 0x4000_0000;

/// Offsets in the kernel's `seccomp_data`. The first argument is below 2³², and its low half comes first.
const NUMBER_OFFSET: u32 = 0;
const ARCHITECTURE_OFFSET: u32 = 4;
const ARGUMENT_OFFSET: u32 = 16;

const REFUSED: &[c_long] = &[
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Keyrings.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // Namespaces and mounts.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    // Large interfaces that the encoder has no use for.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
];

const NEW_NAMESPACE: libc::c_int = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP;

/// The address families that are allowed. A network namespace does not confine all others: `AF_VSOCK` reaches the host
/// of a virtual machine from any of them.
const FAMILIES: [libc::c_int; 3] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6];

/// Installs the filter for this thread and everything that it starts. Requires `no_new_privs`. Does nothing if the
/// kernel has no seccomp filters.
pub(super) fn install() -> io::Result<()> {
    let mut filter = filter();
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len()).map_err(io::Error::other)?,
        filter: filter.as_mut_ptr(),
    };
    let mode = libc::c_ulong::from(libc::SECCOMP_MODE_FILTER);
    // SAFETY: the kernel copies the program, which is alive here.
    let set = unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program) };
    if set == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    if error.raw_os_error() == Some(libc::EINVAL) { Ok(()) } else { Err(error) }
}

fn filter() -> Vec<sock_filter> {
    let mut filter = vec![
        load(ARCHITECTURE_OFFSET),
        jump(BPF_JEQ, ARCHITECTURE, 1, 0),
        refuse(libc::ENOSYS),
        load(NUMBER_OFFSET),
        jump(BPF_JGE, X32, 0, 1),
        refuse(libc::ENOSYS),
        // A filter cannot read its flags, which are in memory. The C library falls back to `clone`.
        jump(BPF_JEQ, number(libc::SYS_clone3), 0, 1),
        refuse(libc::ENOSYS),
    ];
    for &call in REFUSED {
        filter.extend([jump(BPF_JEQ, number(call), 0, 1), refuse(libc::EPERM)]);
    }
    filter.extend([
        jump(BPF_JEQ, number(libc::SYS_clone), 0, 4),
        load(ARGUMENT_OFFSET),
        jump(BPF_JSET, NEW_NAMESPACE.cast_unsigned(), 0, 1),
        refuse(libc::EPERM),
        allow(),
    ]);
    filter.extend([jump(BPF_JEQ, number(libc::SYS_socket), 1, 0), allow(), load(ARGUMENT_OFFSET)]);
    for family in FAMILIES {
        filter.extend([jump(BPF_JEQ, family.cast_unsigned(), 0, 1), allow()]);
    }
    filter.push(refuse(libc::EAFNOSUPPORT));
    filter
}

/// The numbers of system calls are small.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
fn number(call: c_long) -> u32 {
    call as u32
}

fn load(offset: u32) -> sock_filter {
    instruction(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0)
}

/// Skips `yes` instructions if `condition` holds between the loaded value and `operand`, else `no` instructions.
fn jump(condition: u32, operand: u32, yes: u8, no: u8) -> sock_filter {
    instruction(BPF_JMP | condition | BPF_K, operand, yes, no)
}

fn refuse(error: libc::c_int) -> sock_filter {
    instruction(BPF_RET | BPF_K, libc::SECCOMP_RET_ERRNO | error.cast_unsigned(), 0, 0)
}

fn allow() -> sock_filter {
    instruction(BPF_RET | BPF_K, libc::SECCOMP_RET_ALLOW, 0, 0)
}

/// The codes of instructions have 8 bits.
#[expect(clippy::cast_possible_truncation, reason = "see above")]
fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code: code as u16, jt, jf, k }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(result: c_long) -> Option<i32> {
        (result < 0).then(|| io::Error::last_os_error().raw_os_error()).flatten()
    }

    fn socket(family: libc::c_int) -> Option<i32> {
        // SAFETY: the system call reads no memory; the test leaves the socket open.
        error_of(unsafe { libc::socket(family, libc::SOCK_STREAM, 0) }.into())
    }

    #[test]
    fn the_filter_refuses_namespaces_keys_and_foreign_sockets() {
        // A filter applies to one thread and those that it starts.
        let confined = std::thread::spawn(|| {
            let (yes, unused): (libc::c_ulong, libc::c_ulong) = (1, 0);
            // SAFETY: the system call reads no memory.
            let set = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, yes, unused, unused, unused) };
            assert_eq!(set, 0);
            install().expect("the kernel has filters where the tests run");
            for family in FAMILIES {
                assert_eq!(socket(family), None, "{family}");
            }
            for family in [libc::AF_VSOCK, libc::AF_NETLINK, libc::AF_PACKET, libc::AF_ALG] {
                assert_eq!(socket(family), Some(libc::EAFNOSUPPORT), "{family}");
            }
            // SAFETY: these system calls are refused, or read no memory.
            unsafe {
                assert_eq!(error_of(libc::unshare(libc::CLONE_NEWUSER).into()), Some(libc::EPERM));
                assert_eq!(error_of(libc::syscall(libc::SYS_keyctl, 0, -3, 0)), Some(libc::EPERM));
                let flags = libc::CLONE_NEWUSER | libc::SIGCHLD;
                assert_eq!(error_of(libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0)), Some(libc::EPERM));
            }
            std::thread::spawn(|| ()).join().expect("threads are allowed");
        });
        confined.join().expect("all of it holds");
    }
}
