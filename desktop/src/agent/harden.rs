//! What keeps the agent out of reach of the programs in its box, which run as the same user.

use std::io;

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// Far more than a desktop with a browser has, and far fewer than would hinder others.
pub(crate) const MAX_PROCESSES: u32 = 4096;

/// Descriptors of one process, at most.
const MAX_OPEN_FILES: u64 = 65_536;

/// To be called before anything else runs in the box.
///
/// The kernel does not let another process trace the agent, read its memory or open its descriptors from now on; and since the
/// agent is the first process of the box, no signal of another one there ends it. Only the control group limits processes
/// together, and not every server may make one, so the user gets a limit too.
pub(super) fn harden() -> io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    let limit = Some(u64::from(MAX_PROCESSES));
    setrlimit(Resource::Nproc, Rlimit { current: limit, maximum: limit })?;
    // A crash of anything in the box must not fill a disk.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(())
}

/// How many descriptors a process may have that is not the agent.
///
/// Descriptors on their way through sockets count for the host's user, up to this limit of whoever sends another. The server and
/// other computers' agents may be the same user, and must be able to send when a computer's programs no longer can.
pub(super) fn open_file_limit() -> Rlimit {
    let own = getrlimit(Resource::Nofile);
    let most = own.maximum.map_or(MAX_OPEN_FILES, |maximum| (maximum / 2).min(MAX_OPEN_FILES));
    Rlimit { current: Some(own.current.map_or(most, |current| current.min(most))), maximum: Some(most) }
}
