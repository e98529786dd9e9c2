use super::{
    AccountConfig, AccountKind, BadGrant, GrantConfig, GrantKind, ScopeConfig, StorageConfig, StorageService,
    permit::RequestScope,
};
use crate::sign::{
    self, AccountName, AccountOptions, AccountSas, CLOCK_SKEW, DELEGATION_CAP, DelegationOptions, DelegationSas,
    KeyRange, Protocol, Resource, Sas, SasOptions, ServiceBusSas, ServiceSas, SignError, Version,
};
use std::time::Duration;

/// A grant of valet.yaml that has been checked as far as it can be without its key.
#[derive(Debug, Clone)]
pub struct Grant {
    /// As written.
    pub config: GrantConfig,
    pub(super) what: What,
}

/// What a grant hands out.
#[derive(Debug, Clone)]
pub(super) enum What {
    /// A SAS of a storage account.
    Sas(sign::Grant),
    /// A SAS of a namespace; its policy may only be known with its key.
    ServiceBus { resource: String, policy: Option<String> },
    /// Signatures of requests.
    Requests(Box<RequestScope>),
    /// The key itself.
    Key,
}

impl Grant {
    /// Checks a grant of an account.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn new(config: &GrantConfig, account: &AccountConfig) -> Result<Self, BadGrant> {
        if config.min_remaining > config.lifetime {
            let problem = "is longer than the grant's lifetime: no token could ever be handed out";
            return Err(BadGrant { field: "min_remaining", problem: problem.to_owned() });
        }
        if config.kind == GrantKind::UserDelegationSas
            && config.min_remaining > DELEGATION_CAP.saturating_sub(CLOCK_SKEW)
        {
            let problem = "is longer than 6 days, 23 hours and 45 minutes: Azure counts the 7 days of such a token from 15 minutes before it is signed";
            return Err(BadGrant { field: "min_remaining", problem: problem.to_owned() });
        }
        if config.kind != GrantKind::UserDelegationSas && account.keys.is_empty() {
            return Err(whole("its account has no keys: add `keys` there, or use `kind: user-delegation-sas`"));
        }
        let scope = &config.scope;
        let what = match (config.kind, &account.kind) {
            (GrantKind::AccountKey, _) => What::Key,
            (GrantKind::ServiceBusSas, AccountKind::ServiceBus { host, policy }) => {
                let resource = format!("sb://{host}/{}", scope.entity.as_deref().unwrap_or_default());
                ServiceBusSas::new(&resource, policy.as_deref().unwrap_or("policy")).map_err(|error| bad(&error))?;
                What::ServiceBus { resource, policy: policy.clone() }
            }
            (GrantKind::ServiceBusSas, _) => {
                return Err(whole("a service-bus-sas needs an account of kind service-bus"));
            }
            (_, AccountKind::Storage(storage)) => storage_grant(config, storage)?,
            _ => {
                return Err(whole(
                    "this kind of grant needs an account of kind storage; other accounts have account-key",
                ));
            }
        };
        Ok(Self { config: config.clone(), what })
    }

    /// How long after it was fetched a user delegation key can still sign a token of the whole lifetime.
    pub fn delegation_key_serves(&self) -> Duration {
        DELEGATION_CAP.saturating_sub(CLOCK_SKEW).saturating_sub(self.config.lifetime)
    }

    /// What of a request its signatures allow; `None` where it is no grant of signatures.
    pub fn requests(&self) -> Option<&RequestScope> {
        match &self.what {
            What::Requests(scope) => Some(scope),
            What::Sas(_) | What::ServiceBus { .. } | What::Key => None,
        }
    }
}

fn storage_grant(config: &GrantConfig, storage: &StorageConfig) -> Result<What, BadGrant> {
    let account = AccountName::parse(&storage.account).map_err(|error| bad(&error))?;
    let scope = &config.scope;
    if config.kind == GrantKind::AccountSas {
        let sas = account_sas(&account, scope, storage).map(|sas| Sas::Account(Box::new(sas)));
        return sas.and_then(|sas| sign::Grant::new(sas, config.lifetime)).map(What::Sas).map_err(|error| bad(&error));
    }
    let service = scope.service.ok_or_else(|| missing("service", "say blob, dfs, file, queue or table"))?;
    let resource = resource(service, scope)?;
    let options = options(scope, protocol(storage, [service])).map_err(|error| bad(&error))?;
    let sas = if config.kind == GrantKind::UserDelegationSas {
        let options = DelegationOptions {
            sas: options,
            authorized_object_id: scope.authorized_object_id.clone(),
            unauthorized_object_id: scope.unauthorized_object_id.clone(),
            correlation_id: scope.correlation_id.clone(),
            ..DelegationOptions::default()
        };
        DelegationSas::new(&account, &resource, &options).map(|sas| Sas::Delegation(Box::new(sas)))
    } else {
        let sas = ServiceSas::new(&account, &resource, scope.identifier.as_deref(), &options);
        sas.map(|sas| Sas::Service(Box::new(sas)))
    };
    let sas = sas.map_err(|error| bad(&error))?;
    if config.kind == GrantKind::SharedKey {
        // A SAS of the same scope could be signed: so its names and letters are such that Azure takes.
        let scope = RequestScope::new(service, account, &storage.endpoint(service), scope)?;
        return Ok(What::Requests(Box::new(scope)));
    }
    sign::Grant::new(sas, config.lifetime).map(What::Sas).map_err(|error| bad(&error))
}

fn account_sas(account: &AccountName, scope: &ScopeConfig, storage: &StorageConfig) -> Result<AccountSas, SignError> {
    let services = scope.services.clone().unwrap_or_default();
    let opened = services.chars().filter_map(service_of_letter);
    AccountSas::new(
        account,
        &AccountOptions {
            protocol: protocol(storage, opened),
            services,
            resource_types: scope.resource_types.clone().unwrap_or_default(),
            permissions: scope.permissions.clone().unwrap_or_default(),
            ip: scope.ip.clone(),
            encryption_scope: scope.encryption_scope.clone(),
            version: scope.service_version.as_deref().map(Version::parse).transpose()?,
        },
    )
}

/// The service that a letter of an account SAS opens (`ss`).
pub(super) fn service_of_letter(letter: char) -> Option<StorageService> {
    match letter {
        'b' => Some(StorageService::Blob),
        'f' => Some(StorageService::File),
        'q' => Some(StorageService::Queue),
        't' => Some(StorageService::Table),
        _ => None,
    }
}

/// https only, unless an endpoint is declared that speaks nothing but http: an emulator.
fn protocol(storage: &StorageConfig, services: impl IntoIterator<Item = StorageService>) -> Protocol {
    let is_http = |service| storage.endpoint(service).starts_with("http://");
    if services.into_iter().any(is_http) { Protocol::HttpsAndHttp } else { Protocol::Https }
}

fn options(scope: &ScopeConfig, protocol: Protocol) -> Result<SasOptions, SignError> {
    Ok(SasOptions {
        permissions: scope.permissions.clone(),
        ip: scope.ip.clone(),
        protocol,
        encryption_scope: scope.encryption_scope.clone(),
        version: scope.service_version.as_deref().map(Version::parse).transpose()?,
        ..SasOptions::default()
    })
}

fn resource(service: StorageService, scope: &ScopeConfig) -> Result<Resource, BadGrant> {
    refuse_names_of_others(service, scope)?;
    let name = |field, name: &Option<String>| name.clone().ok_or_else(|| missing(field, "say what the token opens"));
    let resource = match service {
        StorageService::Blob | StorageService::Dfs => blob(&name("container", &scope.container)?, scope),
        StorageService::File => {
            let share = name("share", &scope.share)?;
            scope.path.as_deref().map_or_else(|| Resource::share(&share), |path| Resource::file(&share, path))
        }
        StorageService::Queue => Resource::queue(&name("queue", &scope.queue)?),
        StorageService::Table => {
            let range = KeyRange {
                start_pk: scope.start_pk.clone(),
                start_rk: scope.start_rk.clone(),
                end_pk: scope.end_pk.clone(),
                end_rk: scope.end_rk.clone(),
            };
            Resource::table(&name("table", &scope.table)?, range)
        }
    };
    resource.map_err(|error| bad(&error))
}

fn blob(container: &str, scope: &ScopeConfig) -> Result<Resource, SignError> {
    let conflict = |field, other| Err(SignError::Conflict { field, other });
    let of_blob = |field| Err(SignError::Missing { field: "blob", hint: field });
    match (&scope.blob, &scope.directory, &scope.snapshot, &scope.version_id) {
        (Some(_), Some(_), _, _) => conflict("directory", "blob"),
        (_, _, Some(_), Some(_)) => conflict("snapshot", "version_id"),
        (None, _, Some(_), _) => of_blob("name the blob whose snapshot it is"),
        (None, _, _, Some(_)) => of_blob("name the blob whose version it is"),
        (None, None, None, None) => Resource::container(container),
        (None, Some(directory), None, None) => Resource::directory(container, directory),
        (Some(blob), None, Some(time), None) => Resource::snapshot(container, blob, time),
        (Some(blob), None, None, Some(id)) => Resource::blob_version(container, blob, id),
        (Some(blob), None, None, None) => Resource::blob(container, blob),
    }
}

/// A queue's name in a grant for blobs would say nothing, and its author would believe that it does.
fn refuse_names_of_others(service: StorageService, scope: &ScopeConfig) -> Result<(), BadGrant> {
    let blobs = matches!(service, StorageService::Blob | StorageService::Dfs);
    let names = [
        ("container", &scope.container, blobs),
        ("blob", &scope.blob, blobs),
        ("directory", &scope.directory, blobs),
        ("snapshot", &scope.snapshot, blobs),
        ("version_id", &scope.version_id, blobs),
        ("share", &scope.share, service == StorageService::File),
        ("path", &scope.path, service == StorageService::File),
        ("queue", &scope.queue, service == StorageService::Queue),
        ("table", &scope.table, service == StorageService::Table),
        ("start_pk", &scope.start_pk, service == StorageService::Table),
        ("start_rk", &scope.start_rk, service == StorageService::Table),
        ("end_pk", &scope.end_pk, service == StorageService::Table),
        ("end_rk", &scope.end_rk, service == StorageService::Table),
    ];
    match names.into_iter().find(|(_, name, belongs)| name.is_some() && !belongs) {
        Some((field, ..)) => {
            Err(BadGrant { field, problem: format!("is nothing that service {} has", service.as_str()) })
        }
        None => Ok(()),
    }
}

fn whole(problem: &str) -> BadGrant {
    BadGrant { field: "", problem: problem.to_owned() }
}

fn missing(field: &'static str, hint: &str) -> BadGrant {
    BadGrant { field, problem: format!("is missing: {hint}") }
}

/// What the signer refuses, under the key of valet.yaml that it is about; they are spelt alike.
fn bad(error: &SignError) -> BadGrant {
    let text = error.to_string();
    let field = error.field();
    let problem = text.strip_prefix(field).map_or(text.clone(), |rest| rest.trim_start().to_owned());
    BadGrant { field, problem }
}
