//! Converts the errors of libraries to one type, to one line of text, and to the error codes of Node.

use std::error::Error;
use std::{fmt, io};

use rustls::CertificateError;

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// An error with its description, which includes the descriptions of its causes, and its error code.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    code: Option<&'static str>,
}

impl Failure {
    /// Creates an error with an additional explanation of `cause`.
    pub(crate) fn new(explanation: impl fmt::Display, cause: &(dyn Error + 'static)) -> Self {
        Self { message: format!("{explanation}: {}", describe(cause)), code: code(cause) }
    }

    /// Sets the error code if the cause has none.
    pub(crate) fn or_code(self, code: &'static str) -> Self {
        Self { code: self.code.or(Some(code)), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {}

/// Describes an error with its causes on one line, because the outermost message of a network library has few details.
pub(crate) fn describe(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for error in causes(error).skip(1) {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
    }
    text
}

/// Returns the code that Node has for an error or one of its causes, such as `ECONNREFUSED`.
pub(crate) fn code(error: &(dyn Error + 'static)) -> Option<&'static str> {
    causes(error).find_map(|error| {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return failure.code;
        }
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return of_tls(error);
        }
        let error = error.downcast_ref::<io::Error>()?;
        // The source of an `io::Error` skips the error that it contains.
        let inner = error.get_ref().and_then(|inner| code(inner));
        inner.or_else(|| of_io(error.kind()))
    })
}

/// Returns the error of a type among an error and its causes.
pub(crate) fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    causes(error).find_map(|error| error.downcast_ref::<E>())
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn of_io(kind: io::ErrorKind) -> Option<&'static str> {
    use io::ErrorKind as Kind;
    Some(match kind {
        Kind::ConnectionRefused => "ECONNREFUSED",
        Kind::ConnectionReset => "ECONNRESET",
        Kind::ConnectionAborted => "ECONNABORTED",
        Kind::BrokenPipe => "EPIPE",
        Kind::TimedOut => "ETIMEDOUT",
        Kind::HostUnreachable => "EHOSTUNREACH",
        Kind::NetworkUnreachable => "ENETUNREACH",
        Kind::AddrNotAvailable => "EADDRNOTAVAIL",
        Kind::PermissionDenied => "EACCES",
        _ => return None,
    })
}

fn of_tls(error: &rustls::Error) -> Option<&'static str> {
    let error = match error {
        rustls::Error::InvalidMessage(_) => return Some("EPROTO"),
        rustls::Error::InvalidCertificate(error) => error,
        _ => return None,
    };
    Some(match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "CERT_HAS_EXPIRED",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "CERT_NOT_YET_VALID",
        CertificateError::UnknownIssuer => "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "ERR_TLS_CERT_ALTNAME_INVALID"
        }
        CertificateError::Revoked => "CERT_REVOKED",
        _ => return None,
    })
}
