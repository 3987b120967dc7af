//! Protects the agent from the programs in its box, which run as the same user.

use std::io;

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// The maximum number of processes of a computer. The number is far higher than a desktop with a browser needs, and low
/// enough that other computers are not affected.
pub(crate) const MAX_PROCESSES: u32 = 4096;

/// The maximum number of open descriptors per process.
const MAX_OPEN_FILES: u64 = 65_536;

/// Protects the agent and limits the processes of its user. Must be called before any other program runs in the box.
///
/// After the call, no other process of the computer can trace the agent, read its memory or open its descriptors. The
/// agent is the first process of the box, so no signal from inside the box can end it. Only a control group limits all
/// processes of the computer together. There is also a limit for each user, because not every server is allowed to
/// create control groups.
pub(super) fn harden() -> io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    let limit = Some(u64::from(MAX_PROCESSES));
    setrlimit(Resource::Nproc, Rlimit { current: limit, maximum: limit })?;
    // A crash inside the computer must not fill the disk with core dumps.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(())
}

/// Returns the descriptor limit of every process except the agent.
///
/// The kernel counts the descriptors that are in transit through sockets per host user. A process cannot send another
/// descriptor if that count exceeds the limit of the process. The server and the agents of other computers may run as
/// the same user. Therefore their limit is higher: they can still send descriptors when the programs of this computer
/// no longer can.
pub(super) fn open_file_limit() -> Rlimit {
    let own = getrlimit(Resource::Nofile);
    let most = own.maximum.map_or(MAX_OPEN_FILES, |maximum| (maximum / 2).min(MAX_OPEN_FILES));
    Rlimit { current: Some(own.current.map_or(most, |current| current.min(most))), maximum: Some(most) }
}
