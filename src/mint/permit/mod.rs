//! Decides whether one described HTTP request may be signed with an account's key under a shared-key grant, and signs it.
//! It never signs what a service SAS of the same scope could not do, and decides on nothing that the signature leaves open, because whoever gets
//! the signature can still change that. The broker calls it for `SignRequest`.
//!
//! An operation is signed if it stands in the table of its service ([`blob`], [`dfs`], [`file`], [`queue`], [`table`]), with every query parameter
//! and `x-ms-` header that it has; the letters are those of "Create a service SAS", and where that page is silent, of "Create an account SAS".
//! What cannot be held to: a Shared Key signature names no service, so that one for `/name/path` is good at each service of the account that has a
//! container, share or queue of that name.

mod area;
mod blob;
mod body;
mod dfs;
mod endpoint;
mod file;
mod header;
mod operation;
mod queue;
mod table;
mod target;

use super::{BadGrant, ScopeConfig, StorageService, StoredKey};
use crate::{
    model::Secret,
    sign::{self, AccountName, Key, Request, Scheme, SharedKey, Version},
};
use area::Area;
use endpoint::Endpoint;
use operation::Operation;
use std::time::SystemTime;
use target::Target;

/// What of an account's requests a shared-key grant lets be signed: one service, one container, share, queue or table, some permissions.
#[derive(Debug, Clone)]
pub struct RequestScope {
    service: StorageService,
    account: AccountName,
    endpoint: Endpoint,
    area: Area,
    letters: String,
}

/// What a request must carry to be taken as the account's own.
#[derive(Debug, Clone)]
pub struct SignedRequest {
    /// The value of `Authorization`.
    pub authorization: Secret,
    /// The value of `x-ms-date`: the request's own, where it had one.
    pub x_ms_date: String,
}

/// Why a request was not signed, for people; it repeats no value of the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestRefusal {
    /// It is no request that could be sent as described, or that is read in one way only.
    #[error("{0}")]
    Malformed(String),
    /// It does more than the grant allows, which the text says.
    #[error("{0}")]
    Outside(String),
    /// The key is none that signs requests.
    #[error("{0}")]
    BadKey(String),
}

impl RequestScope {
    pub(super) fn new(
        service: StorageService,
        account: AccountName,
        endpoint: &str,
        scope: &ScopeConfig,
    ) -> Result<Self, BadGrant> {
        // What a signature cannot hold to must not look as if it did. Of a table's request neither query nor body is signed.
        let unkept = [
            ("snapshot", scope.snapshot.is_some()),
            ("version_id", scope.version_id.is_some()),
            ("identifier", scope.identifier.is_some()),
            ("ip", scope.ip.is_some()),
            ("encryption_scope", scope.encryption_scope.is_some()),
            ("start_pk", scope.start_pk.is_some()),
            ("start_rk", scope.start_rk.is_some()),
            ("end_pk", scope.end_pk.is_some()),
            ("end_rk", scope.end_rk.is_some()),
            ("authorized_object_id", scope.authorized_object_id.is_some()),
            ("unauthorized_object_id", scope.unauthorized_object_id.is_some()),
            ("correlation_id", scope.correlation_id.is_some()),
        ];
        if let Some((field, _)) = unkept.into_iter().find(|(_, written)| *written) {
            return Err(BadGrant { field, problem: "is nothing that a shared-key grant can hold to".to_owned() });
        }
        let Some(endpoint) = Endpoint::parse(endpoint, &account) else {
            let problem = "its account's endpoint is no plain URL: write https://HOST or http://HOST:PORT/ACCOUNT";
            return Err(BadGrant { field: "", problem: problem.to_owned() });
        };
        let letters = scope.permissions.clone().unwrap_or_default();
        Ok(Self { service, account, endpoint, area: Area::of(service, scope), letters })
    }

    /// Signs a request within this scope, as made at `now`.
    ///
    /// # Errors
    /// A request that is malformed, or outside the scope; a key that is no account key.
    pub fn sign(
        &self,
        key: &StoredKey,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        now: SystemTime,
    ) -> Result<SignedRequest, RequestRefusal> {
        let Key::Account(key) = &key.key else {
            return Err(RequestRefusal::BadKey("it is no key of a storage account".to_owned()));
        };
        let request = Request::parse(method, url, headers).map_err(|error| malformed(&error))?;
        self.check(&request)?;
        let signer =
            SharedKey { account: self.account.clone(), service: signer_of(self.service), scheme: Scheme::SharedKey };
        let (signed, x_ms_date) = signer.sign_now(key, request, now).map_err(|error| malformed(&error))?;
        Ok(SignedRequest { authorization: signed.token, x_ms_date })
    }

    fn check(&self, request: &Request) -> Result<(), RequestRefusal> {
        check_form(request)?;
        let Some(path) = self.endpoint.path(request, &self.account) else {
            return Err(self.outside(&format!("the URL is not below {}", self.endpoint)));
        };
        let target = Target::parse(self.service, &path).map_err(RequestRefusal::Malformed)?;
        if !self.area.has_container(&target) {
            return Err(self.outside("the URL names something else of the account"));
        }
        let Some(operation) = self.operations().iter().find(|operation| operation.is(request, &target)) else {
            return Err(self.outside("the request is no operation that a grant can allow here"));
        };
        let name = operation.name;
        if !self.area.holds(&target, operation.reach, request) {
            return Err(self.outside(&format!("{name} would reach further than the grant")));
        }
        if let Some(header) = request.header_names().find(|name| !operation.knows_header(name, request.header(name))) {
            return Err(self.outside(&format!("{name} is not signed with {}", quotable(header))));
        }
        if let Err(needed) = operation.permit(request, &self.letters) {
            return Err(self.outside(&format!("{name} needs {needed}")));
        }
        operation.body.check(request).map_err(|problem| RequestRefusal::Malformed(format!("{name} {problem}")))
    }

    fn operations(&self) -> &'static [Operation] {
        match self.service {
            StorageService::Blob => blob::OPERATIONS,
            StorageService::Dfs => dfs::OPERATIONS,
            StorageService::File => file::OPERATIONS,
            StorageService::Queue => queue::OPERATIONS,
            StorageService::Table => table::OPERATIONS,
        }
    }

    fn outside(&self, problem: &str) -> RequestRefusal {
        let Self { service, area, letters, .. } = self;
        RequestRefusal::Outside(format!(
            "{problem}: the grant allows {letters:?} on {area}, service {}",
            service.as_str()
        ))
    }
}

/// What is wrong with a request whatever the grant.
fn check_form(request: &Request) -> Result<(), RequestRefusal> {
    let refuse = |problem: &str| Err(RequestRefusal::Malformed(problem.to_owned()));
    if request.version().map_err(|error| malformed(&error))?.is_some_and(|version| version < Version::OLDEST) {
        return refuse("x-ms-version is before 2015-04-05: ask for a later one");
    }
    // Joined by commas when they are signed: two of them read like one with a comma.
    let query = request.query();
    if query.iter().enumerate().any(|(at, (name, _))| query[..at].iter().any(|(other, _)| other == name)) {
        return refuse("url has a query parameter twice, in whatever case: send it once");
    }
    if request.has_header("transfer-encoding") {
        return refuse("headers has Transfer-Encoding, which is not signed: say the Content-Length");
    }
    if request.header_names().any(|name| name.starts_with("x-http-method")) {
        return refuse("headers has another method, which is not signed: describe the request with its own method");
    }
    if request.has_header("host") && !endpoint::same_host(&request.origin(), request.header("host")) {
        return refuse("headers has a Host that is not the URL's: leave it out");
    }
    if request.has_header("range") && request.has_header("x-ms-range") {
        return refuse("headers has both Range and x-ms-range: send one");
    }
    Ok(())
}

fn malformed(error: &sign::SignError) -> RequestRefusal {
    RequestRefusal::Malformed(error.to_string())
}

/// The longest name of a header that a refusal repeats.
const LONGEST_QUOTED: usize = 64;

/// A header's name, which may be repeated: it is a token of HTTP.
fn quotable(header: &str) -> &str {
    if header.len() > LONGEST_QUOTED { "one of its headers" } else { header }
}

fn signer_of(service: StorageService) -> sign::StorageService {
    match service {
        StorageService::Blob => sign::StorageService::Blob,
        StorageService::Dfs => sign::StorageService::Dfs,
        StorageService::File => sign::StorageService::File,
        StorageService::Queue => sign::StorageService::Queue,
        StorageService::Table => sign::StorageService::Table,
    }
}
