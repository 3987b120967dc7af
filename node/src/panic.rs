//! Turns panics into errors. A panic is a bug of this library, and must not end the process.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

/// Returns the value of a future, or the message of a panic in it.
pub(crate) async fn catch_panic<T>(future: impl Future<Output = T>) -> Result<T, String> {
    // After a panic the caller drops or closes the state of the future, and does not use it again.
    AssertUnwindSafe(future).catch_unwind().await.map_err(|payload| describe(&*payload))
}

fn describe(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message");
    format!("internal error of orgo-sdk: {text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn a_panic_becomes_its_message() {
        let failed: Result<(), String> = run(catch_panic(async { panic!("boom {}", 1) }));
        assert_eq!(failed.unwrap_err(), "internal error of orgo-sdk: boom 1");
        let failed: Result<(), String> = run(catch_panic(async { panic!("boom") }));
        assert_eq!(failed.unwrap_err(), "internal error of orgo-sdk: boom");
        assert_eq!(run(catch_panic(async { 7 })), Ok(7));
    }
}
