//! Synthetic input with the XTEST extension: presses, pointer actions and their cancellation.

pub(super) mod cancellation;
pub(super) mod pointer;
pub(super) mod xtest;
