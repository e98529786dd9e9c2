use crate::{
    cache::Overrides,
    model::{Kind, Name, Origin, SourceName},
};
use globset::{GlobBuilder, GlobMatcher};
use std::{sync::Arc, time::Duration};

/// One entry of `routes` in valet.yaml: which sources answer a name, in what order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteConfig {
    /// A glob over the whole name: `*` is any text, `?` any character.
    pub pattern: String,
    /// The kinds it is for; all where none is written.
    pub kinds: Vec<Kind>,
    /// The sources, asked in this order; none means that nobody is asked and the name is not here.
    pub sources: Vec<SourceName>,
    /// What happens when a source cannot be asked.
    pub on_unavailable: OnUnavailable,
    /// How long answers are believed, where that is not as the sources have it.
    pub cache: Overrides,
}

impl RouteConfig {
    /// A pattern as routes read it; `None` where it is no glob.
    pub fn glob(pattern: &str) -> Option<GlobMatcher> {
        let glob = GlobBuilder::new(pattern).literal_separator(false).build();
        Some(glob.ok()?.compile_matcher())
    }
}

/// What happens when a source cannot be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnUnavailable {
    /// The lookup ends with the fault.
    #[default]
    Fail,
    /// The next source is asked; if none has the name, the answer is "skipped", not "not here".
    Skip,
}

/// One entry of `connections` in valet.yaml: an Airflow connection that is composed here and stored whole nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConnectionConfig {
    /// The connection id. It outranks the routes.
    pub id: Name,
    /// Airflow's connection type, e.g. `wasb`.
    pub conn_type: String,
    /// The grant whose token the connection carries where the type's hook looks for it.
    pub grant: Option<Arc<str>>,
    /// `description`, `host`, `login`, `password` and `schema`, as far as they are written.
    pub fields: Vec<(Field, PartConfig)>,
    /// `port`.
    pub port: Option<u16>,
    /// `extra`, in the order written.
    pub extra: Vec<(String, ExtraConfig)>,
}

/// A field of an Airflow connection that is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// What people read.
    Description,
    /// The host.
    Host,
    /// The user.
    Login,
    /// The password.
    Password,
    /// The schema; for Service Bus the connection string.
    Schema,
}

impl Field {
    /// Every such field, in the order in which they are written.
    pub const ALL: [Self; 5] = [Self::Description, Self::Host, Self::Login, Self::Password, Self::Schema];

    /// Its name in Airflow's JSON and in valet.yaml.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Description => "description",
            Self::Host => "host",
            Self::Login => "login",
            Self::Password => "password",
            Self::Schema => "schema",
        }
    }
}

/// Where a piece of text of a brokered connection comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PartConfig {
    /// As written.
    Literal(String),
    /// `{secret: SOURCE/NAME}`, `{env: NAME}` or `{file: PATH}`.
    Origin(Origin),
    /// `{grant: NAME}`: the token itself.
    Grant(Arc<str>),
    /// `{entra_token: {scope: …, identity: …}}`.
    EntraToken(EntraTokenConfig),
}

/// An Entra token as a part of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntraTokenConfig {
    /// What it is for, e.g. `https://ossrdbms-aad.database.windows.net/.default`.
    pub scope: String,
    /// Whose it is.
    pub identity: Arc<str>,
    /// The least life that it must still have when it is handed out. Entra decides how long tokens live (60 to 90 minutes), so ask for little.
    pub min_remaining: Duration,
}

impl EntraTokenConfig {
    /// The usual least remaining life.
    pub const MIN_REMAINING: Duration = Duration::from_mins(5);
}

/// A value of `extra`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ExtraConfig {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(serde_json::Number),
    /// Text.
    Part(PartConfig),
    /// A list.
    List(Vec<ExtraConfig>),
    /// A mapping, in the order written.
    Map(Vec<(String, ExtraConfig)>),
}
