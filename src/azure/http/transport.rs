//! Between our types and those of the Azure crates.

use super::{Reply, cause::links};
use crate::azure::error::Error;
use azure_core::{
    cloud::{CloudConfiguration, CustomConfiguration},
    error::ErrorKind,
    http::{
        AsyncRawResponse, ClientOptions, HttpClient, RetryOptions, StatusCode, Transport,
        headers::{HeaderName, HeaderValue, Headers},
    },
};
use reqwest::header::HeaderMap;
use std::sync::Arc;
use url::Url;

/// Options for a client or credential of the Azure crates: our way out, no retries (the cache and the broker decide on those) and, for
/// credentials, the Entra endpoint, so that they look for none in the process environment.
pub(in crate::azure) fn client_options(transport: Arc<dyn HttpClient>, authority: Option<&Url>) -> ClientOptions {
    let cloud = authority.map(|authority| {
        let mut cloud = CustomConfiguration::default();
        authority.as_str().clone_into(&mut cloud.authority_host);
        Arc::new(CloudConfiguration::from(cloud))
    });
    ClientOptions {
        transport: Some(Transport::new(transport)),
        retry: RetryOptions::none(),
        cloud,
        ..ClientOptions::default()
    }
}

/// Hands an answer to the Azure crates.
pub(in crate::azure) fn raw_response(reply: Reply) -> AsyncRawResponse {
    AsyncRawResponse::from_bytes(StatusCode::from(reply.status.as_u16()), headers(&reply.headers), reply.body)
}

fn headers(map: &HeaderMap) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in map {
        if let Ok(value) = value.to_str() {
            headers.insert(HeaderName::from(name.as_str().to_owned()), HeaderValue::from(value.to_owned()));
        }
    }
    headers
}

/// Hands one of our errors through the Azure crates. The kind is `Other` on purpose: it is the one that no retry policy of theirs retries,
/// and IMDS has one that cannot be switched off.
pub(in crate::azure) fn wrapped(error: Error) -> azure_core::Error {
    azure_core::Error::new(ErrorKind::Other, error)
}

/// Our error inside one of the Azure crates, if one of ours began it.
pub(in crate::azure) fn our_error(error: &azure_core::Error) -> Option<&Error> {
    links(error).find_map(|link| link.downcast_ref())
}
