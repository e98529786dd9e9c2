use super::{Resource, Service};
use crate::sign::{SignError, name, permission};

impl Resource {
    /// A queue. Its token has no `sr`.
    pub fn queue(queue: &str) -> Result<Self, SignError> {
        Ok(Self::plain(Service::Queue, "", &permission::QUEUE, name::dns("queue", queue)?))
    }
}
