use super::{NoConversion, arguments};
use crate::env::Env;
use configparser::ini::Ini;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// Airflow's settings by the name of their environment variable, `AIRFLOW__SECTION__KEY`.
pub(super) struct Settings {
    values: BTreeMap<String, String>,
    form: Form,
}

/// How settings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As sections of airflow.cfg.
    Cfg,
    /// As environment variables.
    Env,
}

/// Where a secrets backend can be set. On workers (Airflow 3) the second outranks the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) section: &'static str,
    pub(super) key: &'static str,
}

const SECRETS: Slot = Slot { section: "secrets", key: "backend" };
const WORKERS: Slot = Slot { section: "workers", key: "secrets_backend" };

/// How the name of a variable with a single argument goes on after the slot's (Airflow 3.2+).
const SINGLE: &str = "_KWARG__";

/// An `AzureKeyVaultBackend` in use.
pub(super) struct Backend {
    pub(super) slot: Slot,
    pub(super) form: Form,
    pub(super) arguments: Map<String, Json>,
    /// The other slot, if it has such a backend too.
    pub(super) also: Option<Slot>,
    /// Whether the backend there has other arguments.
    pub(super) differs: bool,
    /// What the names of variables with single arguments begin with, if there are any.
    pub(super) singles: Option<String>,
    /// Whether Airflow runs in multi-team mode.
    pub(super) multi_team: bool,
}

impl Slot {
    fn variable(self, suffix: &str) -> String {
        format!("AIRFLOW__{}__{}{suffix}", self.section, self.key).to_ascii_uppercase()
    }
}

impl Settings {
    pub(super) fn read(text: &str) -> Result<Self, NoConversion> {
        if text.lines().any(|line| line.starts_with('[')) {
            return Ok(Self { values: from_cfg(text)?, form: Form::Cfg });
        }
        let values: BTreeMap<_, _> = text.lines().filter_map(from_variable).collect();
        if values.is_empty() { Err(NoConversion::Unreadable) } else { Ok(Self { values, form: Form::Env }) }
    }

    /// The backend that workers use.
    pub(super) fn backend(&self, env: Option<&dyn Env>) -> Result<Backend, NoConversion> {
        let slots = [WORKERS, SECRETS];
        let class = |slot: &Slot| self.get(&slot.variable(""), env).map(|(class, form)| (*slot, class, form));
        let set: Vec<_> = slots.iter().filter_map(class).collect();
        let is_ours = |class: &str| class.rsplit('.').next() == Some("AzureKeyVaultBackend");
        let mut ours = set.iter().filter(|(_, class, _)| is_ours(class));
        let Some(&(slot, _, form)) = ours.next() else {
            return Err(if set.is_empty() { NoConversion::NoBackend } else { NoConversion::OtherBackend });
        };
        let arguments = self.arguments(slot, env)?;
        let also = ours.next().map(|(other, ..)| *other);
        let differs = also.is_some_and(|other| self.arguments(other, env).ok().as_ref() != Some(&arguments));
        let prefix = slot.variable(SINGLE);
        let singles = (!self.singles(&prefix, env).is_empty()).then_some(prefix);
        // As Airflow's `getboolean` reads it.
        let is_true =
            |(value, _): (String, Form)| matches!(value.trim().to_ascii_lowercase().as_str(), "t" | "true" | "1");
        let multi_team = self.get("AIRFLOW__CORE__MULTI_TEAM", env).is_some_and(is_true);
        Ok(Backend { slot, form, arguments, also, differs, singles, multi_team })
    }

    fn get(&self, name: &str, env: Option<&dyn Env>) -> Option<(String, Form)> {
        let of_env = env.and_then(|env| env.var(name).ok().flatten()).map(|value| (value, Form::Env));
        let of_text = || self.values.get(name).map(|value| (value.clone(), self.form));
        of_env
            .filter(|(value, _)| !value.trim().is_empty())
            .or_else(of_text)
            .filter(|(value, _)| !value.trim().is_empty())
    }

    /// The arguments of a slot's backend: one JSON object, and (Airflow 3.2+) single ones, which are text and outrank it.
    fn arguments(&self, slot: Slot, env: Option<&dyn Env>) -> Result<Map<String, Json>, NoConversion> {
        let name = slot.variable("_KWARGS");
        let mut arguments = match self.get(&name, env) {
            Some((text, _)) => match serde_json::from_str(&expand(&text, env)) {
                Ok(Json::Object(arguments)) => arguments,
                _ => return Err(NoConversion::NotJson),
            },
            None => Map::new(),
        };
        for elsewhere in ["_CMD", "_SECRET"] {
            if arguments.is_empty() && self.get(&format!("{name}{elsewhere}"), env).is_some() {
                return Err(NoConversion::Elsewhere(format!("{}_kwargs{}", slot.key, elsewhere.to_ascii_lowercase())));
            }
        }
        arguments.extend(self.singles(&slot.variable(SINGLE), env));
        Ok(arguments)
    }

    /// The arguments that have a variable of their own.
    fn singles(&self, prefix: &str, env: Option<&dyn Env>) -> Map<String, Json> {
        let of_text = self.values.iter().filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value.clone())));
        let mut singles: Map<_, _> = of_text.map(|(key, value)| (key.to_ascii_lowercase(), value.into())).collect();
        // The environment cannot be listed, but only the known ones matter.
        for key in arguments::KNOWN {
            let value = env.and_then(|env| env.var(&format!("{prefix}{}", key.to_ascii_uppercase())).ok().flatten());
            singles.extend(value.map(|value| (key.to_owned(), value.into())));
        }
        singles
    }
}

/// As Python's configparser reads it, whose comments end no line and whose values go on in indented lines.
fn from_cfg(text: &str) -> Result<BTreeMap<String, String>, NoConversion> {
    let mut ini = Ini::new();
    ini.set_multiline(true);
    ini.set_inline_comment_symbols(Some(&[]));
    let sections = ini.read(text.to_owned()).map_err(|_| NoConversion::Unreadable)?;
    let settings = sections.into_iter().flat_map(|(section, keys)| {
        keys.into_iter().filter_map(move |(key, value)| {
            // `%%` is how it writes `%`.
            let value = value?.replace("%%", "%");
            Some((format!("AIRFLOW__{section}__{key}").to_ascii_uppercase(), value))
        })
    });
    Ok(settings.collect())
}

/// `NAME=value` as in an env file, a shell script (`export`, quotes) or a list of Docker Compose (`- NAME=value`, `NAME: value`).
fn from_variable(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let line = line.strip_prefix("- ").or_else(|| line.strip_prefix("export ")).unwrap_or(line).trim_start();
    let (name, value) = line.split_once(['=', ':'])?;
    let name = name.trim();
    name.starts_with("AIRFLOW__").then(|| (name.to_owned(), unquote(value.trim())))
}

fn unquote(value: &str) -> String {
    let inside = |quote: char| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
    if let Some(value) = inside('\'') {
        value.to_owned()
    } else if let Some(value) = inside('"') {
        value.replace("\\\"", "\"").replace("\\\\", "\\")
    } else {
        value.to_owned()
    }
}

/// `$NAME` and `${NAME}` as Airflow expands them; what is not set stays as it is.
fn expand(text: &str, env: Option<&dyn Env>) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (name, next) = match after.strip_prefix('{').and_then(|after| after.split_once('}')) {
            Some((name, next)) => (name, next),
            None => after.split_at(after.find(|c| !is_word(c)).unwrap_or(after.len())),
        };
        let value = env.filter(|_| !name.is_empty()).and_then(|env| env.var(name).ok().flatten());
        rest = if let Some(value) = value {
            expanded.push_str(&value);
            next
        } else {
            expanded.push('$');
            after
        };
    }
    expanded + rest
}
