//! Log entries, and the masking of secrets in external text.

pub mod log;
pub mod mask;
