//! A client: settings, credentials and connections.

use std::sync::Arc;
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use orgo_core::channel::{Protocol, Session, Target};
use orgo_core::client::config::{Config, RawConfig};
use orgo_core::driver::Source;
use orgo_core::error;
use orgo_core::rest::upload::Content;
use serde::Deserialize;

use crate::call::{Call, Prepared};
use crate::channel::{Channel, Handle};
use crate::clock;
use crate::convert::{RawTarget, parse, thrown};
use crate::log::{Log, LogFunction};
use crate::network::{Network, seed};

/// The content of a file to upload.
#[napi(object, object_to_js = false)]
pub struct RawContent {
    pub name: String,
    pub content_type: String,
    pub data: Uint8Array,
    /// Whether `Call.nextUploadProgress` will be asked how far the upload is.
    pub watched: Option<bool>,
}

#[derive(Deserialize)]
struct TerminalOptions {
    #[serde(default)]
    cols: Option<f64>,
    #[serde(default)]
    rows: Option<f64>,
}

#[derive(Deserialize)]
struct AudioOptions {
    #[serde(default)]
    sample_rate: Option<f64>,
    #[serde(default)]
    channels: Option<f64>,
    /// How long a batch gathers after its first samples, in milliseconds.
    #[serde(default = "AudioOptions::default_batch")]
    batch_ms: u16,
}

impl AudioOptions {
    /// As long as a frame is by default, so that one wait joins about two of them.
    fn default_batch() -> u16 {
        20
    }
}

#[derive(Deserialize)]
struct EventsOptions {
    #[serde(default)]
    types: Vec<String>,
}

/// A client.
#[napi]
pub struct Client {
    config: Arc<Config>,
    network: Network,
}

#[napi]
impl Client {
    /// Checks the settings. Opens nothing. `log` gets the level and the text of each line.
    #[napi(
        constructor,
        catch_unwind,
        ts_args_type = "configJson: string, log?: (level: string, line: string) => void"
    )]
    #[allow(clippy::needless_pass_by_value, reason = "napi hands strings over by value")]
    pub fn new(config_json: String, log: Option<LogFunction>) -> napi::Result<Self> {
        let config = parse::<RawConfig>("Orgo", "options", &config_json).and_then(Config::try_from);
        Ok(Self {
            config: Arc::new(config.map_err(|error| thrown(&error))?),
            network: Network::from_env(Log::new(log)),
        })
    }

    /// Prepares a call.
    #[napi(catch_unwind)]
    pub fn call(
        &self,
        operation: String,
        params_json: String,
        options_json: String,
        content: Option<RawContent>,
    ) -> Call {
        let watched = content.as_ref().is_some_and(|content| content.watched == Some(true));
        Call::new(watched, |progress_sender| Prepared {
            progress_sender,
            network: self.network.clone(),
            config: Arc::clone(&self.config),
            operation,
            params: params_json,
            options: options_json,
            content: content.map(|content| Content {
                name: content.name,
                content_type: content.content_type,
                data: content.data.to_vec(),
            }),
        })
    }

    /// Opens a terminal.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi hands strings over by value")]
    pub fn terminal(&self, env: &Env, target_json: String, options_json: String) -> napi::Result<Channel> {
        const OWNER: &str = "computers.terminal";
        let session = parse::<TerminalOptions>(OWNER, "options", &options_json).and_then(|options| {
            let (target, source) = self.target(OWNER, &target_json)?;
            let session = Session::terminal(target, options.cols, options.rows, seed(), clock::now())?;
            Ok((session, source))
        });
        self.open(env, session, Handle::Terminal)
    }

    /// Listens to the sound.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi hands strings over by value")]
    pub fn audio(&self, env: &Env, target_json: String, options_json: String) -> napi::Result<Channel> {
        const OWNER: &str = "computers.audio";
        let mut batch = 0;
        let session = parse::<AudioOptions>(OWNER, "options", &options_json).and_then(|options| {
            batch = options.batch_ms;
            let (target, source) = self.target(OWNER, &target_json)?;
            let session =
                Session::audio(target, options.sample_rate, options.channels, seed(), clock::now())?;
            Ok((session, source))
        });
        self.open(env, session, |channel| Handle::Audio(channel, Duration::from_millis(batch.into())))
    }

    /// Listens for events.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi hands strings over by value")]
    pub fn events(&self, env: &Env, target_json: String, options_json: String) -> napi::Result<Channel> {
        const OWNER: &str = "computers.events";
        let session = parse::<EventsOptions>(OWNER, "options", &options_json).and_then(|options| {
            let (target, source) = self.target(OWNER, &target_json)?;
            Ok((Session::events(target, &options.types, seed(), clock::now())?, source))
        });
        self.open(env, session, Handle::Events)
    }

    fn target(&self, owner: &str, json: &str) -> Result<(Target, Source), error::Error> {
        let raw: RawTarget = parse(owner, "target", json)?;
        let source = if raw.refreshable {
            Source::Consumer(self.config.request_timeout())
        } else {
            Source::Service(Config::clone(&self.config))
        };
        let mut target = Target::new(&self.config, raw.address, raw.password);
        target.limit_reconnects(raw.max_reconnects)?;
        Ok((target, source))
    }

    fn open<C>(
        &self,
        env: &Env,
        session: Result<(Session<C>, Source), error::Error>,
        handle: impl FnOnce(orgo_core::driver::Channel<C>) -> Handle,
    ) -> napi::Result<Channel>
    where
        C: Protocol + Send + 'static,
        C::Item: Send,
    {
        let (session, source) = session.map_err(|error| thrown(&error))?;
        Channel::open(env, session, self.network.clone(), source, handle)
    }
}
