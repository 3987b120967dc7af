//! TLS for byte streams, and the trusted certificates.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, InvalidMessage, RootCertStore};
use rustls_native_certs::{CertificateResult, load_certs_from_paths, load_native_certs};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::{BoxError, Failure};

/// TLS with the root certificates of the environment, which are read at the first secure connection.
#[derive(Debug)]
pub(crate) struct Tls {
    trust: Trust,
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
}

/// The sources of trusted certificates: the file and the folders of `SSL_CERT_FILE` and `SSL_CERT_DIR` if one is set,
/// else the system's store, else (in containers without one) Mozilla's list, which Node trusts too. The certificates of
/// `NODE_EXTRA_CA_CERTS` are always added.
#[derive(Debug, Clone, Default)]
struct Trust {
    file: Option<PathBuf>,
    folders: Vec<PathBuf>,
    extra: Option<PathBuf>,
}

impl Trust {
    fn from_env() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            file: variable("SSL_CERT_FILE").map(PathBuf::from),
            folders: variable("SSL_CERT_DIR")
                .map(|folders| std::env::split_paths(&folders).collect())
                .unwrap_or_default(),
            extra: variable("NODE_EXTRA_CA_CERTS").map(PathBuf::from),
        }
    }

    fn load(&self) -> Result<RootCertStore, String> {
        let mut roots = RootCertStore::empty();
        let mut problems = Vec::new();
        let mut add = |roots: &mut RootCertStore, found: CertificateResult| {
            problems.extend(found.errors.iter().map(ToString::to_string));
            roots.add_parsable_certificates(found.certs);
        };
        if self.file.is_none() && self.folders.is_empty() {
            add(&mut roots, load_native_certs());
            if roots.is_empty() {
                roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            }
        }
        for file in self.file.iter().chain(&self.extra) {
            add(&mut roots, load_certs_from_paths(Some(file), None));
        }
        for folder in &self.folders {
            add(&mut roots, load_certs_from_paths(None, Some(folder)));
        }
        if roots.is_empty() {
            return Err(format!("there are no trusted certificates: {}", problems.join("; ")));
        }
        Ok(roots)
    }
}

impl Tls {
    /// Reads the environment, but no files. Call this on the thread that may change the environment.
    pub(crate) fn from_env() -> Self {
        Self { trust: Trust::from_env(), config: OnceLock::new() }
    }

    /// Performs the TLS handshake with the server of this name or address.
    pub(crate) async fn connect<S>(&self, host: &str, stream: S) -> Result<TlsStream<S>, BoxError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let config = self.config.get_or_init(|| self.configure()).as_ref().map_err(Clone::clone)?;
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(name.to_owned())?;
        let connected = TlsConnector::from(Arc::clone(config)).connect(name, stream).await;
        connected.map_err(|error| {
            Failure::new(format_args!("TLS with {host} failed{}", hint(&error)), &error).into()
        })
    }

    fn configure(&self) -> Result<Arc<ClientConfig>, String> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(self.trust.load()?)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// Returns the probable mistake behind an error whose own text names none.
fn hint(error: &io::Error) -> &'static str {
    let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return "";
    };
    match error {
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            " (the server probably does not use TLS on this port)"
        }
        rustls::Error::InvalidCertificate(CertificateError::Other(other))
            if other.to_string().contains("CaUsedAsEndEntity") =>
        {
            " (the certificate of the server is a CA certificate: create it with the extension basicConstraints=CA:FALSE)"
        }
        _ => "",
    }
}
