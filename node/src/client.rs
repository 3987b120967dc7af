//! A client as a JavaScript class.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Object, Uint8Array, Unknown};
use napi_derive::napi;
use orgo_core::client::config::Config;
use orgo_core::client::fields::read_object;
use orgo_core::driver;
use orgo_core::rest::upload::{Content, Data};

use crate::call::{PendingCall, Prepared};
use crate::channel::Channel;
use crate::clock;
use crate::log::{Log, LogFunction};
use crate::network::{Network, seed};
use crate::values::{stringify, thrown};

/// A client: its settings, credentials and connections.
#[napi]
pub struct Client {
    config: Arc<Config>,
    network: Network,
}

#[napi]
impl Client {
    /// Creates a client and checks its settings. Opens no connection. `log` receives the level and the text of each
    /// line.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: &Env, config: Unknown<'_>, log: Option<LogFunction>) -> napi::Result<Self> {
        let config = read_object("Orgo", "options", stringify(env, config, "{}").as_deref());
        let config = config.and_then(|config| Config::read(&config)).map_err(|error| thrown(env, &error))?;
        Ok(Self { config: Arc::new(config), network: Network::from_env(Log::new(log)) })
    }

    /// Prepares a call. An invalid parameter is reported by its outcome, like every other failure.
    #[napi(catch_unwind)]
    pub fn call(
        &self,
        env: &Env,
        operation: String,
        params: Unknown<'_>,
        options: Unknown<'_>,
        content: Option<Object<'_>>,
    ) -> PendingCall {
        let reports_progress = content
            .as_ref()
            .is_some_and(|content| content.get("reports_progress").is_ok_and(|value| value == Some(true)));
        let content = content.map(|content| read_content(&operation, &content)).transpose();
        let has_file = content.as_ref().is_ok_and(|content| {
            content.as_ref().is_some_and(|content| matches!(content.data, Data::External { .. }))
        });
        PendingCall::new(reports_progress, has_file, |progress_sender, file, opened| Prepared {
            progress_sender,
            network: self.network.for_call(file, opened),
            config: Arc::clone(&self.config),
            params: stringify(env, params, "{}"),
            options: stringify(env, options, "{}"),
            content,
            operation,
        })
    }

    /// Opens a channel. `kind` is `terminal`, `audio` or `events`.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi passes strings by value")]
    pub fn open(
        &self,
        env: &Env,
        kind: String,
        target: Unknown<'_>,
        options: Unknown<'_>,
    ) -> napi::Result<Channel> {
        let open = || {
            let target = read_object("channel", "target", stringify(env, target, "{}").as_deref())?;
            let options = read_object("channel", "options", stringify(env, options, "{}").as_deref())?;
            driver::Channel::open(&self.config, &kind, &target, &options, seed(), clock::now())
        };
        Channel::start(env, open().map_err(|error| thrown(env, &error))?, self.network.clone())
    }
}

fn read_content(operation: &str, content: &Object<'_>) -> Result<Content, orgo_core::error::Error> {
    let text = |name: &str| content.get::<String>(name).ok().flatten();
    let data = content.get::<Uint8Array>("data").ok().flatten().map(|data| data.to_vec().into());
    let source = || content.get::<Object<'_>>("source").ok().flatten().map(|source| read_source(&source));
    Content::read(operation, text("name"), text("content_type"), data.or_else(source))
}

fn read_source(source: &Object<'_>) -> Data {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the size of a file")]
    let size = source.get::<f64>("size").ok().flatten().map(|size| size as u64);
    Data::External { size, repeatable: source.get("repeatable").ok().flatten().unwrap_or_default() }
}
