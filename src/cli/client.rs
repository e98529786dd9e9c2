//! Calls to a running Valet, over gRPC on its Unix socket.

use super::{
    exit::{self, Exit},
    output,
};
use hyper_util::rt::TokioIo;
use std::{future::Future, path::Path, time::Duration};
use tokio::net::UnixStream;
use tonic::{
    Status,
    transport::{Channel, Endpoint},
};
use tower::service_fn;

/// Runs one conversation with the broker on a runtime of its own and turns its failure into an exit code.
pub(super) fn converse<T, F>(socket: &Path, timeout: Duration, talk: impl FnOnce(Channel) -> F) -> Result<T, Exit>
where
    F: Future<Output = Result<T, Status>>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| output::fail(exit::UNAVAILABLE, format_args!("cannot start: {error}")))?;
    runtime.block_on(async {
        let channel = connect(socket, timeout).await?;
        talk(channel).await.map_err(|status| blame(&status))
    })
}

async fn connect(socket: &Path, timeout: Duration) -> Result<Channel, Exit> {
    // The authority is for HTTP/2's sake only; nothing is resolved.
    let endpoint = Endpoint::from_static("http://valet").connect_timeout(timeout).timeout(timeout);
    let path = socket.to_owned();
    let connector = service_fn(move |_| {
        let path = path.clone();
        async move { UnixStream::connect(path).await.map(TokioIo::new) }
    });
    endpoint.connect_with_connector(connector).await.map_err(|_| {
        // Asked once more by hand, for the operating system's own words.
        let why = std::os::unix::net::UnixStream::connect(socket).err();
        let why = why.map_or_else(|| "it does not speak gRPC".to_owned(), |error| error.to_string());
        let at = socket.display();
        output::fail(
            exit::UNAVAILABLE,
            format_args!("no Valet answers on {at} ({why}); is `valet serve` running, and is this its socket?"),
        )
    })
}

/// Says why a call failed, and with which code to leave.
fn blame(status: &Status) -> Exit {
    let reason = status.metadata().get("valet-reason").and_then(|value| value.to_str().ok());
    let retry = status.metadata().get("retry-after").and_then(|value| value.to_str().ok());
    let retry = retry.map_or_else(String::new, |seconds| format!(" (retry in {seconds} s)"));
    output::fail(
        exit::of_status(status.code()),
        format_args!("{}: {}{retry}", reason.unwrap_or(status.code().description()), status.message()),
    )
}
