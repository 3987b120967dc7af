//! Kills processes together with the processes that they started.

#![expect(clippy::disallowed_methods, reason = "runs inside the box, with the rights of the computer's user")]

use std::collections::HashSet;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// The maximum time to wait until killed processes have ended. A process that waits for a broken disk never ends.
const KILL_TIMEOUT: Duration = Duration::from_secs(5);

/// The interval between two checks for remaining processes.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The number of searches in a row that must find no process, unless one of them was complete.
const MAX_EMPTY_SEARCHES: u32 = 10;

/// The value of an environment variable that a process and its descendants have in common. The marker identifies even
/// descendants that have left the session.
#[derive(Debug)]
pub(super) struct Marker(String);

impl Marker {
    pub(super) const VARIABLE: &str = "ORGO_COMMAND";

    pub(super) fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed).to_string())
    }

    pub(super) fn value(&self) -> &str {
        &self.0
    }

    fn is_carried_by(&self, pid: i32) -> bool {
        let entry = format!("{}={}", Self::VARIABLE, self.0);
        fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environment| environment.split(|&byte| byte == 0).any(|it| it == entry.as_bytes()))
    }
}

/// A process that the agent started, together with the processes that this process started directly or indirectly.
#[derive(Debug)]
pub(super) struct ProcessTree {
    /// The process that the agent started. It leads a session.
    pub(super) leader: u32,
    /// Whether the leader is a supervisor, which adopts all orphans among its descendants.
    pub(super) supervised: bool,
    pub(super) marker: Marker,
}

impl ProcessTree {
    /// Kills the leader's descendants, its session and every process that has the marker in its environment. Returns
    /// when they have ended, or after [`KILL_TIMEOUT`].
    pub(super) fn kill(&self) {
        let leader = self.leader.cast_signed();
        // The start time identifies the leader, because the kernel can reuse its process ID once the leader has ended.
        let started = Stat::of(leader).map(|stat| stat.started);
        kill_found(|stopped| {
            let mut found_another = false;
            let (all, is_complete) = list();
            let members = self.members(all, started);
            for &(pid, started) in &members {
                found_another |= stop(pid, started, stopped);
            }
            Search { left: members.into_iter().map(|(pid, _)| pid).collect(), found_another, is_complete }
        });
        if self.supervised && Stat::of(leader).map(|stat| stat.started) == started {
            // The supervisor has no child left and is about to exit. The signal ends the supervisor even if it does not
            // exit by itself.
            signal(&[leader], Signal::KILL);
        }
    }

    /// Returns the processes of the tree that have not ended, except a supervisor. `all` are the processes that were found,
    /// and `started` is the start time of the leader.
    fn members(&self, all: Vec<(i32, Stat)>, started: Option<u64>) -> Vec<ProcessIdentity> {
        let mut all = only_descendants(std::process::id().cast_signed(), all);
        all.retain(|(_, stat)| stat.alive);
        let leader = self.leader.cast_signed();
        let has_leader = all.iter().any(|(pid, stat)| *pid == leader && Some(stat.started) == started);
        let mut found: HashSet<i32> = if has_leader { HashSet::from([leader]) } else { HashSet::new() };
        loop {
            let before = found.len();
            let children = all.iter().filter(|(_, stat)| found.contains(&stat.parent));
            let children: Vec<i32> = children.map(|&(pid, _)| pid).collect();
            found.extend(children);
            if found.len() == before {
                break;
            }
        }
        let related = all
            .iter()
            .filter(|(pid, stat)| stat.session == self.leader || self.marker.is_carried_by(*pid))
            .map(|&(pid, _)| pid);
        found.extend(related);
        if self.supervised || !has_leader {
            found.remove(&leader);
        }
        all.iter().filter(|(pid, _)| found.contains(pid)).map(|(pid, stat)| (*pid, stat.started)).collect()
    }
}

fn signal<'a>(processes: impl IntoIterator<Item = &'a i32>, signal: Signal) {
    for pid in processes.into_iter().filter_map(|&pid| Pid::from_raw(pid)) {
        // The process may have exited since it was found.
        let _ = kill_process(pid, signal);
    }
}

/// Sends SIGTERM to every process of the computer except this process and those named `excluded`. Returns when all
/// other processes have exited.
pub(super) fn terminate_all(excluded: &str) {
    let mut signaled = HashSet::new();
    loop {
        let left: Vec<i32> = living_descendants()
            .filter(|&pid| process_name(pid).is_some_and(|name| name != excluded))
            .collect();
        if left.is_empty() {
            return;
        }
        for pid in left {
            if let Some(process) = Pid::from_raw(pid)
                && signaled.insert(pid)
            {
                // The process may have exited since it was listed.
                let _ = kill_process(process, Signal::TERM);
            }
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// The process ID and the start time of a process. The pair is unique, unlike the ID alone.
pub(crate) type ProcessIdentity = (i32, u64);

/// Kills every descendant of `ancestor`, which must adopt orphans, except the `excluded` processes and their
/// descendants. Returns `true` if all have ended, and `false` if some have not ended after [`KILL_TIMEOUT`].
pub(crate) fn kill_descendants(ancestor: i32, excluded: &HashSet<ProcessIdentity>) -> bool {
    kill_found(|stopped| stop_descendants(ancestor, excluded, stopped))
}

/// The result of a search for processes.
struct Search {
    /// The processes that have not ended.
    left: Vec<i32>,
    /// Whether one of them was not found before.
    found_another: bool,
    /// Whether no process ended during the search. Before its end, a process may have started another one, which the search
    /// has not found.
    is_complete: bool,
}

/// Kills all processes that `find_and_stop` finds. `find_and_stop` stops each process with SIGSTOP and adds it to the
/// set.
///
/// The processes are killed once a search finds no new process, because stopped processes cannot start others. Returns
/// `true` if all have ended, and `false` if some have not ended after [`KILL_TIMEOUT`].
fn kill_found(mut find_and_stop: impl FnMut(&mut HashSet<ProcessIdentity>) -> Search) -> bool {
    let deadline = Instant::now() + KILL_TIMEOUT;
    let mut stopped = HashSet::new();
    let mut empty_searches = 0;
    loop {
        let Search { left, found_another, is_complete } = find_and_stop(&mut stopped);
        if left.is_empty() {
            empty_searches += 1;
            if is_complete || empty_searches == MAX_EMPTY_SEARCHES {
                return true;
            }
            continue;
        }
        empty_searches = 0;
        let is_late = Instant::now() > deadline;
        if is_late || !found_another {
            signal(&left, Signal::KILL);
            if is_late {
                return false;
            }
            thread::sleep(POLL_INTERVAL);
        }
    }
}

/// Stops a process with SIGSTOP and adds it to `stopped`, unless it is already in this set. Returns whether it was
/// added.
fn stop(pid: i32, started: u64, stopped: &mut HashSet<ProcessIdentity>) -> bool {
    let is_new = stopped.insert((pid, started));
    if is_new {
        signal(&[pid], Signal::STOP);
    }
    is_new
}

/// Sends SIGSTOP to all descendants of `ancestor` that have not ended, except the `excluded` processes and their
/// descendants. Stopped processes still count as not ended, but cannot start others.
///
/// Stops each process as soon as it is found: a process that repeatedly forks and exits would no longer exist when the
/// search ends.
fn stop_descendants(
    ancestor: i32,
    excluded: &HashSet<ProcessIdentity>,
    stopped: &mut HashSet<ProcessIdentity>,
) -> Search {
    let mut tree = HashSet::from([ancestor]);
    let (mut left, mut found_another, mut is_complete) = (Vec::new(), false, true);
    let mut others = Vec::new();
    let mut visit = |pid: i32, stat: &Stat, tree: &mut HashSet<i32>| {
        let is_member = tree.contains(&stat.parent) && !excluded.contains(&(pid, stat.started));
        if is_member && stat.alive {
            found_another |= stop(pid, stat.started, stopped);
            left.push(pid);
        }
        is_complete &= !is_member || stat.alive;
        if is_member {
            tree.insert(pid);
        }
        is_member
    };
    let mut has_ended = false;
    for pid in pids() {
        match Stat::of(pid) {
            Some(stat) if visit(pid, &stat, &mut tree) => {}
            Some(stat) => others.push((pid, stat)),
            None => has_ended = true,
        }
    }
    // A child is usually listed before its parent.
    loop {
        let before = others.len();
        others.retain(|(pid, stat)| !visit(*pid, stat, &mut tree));
        if others.len() == before {
            break;
        }
    }
    Search { left, found_another, is_complete: is_complete && !has_ended }
}

/// Returns the processes of the computer that have not ended, except the agent. All of them are descendants of the
/// agent.
pub(super) fn living_descendants() -> impl Iterator<Item = i32> {
    alive(descendants(std::process::id().cast_signed()))
}

fn alive(processes: Vec<(i32, Stat)>) -> impl Iterator<Item = i32> {
    processes.into_iter().filter(|(_, stat)| stat.alive).map(|(pid, _)| pid)
}

/// Returns all descendants of a process, including zombies.
pub(crate) fn descendants(ancestor: i32) -> Vec<(i32, Stat)> {
    only_descendants(ancestor, list().0)
}

/// Returns all processes, and whether none of them ended during the search.
fn list() -> (Vec<(i32, Stat)>, bool) {
    let mut is_complete = true;
    let mut found = Vec::new();
    for pid in pids() {
        match Stat::of(pid) {
            Some(stat) => found.push((pid, stat)),
            None => is_complete = false,
        }
    }
    (found, is_complete)
}

fn only_descendants(ancestor: i32, mut rest: Vec<(i32, Stat)>) -> Vec<(i32, Stat)> {
    let mut found = HashSet::from([ancestor]);
    let mut descendants = Vec::new();
    loop {
        let (children, others): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|(_, stat)| found.contains(&stat.parent));
        if children.is_empty() {
            return descendants;
        }
        found.extend(children.iter().map(|&(pid, _)| pid));
        descendants.extend(children);
        rest = others;
    }
}

/// Returns the name of a process, as `ps` shows it.
pub(super) fn process_name(pid: i32) -> Option<String> {
    // A process can set its name to any bytes.
    let name = fs::read(format!("/proc/{pid}/comm")).ok()?;
    Some(String::from_utf8_lossy(&name).trim_end_matches('\n').to_owned())
}

/// Returns the IDs of all processes that this process can see. The newest process is usually the first one, because it
/// may end before a search reaches the end of the list.
fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    let mut pids: Vec<i32> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    pids.sort_unstable_by(|one, other| other.cmp(one));
    pids.into_iter()
}

/// The fields of `/proc/PID/stat` that the agent and the server use.
#[derive(Debug)]
pub(crate) struct Stat {
    pub(crate) alive: bool,
    pub(crate) parent: i32,
    session: u32,
    /// The start time, in clock ticks since the system booted. It distinguishes processes that had the same ID at
    /// different times.
    pub(crate) started: u64,
}

impl Stat {
    pub(crate) fn of(pid: i32) -> Option<Self> {
        Self::parse(&String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/stat")).ok()?))
    }

    /// Parses the content of `/proc/PID/stat`. The name is in parentheses and may contain spaces and parentheses, so
    /// the fields are counted from the last parenthesis.
    fn parse(line: &str) -> Option<Self> {
        let (_, fields) = line.rsplit_once(')')?;
        let mut fields = fields.split_ascii_whitespace();
        let alive = !matches!(fields.next()?, "Z" | "X");
        let parent = fields.next()?.parse().ok()?;
        let session = fields.nth(1)?.parse().ok()?;
        let started = fields.nth(15)?.parse().ok()?;
        Some(Self { alive, parent, session, started })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let stat = Stat::parse(&format!("42 (a) b) S 1 42 40{} 99 7", " 0".repeat(15)))
            .expect("the line is complete");
        assert!(stat.alive);
        assert_eq!((stat.parent, stat.session, stat.started), (1, 40, 99));
    }

    #[test]
    fn a_zombie_is_not_alive() {
        let stat =
            Stat::parse(&format!("42 (sh) Z 1 42 40{} 99", " 0".repeat(15))).expect("the line is complete");
        assert!(!stat.alive);
    }
}
