use tracing_subscriber::{EnvFilter, Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people, in colour where asked for.
    Human {
        /// Whether to colour.
        colour: bool,
    },
    /// One JSON object a line.
    Json,
}

/// The log filter is no filter.
#[derive(Debug, thiserror::Error)]
#[error(
    "the log filter cannot be read; write a level (error, warn, info, debug, trace) or target=level pairs, comma-separated"
)]
pub struct BadFilter;

/// What is logged where nobody asks for anything: state changes of ours. The Azure crates log URLs with secret names from INFO down, the
/// HTTP stack logs each request.
const DEFAULT_FILTER: &str = "info";

/// What never gets below WARN, whatever is asked for: these write names of secrets, or the headers of requests.
const CAPPED: [&str; 10] = [
    "azure_core",
    "azure_identity",
    "azure_security_keyvault_secrets",
    "typespec_client_core",
    "h2",
    "hyper",
    "hyper_util",
    "reqwest",
    "rustls",
    "typespec",
];

/// Starts logging to standard error for the whole process. A second call changes nothing.
///
/// # Errors
/// [`BadFilter`]; nothing is started then.
pub fn init_logs(filter: Option<&str>, format: Format) -> Result<(), BadFilter> {
    let mut filter = EnvFilter::try_new(filter.unwrap_or(DEFAULT_FILTER)).map_err(|_| BadFilter)?;
    for target in CAPPED {
        filter = filter.add_directive(format!("{target}=warn").parse().expect("a target and a level are a directive"));
    }
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = match format {
        Format::Human { colour } => layer.with_ansi(colour).boxed(),
        Format::Json => layer.json().flatten_event(true).boxed(),
    };
    // An error means that a subscriber is there already: whoever embeds Valet has its own.
    let _ = tracing_subscriber::registry().with(filter).with(layer).try_init();
    Ok(())
}
