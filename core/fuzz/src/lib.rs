//! What the fuzzers run. The bodies are those of the core's test `fuzz`, which holds the kept inputs to them.

#[path = "../../tests/fuzz/targets/mod.rs"]
mod targets;

/// Runs the body of that name.
///
/// # Panics
/// If there is none, or if something does not hold that must.
pub fn run(name: &str, data: &[u8]) {
    let (_, body) = targets::ALL.iter().find(|(own, _)| *own == name).expect("the name of a body");
    body(data);
}
