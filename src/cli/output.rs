//! The two streams: results to stdout, everything else to stderr.

use super::exit::{self, Exit};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
};

/// Prints a result. A closed pipe is no mistake of ours: whoever read has had enough.
pub(super) fn result(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = stdout.write_all(b"\n");
    }
    let _ = stdout.flush();
}

/// Prints what people should see and machines should not, as it is.
pub(super) fn say(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Says what is wrong, with what to do next where there is something.
pub(super) fn complain(message: impl Display) {
    let _ = writeln!(io::stderr().lock(), "valet: {message}");
}

/// Says what is wrong and gives the code back.
pub(super) fn fail(exit: Exit, message: impl Display) -> Exit {
    complain(message);
    exit
}

/// Whether standard error is for a person's eyes in colour: a terminal, and `NO_COLOR` (<https://no-color.org>) is not set.
pub(super) fn stderr_in_colour(env: &dyn crate::env::Env) -> bool {
    let no_colour = env.var("NO_COLOR").is_ok_and(|value| value.is_some_and(|value| !value.is_empty()));
    io::stderr().is_terminal() && !no_colour
}

/// A message of the service in its proto3 JSON form, indented.
pub(super) fn to_json(full_name: &str, message: &impl Message) -> Result<String, Exit> {
    let defect =
        |error: &dyn Display| fail(exit::UNAVAILABLE, format_args!("the answer cannot be shown as JSON: {error}"));
    let pool = DescriptorPool::decode(crate::proto::DESCRIPTORS).map_err(|error| defect(&error))?;
    let descriptor = pool.get_message_by_name(full_name).ok_or_else(|| defect(&"its type is not known"))?;
    let dynamic =
        DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).map_err(|error| defect(&error))?;
    let mut json = serde_json::Serializer::pretty(Vec::new());
    dynamic
        .serialize_with_options(&mut json, &SerializeOptions::new().skip_default_fields(false))
        .map_err(|error| defect(&error))?;
    String::from_utf8(json.into_inner()).map_err(|error| defect(&error.utf8_error()))
}
