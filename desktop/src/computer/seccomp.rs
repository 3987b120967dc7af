//! The system calls that are closed inside a box: what the kernel does not separate by namespaces, and what has no use on a
//! desktop but for attacks on the kernel itself. Everything else is open, so that programs (a browser with its own sandbox, a
//! debugger) work as they do elsewhere.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::mem::offset_of;
use std::os::fd::OwnedFd;

use libc::{
    BPF_ABS, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO,
    c_long, seccomp_data,
};
use rustix::fs::{MemfdFlags, memfd_create};

/// Keys belong to a user of the host and not to a namespace: those of whoever runs the server could be reached.
const KEYS: &[c_long] = &[libc::SYS_add_key, libc::SYS_keyctl, libc::SYS_request_key];

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

/// Programs take the ordinary calls instead when the kernel says that it has none of these.
const MISSING: &[c_long] = &[libc::SYS_io_uring_enter, libc::SYS_io_uring_register, libc::SYS_io_uring_setup];

/// `AUDIT_ARCH_*` of `linux/audit.h`. A process may call the kernel in the way of another architecture, whose numbers differ.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

/// From here on the numbers are those of the x32 interface of the same architecture, which nothing on a desktop uses.
const X32: u32 = 0x4000_0000;

/// The filter as bubblewrap reads it from a descriptor.
pub(crate) fn filter() -> io::Result<OwnedFd> {
    let mut file = File::from(memfd_create("seccomp", MemfdFlags::CLOEXEC)?);
    for instruction in program() {
        file.write_all(&instruction)?;
    }
    file.rewind()?;
    Ok(file.into())
}

/// A `sock_filter`: code, jump if true, jump if false, operand.
type Instruction = [u8; 8];

fn program() -> Vec<Instruction> {
    let refused: Vec<_> = KEYS.iter().chain(KERNEL).copied().collect();
    let count = refused.len() + MISSING.len();
    let load = |offset: usize| instruction(BPF_LD | BPF_W | BPF_ABS, 0, 0, number(offset));
    let verdict = |verdict: u32| instruction(BPF_RET | BPF_K, 0, 0, verdict);
    // The verdicts stand after all comparisons: allowed, refused, missing. Jumps count from the instruction after them.
    let jump = |test: u32, operand: u32, position: usize, target: usize| {
        let distance = u8::try_from(target - position - 1).expect("the program is short");
        instruction(BPF_JMP | test | BPF_K, distance, 0, operand)
    };
    let first = 4;
    let (allow, refuse, miss) = (first + count, first + count + 1, first + count + 2);
    let mut program = vec![
        load(offset_of!(seccomp_data, arch)),
        {
            let distance = u8::try_from(miss - 2).expect("the program is short");
            instruction(BPF_JMP | BPF_JEQ | BPF_K, 0, distance, ARCHITECTURE)
        },
        load(offset_of!(seccomp_data, nr)),
        jump(BPF_JGE, X32, 3, miss),
    ];
    for call in refused {
        program.push(jump(BPF_JEQ, number(call), program.len(), refuse));
    }
    for &call in MISSING {
        program.push(jump(BPF_JEQ, number(call), program.len(), miss));
    }
    debug_assert_eq!(program.len(), allow);
    program.push(verdict(SECCOMP_RET_ALLOW));
    program.push(verdict(SECCOMP_RET_ERRNO | libc::EPERM.cast_unsigned()));
    program.push(verdict(SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned()));
    program
}

fn instruction(code: u32, if_true: u8, if_false: u8, operand: u32) -> Instruction {
    let code = u16::try_from(code).expect("codes have 16 bits").to_ne_bytes();
    let operand = operand.to_ne_bytes();
    [code[0], code[1], if_true, if_false, operand[0], operand[1], operand[2], operand[3]]
}

fn number<T: TryInto<u32>>(value: T) -> u32 {
    value.try_into().unwrap_or_else(|_| unreachable!("offsets and numbers of calls are small"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::computer::spawner::inherit;
    use std::os::fd::AsRawFd as _;

    /// What a program inside a box of this filter prints.
    fn boxed(code: &str) -> String {
        let filter = filter().expect("there is room");
        let number = filter.as_raw_fd().to_string();
        let mut command = Command::new("bwrap");
        command
            .args(["--unshare-user", "--ro-bind", "/", "/", "--proc", "/proc", "--seccomp", &number, "--"])
            .args(["python3", "-c", code]);
        inherit(&mut command, vec![filter]);
        let output = command.output().expect("bubblewrap is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    #[test]
    fn closed_calls_fail_and_others_do_not() {
        let call = |number: c_long| {
            format!(
                "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n\
                 libc.syscall({number}, 0, 0, 0, 0, 0)\nprint(ctypes.get_errno())"
            )
        };
        for &number in KEYS.iter().chain(KERNEL) {
            assert_eq!(boxed(&call(number)), format!("{}\n", libc::EPERM), "{number}");
        }
        for &number in MISSING {
            assert_eq!(boxed(&call(number)), format!("{}\n", libc::ENOSYS), "{number}");
        }
        // The same call of the keys by its number in the x32 interface.
        let x32 = call(libc::SYS_keyctl + c_long::from(X32));
        assert_eq!(boxed(&x32), format!("{}\n", libc::ENOSYS));
        assert_eq!(boxed(&call(libc::SYS_getpid)), "0\n");
    }
}
