//! The settings of a client: configuration, addresses and credentials.

pub mod address;
pub mod config;
pub mod credentials;
pub mod fields;
