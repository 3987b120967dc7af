//! The seccomp filters of computers and of the encoder.

use std::io;
use std::os::fd::OwnedFd;

use libc::{
    BPF_ABS, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET, BPF_W, c_int, c_long, sock_filter,
};

use crate::inherited::memory_file;

/// The architecture of this build: an `AUDIT_ARCH_*` value of `linux/audit.h`. A process can also make the system calls
/// of another architecture, which have other numbers. The filters refuse all of these.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

/// The first system call number of the x32 ABI of x86-64. No other architecture has system call numbers this high.
const X32: u32 = 0x4000_0000;

/// Byte offsets in the kernel's `seccomp_data`. Only the low half of each argument matters; it comes first in memory.
const NUMBER_OFFSET: u32 = 0;
const ARCHITECTURE_OFFSET: u32 = 4;
const ARGUMENT_OFFSET: u32 = 16;
const SECOND_ARGUMENT_OFFSET: u32 = 24;
const THIRD_ARGUMENT_OFFSET: u32 = 32;

/// The system calls of keyrings. Keyrings belong to a host user and have no namespace, so a computer could read the
/// keys of the user who runs the server.
const KEYS: &[c_long] = &[libc::SYS_add_key, libc::SYS_keyctl, libc::SYS_request_key];

/// System calls that administrate the system, or that have a large attack surface in the kernel.
const KERNEL: &[c_long] = &[
    libc::SYS_acct,
    libc::SYS_bpf,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_init_module,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_open_by_handle_at,
    libc::SYS_perf_event_open,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
];

/// System calls that affect other processes, namespaces and mounts. Desktop programs need them, for example a debugger
/// or a browser's own sandbox. The encoder does not.
const PROCESSES_AND_MOUNTS: &[c_long] = &[
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
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
];

/// The system calls of io_uring. The filters refuse them with ENOSYS, so programs fall back to other system calls.
const IO_URING: &[c_long] =
    &[libc::SYS_io_uring_enter, libc::SYS_io_uring_register, libc::SYS_io_uring_setup];

const NEW_NAMESPACE: c_int = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP;

/// The system calls that a filter refuses, and the sockets that it allows.
#[derive(Debug)]
pub(crate) struct Filter {
    refused: &'static [&'static [c_long]],
    namespaces: bool,
    /// The allowed address families of sockets. A network namespace does not isolate every family: in a virtual
    /// machine, `AF_VSOCK` reaches the host from any namespace.
    families: &'static [c_int],
}

/// The filter of a computer. It allows all system calls that desktop programs use.
pub(crate) const COMPUTER: Filter = Filter {
    refused: &[KEYS, KERNEL],
    namespaces: true,
    families: &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK],
};

/// The filter of the encoder.
pub(crate) const ENCODER: Filter = Filter {
    refused: &[KEYS, KERNEL, PROCESSES_AND_MOUNTS],
    namespaces: false,
    families: &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6],
};

impl Filter {
    /// Returns a file that contains the filter in the format of bubblewrap.
    pub(crate) fn file(&self) -> io::Result<OwnedFd> {
        let mut bytes = Vec::new();
        for sock_filter { code, jt, jf, k } in self.program() {
            bytes.extend(code.to_ne_bytes());
            bytes.extend([jt, jf]);
            bytes.extend(k.to_ne_bytes());
        }
        memory_file("seccomp", &bytes)
    }

    /// Installs the filter for this thread, and for all threads and processes that it starts. Requires `no_new_privs`.
    /// Does nothing if the kernel has no seccomp filters.
    pub(crate) fn install(&self) -> io::Result<()> {
        let mut filter = self.program();
        let program = libc::sock_fprog {
            len: u16::try_from(filter.len()).map_err(io::Error::other)?,
            filter: filter.as_mut_ptr(),
        };
        let mode = libc::c_ulong::from(libc::SECCOMP_MODE_FILTER);
        // SAFETY: the program is alive during the call, and the kernel copies it.
        let set = unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program) };
        if set == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() == Some(libc::EINVAL) { Ok(()) } else { Err(error) }
    }

    fn program(&self) -> Vec<sock_filter> {
        let mut program = vec![
            load(ARCHITECTURE_OFFSET),
            jump(BPF_JEQ, ARCHITECTURE, 1, 0),
            refuse(libc::ENOSYS),
            load(NUMBER_OFFSET),
            jump(BPF_JGE, X32, 0, 1),
            refuse(libc::ENOSYS),
        ];
        for &call in IO_URING {
            program.extend([jump(BPF_JEQ, number(call), 0, 1), refuse(libc::ENOSYS)]);
        }
        for &call in self.refused.iter().copied().flatten() {
            program.extend([jump(BPF_JEQ, number(call), 0, 1), refuse(libc::EPERM)]);
        }
        // Ignores `SO_LINGER` and reports success. A process that closes the last descriptor of a lingering socket
        // blocks for the time that the socket's owner sets, which may be years. The server could close such a
        // descriptor when it discards a message.
        program.extend([
            jump(BPF_JEQ, number(libc::SYS_setsockopt), 0, 6),
            load(SECOND_ARGUMENT_OFFSET),
            jump(BPF_JEQ, libc::SOL_SOCKET.cast_unsigned(), 0, 3),
            load(THIRD_ARGUMENT_OFFSET),
            jump(BPF_JEQ, libc::SO_LINGER.cast_unsigned(), 0, 1),
            refuse(0),
            allow(),
        ]);
        if !self.namespaces {
            // The flags of `clone3` are in memory, which a filter cannot read. The C library falls back to `clone`.
            program.extend([jump(BPF_JEQ, number(libc::SYS_clone3), 0, 1), refuse(libc::ENOSYS)]);
            program.extend([
                jump(BPF_JEQ, number(libc::SYS_clone), 0, 4),
                load(ARGUMENT_OFFSET),
                jump(BPF_JSET, NEW_NAMESPACE.cast_unsigned(), 0, 1),
                refuse(libc::EPERM),
                allow(),
            ]);
        }
        program.extend([jump(BPF_JEQ, number(libc::SYS_socket), 1, 0), allow(), load(ARGUMENT_OFFSET)]);
        for family in self.families {
            program.extend([jump(BPF_JEQ, family.cast_unsigned(), 0, 1), allow()]);
        }
        program.push(refuse(libc::EAFNOSUPPORT));
        program
    }
}

/// Converts a system call number, which is small and not negative.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
fn number(call: c_long) -> u32 {
    call as u32
}

fn load(offset: u32) -> sock_filter {
    instruction(BPF_LD | BPF_W | BPF_ABS, offset, 0, 0)
}

/// Returns a jump. It skips `yes` instructions if `condition` holds for the loaded value and `operand`, otherwise `no`
/// instructions.
fn jump(condition: u32, operand: u32, yes: u8, no: u8) -> sock_filter {
    instruction(BPF_JMP | condition | BPF_K, operand, yes, no)
}

fn refuse(error: c_int) -> sock_filter {
    instruction(BPF_RET | BPF_K, libc::SECCOMP_RET_ERRNO | error.cast_unsigned(), 0, 0)
}

fn allow() -> sock_filter {
    instruction(BPF_RET | BPF_K, libc::SECCOMP_RET_ALLOW, 0, 0)
}

/// Returns an instruction. Its code fits into 16 bits.
#[expect(clippy::cast_possible_truncation, reason = "see above")]
fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code: code as u16, jt, jf, k }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Duration;

    use rustix::net::sockopt;

    use super::*;

    fn error_of(result: c_long) -> Option<i32> {
        (result < 0).then(|| io::Error::last_os_error().raw_os_error()).flatten()
    }

    fn call(number: c_long) -> Option<i32> {
        // SAFETY: the call is refused, or fails because all arguments are zero.
        error_of(unsafe { libc::syscall(number, 0, 0, 0, 0, 0) })
    }

    fn socket(family: c_int) -> Option<i32> {
        // SAFETY: the system call accesses no memory. The test leaves the socket open.
        error_of(unsafe { libc::socket(family, libc::SOCK_DGRAM, 0) }.into())
    }

    fn check_that_linger_is_ignored() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("there is a free port");
        let linger = Duration::from_secs(3600);
        sockopt::set_socket_linger(&socket, Some(linger)).expect("the call reports success");
        assert_eq!(sockopt::socket_linger(&socket), Ok(None));
        sockopt::set_socket_broadcast(&socket, true).expect("other options can be set");
        assert_eq!(sockopt::socket_broadcast(&socket), Ok(true));
    }

    fn namespace_by_clone() -> Option<i32> {
        // SAFETY: the child exits immediately.
        let made = unsafe {
            let child = libc::syscall(libc::SYS_clone, libc::CLONE_NEWUSER | libc::SIGCHLD, 0, 0, 0, 0);
            if child == 0 {
                libc::_exit(0)
            }
            child
        };
        error_of(made)
    }

    /// Runs `check` on a separate thread, because a filter remains installed until its thread ends.
    fn with_filter(filter: &'static Filter, check: impl FnOnce() + Send + 'static) {
        let thread = std::thread::spawn(move || {
            rustix::thread::set_no_new_privs(true).expect("any process can set it");
            filter.install().expect("the kernel supports seccomp");
            for &number in filter.refused.iter().copied().flatten() {
                assert_eq!(call(number), Some(libc::EPERM), "{number}");
            }
            for &number in IO_URING {
                assert_eq!(call(number), Some(libc::ENOSYS), "{number}");
            }
            // This is the same system call, with its number in the x32 ABI.
            assert_eq!(call(libc::SYS_keyctl + c_long::from(X32)), Some(libc::ENOSYS));
            for &family in filter.families.iter().filter(|&&family| family != libc::AF_NETLINK) {
                assert_eq!(socket(family), None, "{family}");
            }
            for family in [libc::AF_VSOCK, libc::AF_PACKET, libc::AF_ALG] {
                assert_eq!(socket(family), Some(libc::EAFNOSUPPORT), "{family}");
            }
            std::thread::spawn(|| ()).join().expect("threads are allowed");
            check_that_linger_is_ignored();
            check();
        });
        thread.join().expect("all checks pass");
    }

    #[test]
    fn the_computer_filter_refuses_keyrings_and_other_address_families() {
        with_filter(&COMPUTER, || {
            assert_eq!(socket(libc::AF_NETLINK), None);
            assert_eq!(namespace_by_clone(), None);
        });
    }

    #[test]
    fn the_encoder_filter_also_refuses_namespaces() {
        with_filter(&ENCODER, || {
            assert_eq!(socket(libc::AF_NETLINK), Some(libc::EAFNOSUPPORT));
            assert_eq!(namespace_by_clone(), Some(libc::EPERM));
        });
    }

    #[test]
    fn the_file_has_eight_bytes_for_each_instruction() {
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut File::from(COMPUTER.file().expect("there is enough space")), &mut bytes)
            .expect("it is a file");
        assert_eq!(bytes.len(), COMPUTER.program().len() * 8);
    }
}
