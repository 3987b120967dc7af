//! The fuzz targets. They are shared with the test `fuzz` of the core, which runs the corpus.

#[path = "../../tests/fuzz/targets/mod.rs"]
mod targets;

/// Runs the fuzz target of the given name.
///
/// # Panics
/// If the target does not exist, or an invariant is violated.
pub fn run(name: &str, data: &[u8]) {
    let (_, body) = targets::ALL.iter().find(|(own, _)| *own == name).expect("the name of a fuzz target");
    body(data);
}
