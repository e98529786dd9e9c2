use crate::{
    model::{Fault, FaultKind},
    proto,
};
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions};

/// The JSON form of messages, as proto3 has it, read from the descriptors.
pub(super) struct Json {
    pool: DescriptorPool,
}

impl Json {
    pub(super) fn new() -> Self {
        Self { pool: DescriptorPool::decode(proto::DESCRIPTORS).expect("the build compiled these descriptors") }
    }

    /// Reads a message: names in either spelling, unknown ones ignored.
    ///
    /// # Errors
    /// [`FaultKind::BadRequest`], which says where and shows nothing of the text.
    pub(super) fn decode<M: Message + Name + Default>(&self, text: &[u8]) -> Result<M, Fault> {
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let options = DeserializeOptions::new().deny_unknown_fields(false);
        DynamicMessage::deserialize_with_options(self.descriptor::<M>(), &mut deserializer, &options)
            .and_then(|message| deserializer.end().map(|()| message))
            .map_err(|error| {
                let (name, line, column) = (M::NAME, error.line(), error.column());
                let message = format!("the request is not the JSON form of {name}: see line {line}, column {column}");
                Fault::new(FaultKind::BadRequest, message)
            })
            .map(|message| message.transcode_to().expect("a message is what its descriptor says"))
    }

    /// Writes a message: lowerCamelCase names, empty fields too, because people and small clients read it.
    pub(super) fn encode<M: Message + Name>(&self, message: &M) -> Vec<u8> {
        let mut dynamic = DynamicMessage::new(self.descriptor::<M>());
        dynamic.transcode_from(message).expect("a message is what its descriptor says");
        let mut text = Vec::with_capacity(256 + message.encoded_len());
        dynamic
            .serialize_with_options(
                &mut serde_json::Serializer::new(&mut text),
                &SerializeOptions::new().skip_default_fields(false),
            )
            .expect("times and durations come from the system's clock, within what JSON can spell");
        text
    }

    fn descriptor<M: Name>(&self) -> MessageDescriptor {
        self.pool
            .get_message_by_name(&M::full_name())
            .expect("the build compiled the message and its descriptor from one file")
    }
}
