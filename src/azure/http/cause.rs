use super::resolver::NoAddress;
use crate::azure::error::{Error, Peer, TlsProblem, Unreachable};
use rustls::CertificateError;
use std::{error::Error as StdError, io, time::Duration};

/// Puts into our own words why a request got no answer; what reqwest says has the URL in it, and so the secret's name.
pub(super) fn explain(
    error: &reqwest::Error,
    peer: &Peer,
    connect_timeout: Duration,
    request_timeout: Duration,
) -> Error {
    let unreachable = |cause| Error::Unreachable { peer: peer.clone(), cause };
    for link in links(error) {
        if link.is::<NoAddress>() {
            return unreachable(Unreachable::Dns);
        }
        if let Some(tls) = link.downcast_ref::<rustls::Error>() {
            return unreachable(Unreachable::Tls(tls_problem(tls)));
        }
        match link.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => return unreachable(Unreachable::ConnectionRefused),
            Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkDown) => {
                return unreachable(Unreachable::NoRoute);
            }
            _ => {}
        }
    }
    match (error.is_timeout(), error.is_connect()) {
        (true, true) => unreachable(Unreachable::ConnectTimedOut(connect_timeout)),
        (true, false) => Error::TimedOut { peer: peer.clone(), after: request_timeout },
        (false, _) => unreachable(Unreachable::BrokenOff),
    }
}

/// The error and what caused it. An [`io::Error`] hides what it wraps from `source()`, so it is opened here.
pub(super) fn links<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&link| match link.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner as &(dyn StdError + 'static)),
        None => link.source(),
    })
}

pub(super) fn tls_problem(error: &rustls::Error) -> TlsProblem {
    let rustls::Error::InvalidCertificate(certificate) = error else {
        return TlsProblem::Handshake;
    };
    match certificate {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => TlsProblem::WrongName,
        CertificateError::UnknownIssuer => TlsProblem::UnknownIssuer,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsProblem::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsProblem::NotYetValid,
        // rustls has no variant of its own for it and hands on webpki's error, which prints as its name.
        CertificateError::Other(other) if other.to_string() == "CaUsedAsEndEntity" => TlsProblem::CaUsedAsEndEntity,
        _ => TlsProblem::BadCertificate,
    }
}
