//! The log, and the masking of secrets in every text that users see.

pub mod log;
pub mod mask;
