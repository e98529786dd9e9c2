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
    /// What goes into `extra.account_url`, where a form has that.
    url: String,
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

impl Filled {
    /// Its bytes, about.
    pub fn weight(&self) -> usize {
        let plain = [&self.host, &self.login].into_iter().flatten().map(String::len).sum::<usize>();
        let secret = [&self.password, &self.schema].into_iter().flatten().map(Secret::len).sum::<usize>();
        plain + secret + self.extra.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>()
    }
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
            url: String::new(),
            entity: None,
            policy: None,
            hands_out_key,
        };
        match &account.kind {
            AccountKind::Storage(storage) => {
                let (form, services) = storage_form(&conn_type, grant, storage)?;
                let endpoints = services.into_iter().map(|service| (service, storage.endpoint(service))).collect();
                let url = storage.endpoint(StorageService::Dfs);
                Ok(Self { form, endpoints, url, account: storage.account.clone(), ..plain })
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
                let url = endpoint.as_str().trim_end_matches('/').to_owned();
                Ok(Self { form: Form::Batch, url, account: account.clone(), ..plain })
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
                extra: vec![("account_url", Secret::new(self.url.as_str()))],
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
                extra: vec![("account_url", Secret::new(self.url.as_str()))],
                ..filled
            },
        }
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
        Some(needed) => Ok((form, vec![needed])),
        None => Ok((form, services)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mint::ScopeConfig;
    use std::time::Duration;

    fn account(endpoints: &[(StorageService, &str)]) -> AccountConfig {
        let endpoints = endpoints.iter().map(|(service, url)| (*service, url.parse().unwrap())).collect();
        let storage = StorageConfig { account: "acme".into(), suffix: StorageConfig::SUFFIX.into(), endpoints };
        of(AccountKind::Storage(storage))
    }

    fn of(kind: AccountKind) -> AccountConfig {
        let (keys, network) = Default::default();
        AccountConfig { name: "landing".into(), kind, keys, identity: "default".into(), network }
    }

    fn grant(kind: GrantKind, scope: ScopeConfig) -> GrantConfig {
        let (name, account) = ("g".into(), "landing".into());
        GrantConfig { name, account, kind, scope, lifetime: Duration::ZERO, min_remaining: Duration::ZERO }
    }

    fn sas(service: StorageService) -> GrantConfig {
        grant(GrantKind::ServiceSas, ScopeConfig { service: Some(service), ..ScopeConfig::default() })
    }

    /// The connection around a credential, field by field.
    fn filled(conn_type: &str, grant: &GrantConfig, account: &AccountConfig) -> Result<Vec<String>, String> {
        let hook = Hook::of(conn_type, grant, account)?;
        let filled = hook.fill(&Secret::new("SIG"), Some("stored"));
        let plain = [("host", filled.host), ("login", filled.login)];
        let secret = [("password", filled.password), ("schema", filled.schema)];
        let secret = secret.into_iter().map(|(name, value)| (name, value.map(|value| value.expose().to_owned())));
        let mut all: Vec<_> =
            plain.into_iter().chain(secret).filter_map(|(name, value)| Some(format!("{name}={}", value?))).collect();
        all.extend(filled.extra.iter().map(|(name, value)| format!("extra.{name}={}", value.expose())));
        let named: Vec<_> = all.iter().map(|text| text.split_once('=').unwrap().0).collect();
        assert_eq!(named, hook.fields(), "it says which fields it sets");
        Ok(all)
    }

    #[test]
    fn each_type_gets_a_sas_where_its_hook_looks_for_it() {
        use StorageService::{Blob, Dfs, File, Queue, Table};
        let blob_string =
            "extra.connection_string=BlobEndpoint=https://acme.blob.core.windows.net;SharedAccessSignature=SIG";
        let wasb = ["host=https://acme.blob.core.windows.net", "login=acme", blob_string];
        assert_eq!(filled("wasb", &sas(Blob), &account(&[])).unwrap(), wasb);
        assert_eq!(filled("wasb", &sas(Dfs), &account(&[])).unwrap(), wasb, "the same data");
        assert_eq!(filled("adls", &sas(Dfs), &account(&[])).unwrap(), ["host=acme", "password=SIG", blob_string]);
        assert_eq!(
            filled("azure_fileshare", &sas(File), &account(&[])).unwrap(),
            [
                "login=acme",
                "extra.connection_string=FileEndpoint=https://acme.file.core.windows.net;SharedAccessSignature=SIG"
            ]
        );
        assert_eq!(
            filled("generic", &sas(Table), &account(&[])).unwrap()[2],
            "extra.connection_string=TableEndpoint=https://acme.table.core.windows.net;SharedAccessSignature=SIG"
        );
        assert!(filled("generic", &sas(Queue), &account(&[])).unwrap()[2].contains("QueueEndpoint="));
    }

    #[test]
    fn endpoints_are_those_of_the_account() {
        use StorageService::{Blob, Dfs};
        let emulator = account(&[(Blob, "http://127.0.0.1:10000/acme/")]);
        let string = "extra.connection_string=BlobEndpoint=http://127.0.0.1:10000/acme;SharedAccessSignature=SIG";
        assert_eq!(
            filled("wasb", &sas(Blob), &emulator).unwrap(),
            ["host=http://127.0.0.1:10000/acme", "login=acme", string]
        );
        let private = account(&[(Dfs, "https://acme.dfs.example.net")]);
        assert_eq!(
            filled("adls", &sas(Dfs), &private).unwrap(),
            ["host=acme", "password=SIG", "extra.account_url=https://acme.dfs.example.net"]
        );
    }

    #[test]
    fn a_namespace_is_a_connection_string_in_the_schema() {
        let bus = |policy: Option<&str>| {
            of(AccountKind::ServiceBus {
                host: "acme.servicebus.windows.net".into(),
                policy: policy.map(str::to_owned),
            })
        };
        let scope = ScopeConfig { entity: Some("orders".into()), ..ScopeConfig::default() };
        assert_eq!(
            filled("azure_service_bus", &grant(GrantKind::ServiceBusSas, scope), &bus(None)).unwrap(),
            ["schema=Endpoint=sb://acme.servicebus.windows.net/;SharedAccessSignature=SIG;EntityPath=orders"]
        );
        let key = grant(GrantKind::AccountKey, ScopeConfig::default());
        let string = |policy| {
            format!(
                "schema=Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName={policy};SharedAccessKey=SIG"
            )
        };
        assert_eq!(filled("azure-service-bus", &key, &bus(None)).unwrap(), [string("stored")]);
        assert_eq!(filled("azure_service_bus", &key, &bus(Some("written"))).unwrap(), [string("written")]);
    }

    #[test]
    fn what_needs_the_key_itself_gets_it_from_an_account_key_grant_only() {
        let key = grant(GrantKind::AccountKey, ScopeConfig::default());
        let cosmos = of(AccountKind::Cosmos { endpoint: "https://acme.documents.azure.com".parse().unwrap() });
        let cosmos_filled = ["login=https://acme.documents.azure.com/", "password=SIG"];
        assert_eq!(filled("azure_cosmos", &key, &cosmos).unwrap(), cosmos_filled);
        let endpoint = "https://acme.westeurope.batch.azure.com".parse().unwrap();
        let batch = of(AccountKind::Batch { account: "acme".into(), endpoint });
        assert_eq!(
            filled("azure_batch", &key, &batch).unwrap(),
            ["login=acme", "password=SIG", "extra.account_url=https://acme.westeurope.batch.azure.com"]
        );
        let volume = filled("azure_container_volume", &key, &account(&[])).unwrap();
        assert_eq!(
            volume[1],
            "extra.connection_string=FileEndpoint=https://acme.file.core.windows.net;AccountName=acme;AccountKey=SIG"
        );
        assert!(filled("azure_container_volume", &sas(StorageService::File), &account(&[])).is_err());
        assert!(filled("wasb", &key, &account(&[])).unwrap()[2].ends_with("AccountName=acme;AccountKey=SIG"));
    }

    #[test]
    fn a_type_that_cannot_carry_a_grant_says_so() {
        use StorageService::{Blob, File, Queue};
        let account = account(&[]);
        for (conn_type, grant) in [
            ("postgres", sas(Blob)),
            ("azure_data_lake", sas(Blob)),
            ("wasb", sas(Queue)),
            ("azure_fileshare", sas(Blob)),
            ("adls", sas(File)),
            ("azure_service_bus", sas(Blob)),
            ("wasb", grant(GrantKind::SharedKey, ScopeConfig::default())),
            (
                "wasb",
                grant(GrantKind::AccountSas, ScopeConfig { services: Some("qt".into()), ..ScopeConfig::default() }),
            ),
        ] {
            assert!(filled(conn_type, &grant, &account).is_err(), "{conn_type} {grant:?}");
        }
        let blobs = grant(GrantKind::AccountSas, ScopeConfig { services: Some("qb".into()), ..ScopeConfig::default() });
        assert!(filled("wasb", &blobs, &account).is_ok());
    }
}
