//! REST calls: their declarations, and the state machine of one call.

pub mod call;
pub mod calls;
pub mod custom;
pub mod download;
pub mod http;
pub mod image;
pub mod operation;
pub mod refusal;
pub mod retry;
pub mod schema;
pub mod upload;
