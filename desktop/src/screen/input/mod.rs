//! Synthetic input through the XTEST extension: key and button presses, pointer actions, and their cancellation.

pub(super) mod cancellation;
pub(super) mod pointer;
pub(super) mod xtest;
