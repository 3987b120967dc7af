//! Ending everything that a process started.

#![expect(clippy::disallowed_methods, reason = "runs inside the box, with the rights of the computer's user")]

use std::collections::HashSet;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How many times the tree is searched: a fork may slip between the search and the halt, a few rounds catch it.
const ROUNDS: usize = 200;

/// How long the kernel may take to clear processes away. One that waits for a broken disk would take for ever.
const CLEARANCE: Duration = Duration::from_secs(5);

/// How often it is looked who is left.
const TERMINATION_INTERVAL: Duration = Duration::from_millis(5);

/// A variable in the environment of a process and of all that it starts, also of what left its session.
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

/// What a process started.
#[derive(Debug)]
pub(super) struct Tree {
    /// The process that the agent started, which began a session.
    pub(super) leader: u32,
    /// Whether the leader is a supervisor, which all orphans among its descendants fall to.
    pub(super) supervised: bool,
    pub(super) marker: Marker,
}

impl Tree {
    /// Kills the leader's descendants, its session and every process that carries the marker.
    pub(super) fn kill(&self) {
        // Each of them is halted first: once a search finds no other, none is left that could start one.
        let mut halted = HashSet::new();
        for _ in 0..ROUNDS {
            let fresh: Vec<i32> = self.members().into_iter().filter(|&pid| halted.insert(pid)).collect();
            if fresh.is_empty() {
                break;
            }
            signal(&fresh, Signal::STOP);
        }
        signal(&halted, Signal::KILL);
        if self.supervised {
            // It has nothing to wait for now and would end by itself.
            signal(&[self.leader_id()], Signal::KILL);
        }
    }

    fn leader_id(&self) -> i32 {
        self.leader.cast_signed()
    }

    fn members(&self) -> HashSet<i32> {
        let mut all = descendants(std::process::id().cast_signed());
        all.retain(|(_, stat)| stat.alive);
        let leader = self.leader_id();
        let mut found: HashSet<i32> = HashSet::from([leader]);
        loop {
            let before = found.len();
            let descendants = all.iter().filter(|(_, stat)| found.contains(&stat.parent));
            let descendants: Vec<i32> = descendants.map(|&(pid, _)| pid).collect();
            found.extend(descendants);
            if found.len() == before {
                break;
            }
        }
        let strays = all
            .iter()
            .filter(|(pid, stat)| stat.session == self.leader || self.marker.is_carried_by(*pid))
            .map(|&(pid, _)| pid);
        found.extend(strays);
        if self.supervised || !all.iter().any(|&(pid, _)| pid == leader) {
            found.remove(&leader);
        }
        found
    }
}

fn signal<'a>(processes: impl IntoIterator<Item = &'a i32>, signal: Signal) {
    for pid in processes.into_iter().filter_map(|&pid| Pid::from_raw(pid)) {
        // It may have ended by itself since it was found.
        let _ = kill_process(pid, signal);
    }
}

/// Asks every process of the computer to end, but for this one and those named `spared`, and returns when they have.
pub(super) fn terminate_all(spared: &str) {
    let mut asked = HashSet::new();
    loop {
        let left: Vec<i32> = others().filter(|&pid| name(pid).is_some_and(|name| name != spared)).collect();
        if left.is_empty() {
            return;
        }
        for pid in left {
            if let Some(process) = Pid::from_raw(pid)
                && asked.insert(pid)
            {
                // It may have ended by itself since it was listed.
                let _ = kill_process(process, Signal::TERM);
            }
        }
        thread::sleep(TERMINATION_INTERVAL);
    }
}

/// A process, by its number and the time of its start.
pub(crate) type Identity = (i32, u64);

/// Kills every descendant of a process that orphans among them fall to, but for those `spared` and their descendants. Returns
/// when none is left; `false` if some do not end.
pub(crate) fn end_descendants(ancestor: i32, spared: &HashSet<Identity>) -> bool {
    let deadline = Instant::now() + CLEARANCE;
    let mut halted = HashSet::new();
    loop {
        let (left, found_another) = halt_descendants(ancestor, spared, &mut halted);
        if left.is_empty() {
            return true;
        }
        let is_late = Instant::now() > deadline;
        if is_late || !found_another {
            // None is left that could start another.
            signal(&left, Signal::KILL);
            if is_late {
                return false;
            }
            thread::sleep(TERMINATION_INTERVAL);
        }
    }
}

/// Halts the living descendants, which keep their places so that none of them can start another. Returns them, and whether one
/// of them was not `halted` before.
///
/// Each is halted at the moment it is found: one that starts a copy of itself and exits, again and again, would be gone by the end
/// of the search.
fn halt_descendants(
    ancestor: i32,
    spared: &HashSet<Identity>,
    halted: &mut HashSet<Identity>,
) -> (Vec<i32>, bool) {
    let mut family = HashSet::from([ancestor]);
    let (mut left, mut found_another) = (Vec::new(), false);
    let mut others = Vec::new();
    let mut join = |pid: i32, stat: &Stat, family: &mut HashSet<i32>| {
        let is_member = family.contains(&stat.parent) && !spared.contains(&(pid, stat.started));
        if is_member && stat.alive {
            if halted.insert((pid, stat.started)) {
                signal(&[pid], Signal::STOP);
                found_another = true;
            }
            left.push(pid);
        }
        if is_member {
            family.insert(pid);
        }
        is_member
    };
    for pid in pids() {
        if let Some(stat) = Stat::of(pid)
            && !join(pid, &stat, &mut family)
        {
            others.push((pid, stat));
        }
    }
    // Numbers begin anew at their limit, so a parent may have a higher one.
    loop {
        let before = others.len();
        others.retain(|(pid, stat)| !join(*pid, stat, &mut family));
        if others.len() == before {
            return (left, found_another);
        }
    }
}

/// The living processes of the computer, all of which the agent, or an ancestor of theirs, started.
pub(super) fn others() -> impl Iterator<Item = i32> {
    alive(descendants(std::process::id().cast_signed()))
}

fn alive(processes: Vec<(i32, Stat)>) -> impl Iterator<Item = i32> {
    processes.into_iter().filter(|(_, stat)| stat.alive).map(|(pid, _)| pid)
}

/// The processes, also dead ones that nobody has waited for, that a process, or one of its descendants, started.
pub(crate) fn descendants(ancestor: i32) -> Vec<(i32, Stat)> {
    let mut rest: Vec<(i32, Stat)> = pids().filter_map(|pid| Some((pid, Stat::of(pid)?))).collect();
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

/// The name of a process, as `ps` shows it.
pub(super) fn name(pid: i32) -> Option<String> {
    // A process names itself, in whatever bytes.
    let name = fs::read(format!("/proc/{pid}/comm")).ok()?;
    Some(String::from_utf8_lossy(&name).trim_end_matches('\n').to_owned())
}

/// Every process that this one sees.
fn pids() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// The fields of `/proc/PID/stat` that matter here.
#[derive(Debug)]
pub(crate) struct Stat {
    pub(crate) alive: bool,
    pub(crate) parent: i32,
    session: u32,
    /// When it started: no other process has had its number since.
    pub(crate) started: u64,
}

impl Stat {
    pub(crate) fn of(pid: i32) -> Option<Self> {
        Self::parse(&String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/stat")).ok()?))
    }

    /// The name, in parentheses, may itself hold spaces and parentheses, so the fields count from the last one.
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
        let stat = Stat::parse(&format!("42 (a) b) S 1 42 40{} 99 7", " 0".repeat(15))).expect("it is whole");
        assert!(stat.alive);
        assert_eq!((stat.parent, stat.session, stat.started), (1, 40, 99));
    }

    #[test]
    fn a_zombie_is_not_alive() {
        let stat = Stat::parse(&format!("42 (sh) Z 1 42 40{} 99", " 0".repeat(15))).expect("it is whole");
        assert!(!stat.alive);
    }
}
