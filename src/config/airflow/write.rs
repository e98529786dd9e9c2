use super::{
    arguments::{Arguments, Credential},
    settings::{Backend, Form, Slot},
};
use crate::transport::{ListenerConfig, default_listeners};
use std::fmt::Write as _;

/// The variable that the written file takes the secret from.
const SECRET_VARIABLE: &str = "AZURE_CLIENT_SECRET";

/// The valet.yaml.
pub(super) fn yaml(arguments: &Arguments, backend: &Backend, airflow: &str) -> String {
    let mut yaml = String::from(
        "# Made by `valet init` from the arguments of Airflow's AzureKeyVaultBackend: the same vault, the same names of secrets.\n\
         # `valet check --config FILE` checks it.\n\n",
    );
    yaml += "listen:\n";
    for listener in default_listeners() {
        yaml += &listen(&listener);
    }
    yaml += "\nidentities:\n";
    yaml += &identity(&arguments.credential);
    yaml += "\nsources:\n  vault:\n    kind: key-vault\n";
    let names = &arguments.names;
    let prefix = |prefix: &Option<String>| prefix.as_deref().map_or_else(|| "null".to_owned(), scalar);
    let _ = writeln!(yaml, "    url: {}", scalar(&arguments.vault_url));
    yaml += "    identity: airflow\n";
    let _ = writeln!(
        yaml,
        "    names: {{connections: {}, variables: {}, config: {}, separator: {}{}}}",
        prefix(&names.connections),
        prefix(&names.variables),
        prefix(&names.config),
        scalar(&names.separator),
        if names.multi_team { ", multi_team: true" } else { "" }
    );
    for name in &arguments.ignored {
        // The names of unknown arguments are anybody's.
        let is_plain = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let name = if is_plain { name.as_str() } else { "?" };
        let _ = writeln!(yaml, "    # The argument {name} has no effect, or none that Valet needs; it was left out.");
    }
    if let (true, Some(Slot { section, .. })) = (backend.differs, backend.also) {
        let _ = writeln!(
            yaml,
            "\n# The backend of [{section}] has other arguments: what is not a worker needs a Valet with another file."
        );
    }
    yaml += "\n# In Airflow, instead of AzureKeyVaultBackend and its arguments:\n";
    for line in airflow.lines() {
        let _ = writeln!(yaml, "#   {line}");
    }
    yaml
}

fn listen(listener: &ListenerConfig) -> String {
    let mut allow: Vec<&str> = listener.allow.iter().map(|right| right.as_str()).collect();
    let mut comment = "";
    // Every kind is answered as the backend answered it: options too, and where they are off by "not here", which no refusal would be.
    if !allow.contains(&"admin") {
        allow.push("config");
        comment = "   # config: options of airflow.cfg that end in _secret";
    }
    let path = scalar(&listener.unix.path.to_string_lossy());
    let (mode, allow) = (listener.unix.mode, allow.join(", "));
    format!("  {}: {{unix: {{path: {path}, mode: \"{mode:04o}\"}}, allow: [{allow}]}}{comment}\n", listener.name)
}

fn identity(credential: &Credential) -> String {
    match credential {
        Credential::Default => "  airflow: {kind: default}\n".to_owned(),
        Credential::Secret { tenant_id, client_id } => format!(
            "  # The secret was not copied. Give it to Valet as the variable {SECRET_VARIABLE}, or write {{file: PATH}}.\n  \
             airflow: {{kind: client-secret, tenant_id: {}, client_id: {}, client_secret: {{env: {SECRET_VARIABLE}}}}}\n",
            scalar(tenant_id),
            scalar(client_id)
        ),
        Credential::UserAssigned { tenant_id, client_id } => {
            let (tenant_id, client_id) = (scalar(tenant_id), scalar(client_id));
            format!(
                "  # On Kubernetes with workload identity. Elsewhere (a virtual machine, App Service, a node's identity) write instead:\n  \
                 # airflow: {{kind: managed-identity, client_id: {client_id}}}\n  \
                 airflow: {{kind: workload-identity, tenant_id: {tenant_id}, client_id: {client_id}}}\n"
            )
        }
    }
}

/// What to change in Airflow, in the form that it is written in.
pub(super) fn airflow(backend: &Backend) -> String {
    let slots = std::iter::once(backend.slot).chain(backend.also);
    let lines = slots.map(|Slot { section, key }| match backend.form {
        Form::Cfg => format!("[{section}]\n{key} = airflow_valet.ValetBackend\n{key}_kwargs = {{}}\n"),
        Form::Env => {
            let name = format!("AIRFLOW__{section}__{key}").to_ascii_uppercase();
            format!("{name}=airflow_valet.ValetBackend\n{name}_KWARGS={{}}\n")
        }
    });
    let singles = backend.singles.iter().map(|prefix| format!("and remove each {prefix}...\n"));
    lines.chain(singles).collect()
}

/// A scalar in YAML: bare where it is plainly text, else in double quotes, whose escapes JSON's are among.
fn scalar(text: &str) -> String {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b':');
    let is_bare = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.bytes().all(is_inner)
        && !text.ends_with(':')
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if is_bare { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
