//! Which field of a connection each hook of Airflow's Azure provider reads a credential from (provider 15.2.1, `hooks/*.py`, `fs/adls.py`).
//!
//! Storage goes out as a connection string wherever the hook reads one: `BlobEndpoint=…;SharedAccessSignature=…` is the one form that
//! `WasbHook`, `AzureDataLakeStorageV2Hook` and `abfs://` paths all take, with any endpoint.

use super::{
    AccountConfig, AccountKind, GrantConfig, GrantKind, StorageConfig, StorageService, grant::service_of_letter,
};
use crate::model::Secret;
use zeroize::Zeroizing;

/// How a connection of one type carries what a grant hands out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    form: Form,
    /// The endpoints that a connection string names, in order.
    endpoints: Vec<(StorageService, String)>,
    account: String,
    /// Service Bus: the entity and the policy.
    entity: Option<String>,
    policy: Option<String>,
    hands_out_key: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `host`, `login`, `extra.connection_string`.
    Blob,
    /// `host`, `password`, `extra.connection_string`: the hook would read the password too, `abfs://` paths would take it for a key.
    DataLake,
    /// `host`, `password`, `extra.account_url`: with an endpoint of its own for Data Lake Storage, which no connection string can say.
    DataLakeUrl,
    /// `login`, `extra.connection_string`.
    Files,
    /// `schema`.
    ServiceBus,
    /// `login` is the endpoint, `password` the key.
    Cosmos,
    /// `login`, `password`, `extra.account_url`.
    Batch,
}

/// What Valet sets of a connection. `None` is left to who composes it.
#[derive(Debug, Default)]
pub struct Filled {
    /// `host`.
    pub host: Option<String>,
    /// `login`.
    pub login: Option<String>,
    /// `password`.
    pub password: Option<Secret>,
    /// `schema`.
    pub schema: Option<Secret>,
    /// Keys of `extra`.
    pub extra: Vec<(&'static str, Secret)>,
}

/// The types that carry a storage account, by what is granted.
const STORAGE_TYPES: &str = "wasb and adls carry blobs, azure_fileshare carries files, generic carries anything";

impl Hook {
    /// How connections of this type carry what the grant hands out.
    ///
    /// # Errors
    /// That they cannot, and what to do instead.
    pub fn of(conn_type: &str, grant: &GrantConfig, account: &AccountConfig) -> Result<Self, String> {
        let hands_out_key = grant.kind == GrantKind::AccountKey;
        if grant.kind == GrantKind::SharedKey {
            return Err("a shared-key grant signs single requests, which no connection can carry: use a SAS".to_owned());
        }
        // Airflow itself takes the two spellings for one.
        let conn_type = conn_type.replace('-', "_");
        let plain = Self {
            form: Form::Blob,
            endpoints: Vec::new(),
            account: String::new(),
            entity: None,
            policy: None,
            hands_out_key,
        };
        match &account.kind {
            AccountKind::Storage(storage) => {
                let (form, services) = storage_form(&conn_type, grant, storage)?;
                let endpoints = services.into_iter().map(|service| (service, storage.endpoint(service))).collect();
                Ok(Self { form, endpoints, account: storage.account.clone(), ..plain })
            }
            AccountKind::ServiceBus { host, policy } if conn_type == "azure_service_bus" => Ok(Self {
                form: Form::ServiceBus,
                account: host.clone(),
                entity: grant.scope.entity.clone(),
                policy: policy.clone(),
                ..plain
            }),
            AccountKind::Cosmos { endpoint } if conn_type == "azure_cosmos" => {
                Ok(Self { form: Form::Cosmos, account: endpoint.as_str().to_owned(), ..plain })
            }
            AccountKind::Batch { account, endpoint } if conn_type == "azure_batch" => {
                let endpoints = vec![(StorageService::Blob, endpoint.as_str().trim_end_matches('/').to_owned())];
                Ok(Self { form: Form::Batch, endpoints, account: account.clone(), ..plain })
            }
            AccountKind::ServiceBus { .. } => Err(only("service-bus", "azure_service_bus")),
            AccountKind::Cosmos { .. } => Err(only("cosmos", "azure_cosmos")),
            AccountKind::Batch { .. } => Err(only("batch", "azure_batch")),
        }
    }

    /// The fields that [`Self::fill`] sets.
    pub fn fields(&self) -> &'static [&'static str] {
        match self.form {
            Form::Blob => &["host", "login", "extra.connection_string"],
            Form::DataLake => &["host", "password", "extra.connection_string"],
            Form::DataLakeUrl => &["host", "password", "extra.account_url"],
            Form::Files => &["login", "extra.connection_string"],
            Form::ServiceBus => &["schema"],
            Form::Cosmos => &["login", "password"],
            Form::Batch => &["login", "password", "extra.account_url"],
        }
    }

    /// The connection's parts around a credential: a SAS, or the key where the grant hands that out; `policy` is the one that came with the
    /// key, where one did.
    pub fn fill(&self, credential: &Secret, policy: Option<&str>) -> Filled {
        let filled = Filled::default();
        let account = || Some(self.account.clone());
        match self.form {
            Form::Blob => Filled {
                host: self.endpoints.first().map(|(_, url)| url.clone()),
                login: account(),
                extra: vec![("connection_string", self.storage_string(credential))],
                ..filled
            },
            Form::DataLake => Filled {
                host: account(),
                password: Some(credential.clone()),
                extra: vec![("connection_string", self.storage_string(credential))],
                ..filled
            },
            Form::DataLakeUrl => Filled {
                host: account(),
                password: Some(credential.clone()),
                extra: vec![("account_url", self.url())],
                ..filled
            },
            Form::Files => Filled {
                login: account(),
                extra: vec![("connection_string", self.storage_string(credential))],
                ..filled
            },
            Form::ServiceBus => Filled { schema: Some(self.service_bus_string(credential, policy)), ..filled },
            Form::Cosmos => Filled { login: account(), password: Some(credential.clone()), ..filled },
            Form::Batch => Filled {
                login: account(),
                password: Some(credential.clone()),
                extra: vec![("account_url", self.url())],
                ..filled
            },
        }
    }

    fn url(&self) -> Secret {
        Secret::new(self.endpoints.first().map_or("", |(_, url)| url))
    }

    /// "Configure Azure Storage connection strings": endpoints with a SAS, or with the account's name and key.
    fn storage_string(&self, credential: &Secret) -> Secret {
        let mut text = Zeroizing::new(String::with_capacity(512));
        for (service, url) in &self.endpoints {
            let name = match service {
                StorageService::Blob | StorageService::Dfs => "BlobEndpoint=",
                StorageService::File => "FileEndpoint=",
                StorageService::Queue => "QueueEndpoint=",
                StorageService::Table => "TableEndpoint=",
            };
            text.extend([name, url, ";"]);
        }
        if self.hands_out_key {
            text.extend(["AccountName=", &self.account, ";AccountKey=", credential.expose()]);
        } else {
            text.extend(["SharedAccessSignature=", credential.expose()]);
        }
        Secret::new(std::mem::take(&mut *text))
    }

    fn service_bus_string(&self, credential: &Secret, policy: Option<&str>) -> Secret {
        let mut text = Zeroizing::new(String::with_capacity(512));
        text.extend(["Endpoint=sb://", &self.account, "/;"]);
        if self.hands_out_key {
            let policy = self.policy.as_deref().or(policy).unwrap_or_default();
            text.extend(["SharedAccessKeyName=", policy, ";SharedAccessKey=", credential.expose()]);
        } else {
            text.extend(["SharedAccessSignature=", credential.expose()]);
        }
        if let Some(entity) = &self.entity {
            text.extend([";EntityPath=", entity]);
        }
        Secret::new(std::mem::take(&mut *text))
    }
}

fn only(kind: &str, conn_type: &str) -> String {
    format!("what an account of kind {kind} grants is carried by connections of type {conn_type} only")
}

fn storage_form(
    conn_type: &str,
    grant: &GrantConfig,
    storage: &StorageConfig,
) -> Result<(Form, Vec<StorageService>), String> {
    use StorageService::{Blob, Dfs, File, Queue, Table};
    let services: Vec<_> = match grant.kind {
        GrantKind::AccountKey => vec![Blob, File, Queue, Table],
        GrantKind::AccountSas => {
            grant.scope.services.as_deref().unwrap_or_default().chars().filter_map(service_of_letter).collect()
        }
        _ => grant.scope.service.into_iter().map(|service| if service == Dfs { Blob } else { service }).collect(),
    };
    let form = match conn_type {
        // `generic` is Airflow's own type for whatever has no hook; a table client, say, that is built from the connection string.
        "wasb" | "generic" => Form::Blob,
        "adls" if storage.endpoints.iter().any(|(service, _)| *service == Dfs) => Form::DataLakeUrl,
        "adls" => Form::DataLake,
        "azure_fileshare" => Form::Files,
        "azure_container_volume" if grant.kind == GrantKind::AccountKey => Form::Files,
        "azure_container_volume" => {
            return Err("this type needs the account's key: use a grant of kind account-key".to_owned());
        }
        _ => {
            return Err(format!(
                "connections of this type carry no storage credential: {STORAGE_TYPES}; or put the token where you want it, as in `password: {{grant: …}}`"
            ));
        }
    };
    let needed = match (conn_type, form) {
        ("generic", _) => None,
        (_, Form::Blob | Form::DataLake | Form::DataLakeUrl) => Some(Blob),
        _ => Some(File),
    };
    match needed {
        Some(needed) if !services.contains(&needed) => {
            Err(format!("the grant is for another service than this type's hook speaks to: {STORAGE_TYPES}"))
        }
        // The service that the hook speaks to comes first: it is the connection's host.
        Some(_) if form == Form::DataLakeUrl => Ok((form, vec![Dfs])),
        Some(needed) => Ok((form, vec![needed])),
        None => Ok((form, services)),
    }
}
