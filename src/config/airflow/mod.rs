//! From Airflow's `AzureKeyVaultBackend` to a valet.yaml that finds the same secrets. It never copies a secret, and writes nothing that
//! [`super::parse`] would refuse. `valet init` calls it.

mod arguments;
mod settings;
mod write;

use super::{OsFiles, Problems, parse};
use crate::env::Env;
use arguments::Arguments;
use settings::Settings;
use std::path::Path;

/// What has to be written where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// The valet.yaml; what to change in Airflow stands at its end as a comment.
    pub yaml: String,
    /// What to change in Airflow.
    pub airflow: String,
}

/// Why there is no valet.yaml to be made of Airflow's settings. It holds no value of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoConversion {
    /// The text is neither of the two forms.
    #[error("this is neither an airflow.cfg nor lines such as AIRFLOW__SECRETS__BACKEND=…")]
    Unreadable,
    /// There is no secrets backend.
    #[error("no secrets backend is set: neither `backend` in [secrets] nor `secrets_backend` in [workers]")]
    NoBackend,
    /// There is one of another class.
    #[error("the secrets backend is not AzureKeyVaultBackend; write valet.yaml by hand, `valet init` begins one")]
    OtherBackend,
    /// A command or another backend gives the arguments.
    #[error("the backend's arguments come from `{0}`; put its output in place of it, then try again")]
    Elsewhere(String),
    /// Airflow itself would go on without arguments.
    #[error("the backend's arguments are not a JSON object, so Airflow ignores them; mend them, then try again")]
    NotJson,
    /// An argument is not what the backend takes.
    #[error("the backend's argument {0} is not text")]
    NotText(&'static str),
    /// Valet cannot do what the arguments say.
    #[error("the backend's arguments make no valid valet.yaml")]
    Invalid(Problems),
}

/// Makes a valet.yaml of an airflow.cfg or of the same settings as lines of environment variables. As in Airflow, variables of `env` outrank the
/// text, unless they already lead to another backend.
///
/// # Errors
/// [`NoConversion`].
pub fn convert(text: &str, env: &dyn Env) -> Result<Converted, NoConversion> {
    let settings = Settings::read(text)?;
    let backend = match settings.backend(Some(env)) {
        Err(NoConversion::OtherBackend) => settings.backend(None)?,
        backend => backend?,
    };
    let arguments = Arguments::read(&backend.arguments, backend.multi_team)?;
    let airflow = write::airflow(&backend);
    let yaml = write::yaml(&arguments, &backend, &airflow);
    match parse(yaml.as_bytes(), Path::new(""), env, &OsFiles) {
        Ok(_) => Ok(Converted { yaml, airflow }),
        Err(problems) => Err(NoConversion::Invalid(problems)),
    }
}
