use crate::{
    model::{Fault, FaultKind},
    proto::{self, v1},
};
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde::Serialize;

/// The JSON form of messages, as proto3 has it, read from the descriptors.
pub(super) struct Json {
    pool: DescriptorPool,
}

/// `valet.v1.Answer` in its JSON form.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    value: &'a str,
    source: &'a str,
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    age: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fresh_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    state: &'static str,
    mask: &'a [String],
    ends: bool,
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

    /// [`Self::encode`] for the answer to nearly every call, some times faster: it needs no descriptor.
    pub(super) fn encode_answer(answer: &v1::Answer) -> Vec<u8> {
        let mut text = Vec::with_capacity(256 + answer.encoded_len());
        let typed = Answer {
            value: &answer.value,
            source: &answer.source,
            version: &answer.version,
            age: answer.age.map(|age| age.to_string()),
            fresh_until: answer.fresh_until.map(|time| time.to_string()),
            expires_at: answer.expires_at.map(|time| time.to_string()),
            state: answer.state().as_str_name(),
            mask: &answer.mask,
            ends: answer.ends,
        };
        serde_json::to_writer(&mut text, &typed).expect("text goes into memory");
        text
    }

    fn descriptor<M: Name>(&self) -> MessageDescriptor {
        self.pool
            .get_message_by_name(&M::full_name())
            .expect("the build compiled the message and its descriptor from one file")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn answers()(
            texts in proptest::collection::vec(".*", 3..6),
            age in proptest::option::of((0..1_000_000_i64, 0..1_000_000_000)),
            times in proptest::collection::vec(proptest::option::of((0..253_402_300_799_i64, 0..1_000_000_000)), 2),
            round in proptest::sample::select(vec![1, 1000, 1_000_000, 1_000_000_000]),
            state in 0..3,
        ) -> v1::Answer {
            let time = |it: Option<(i64, i32)>| it.map(|(seconds, nanos)| prost_types::Timestamp { seconds, nanos: nanos / round * round });
            v1::Answer {
                value: texts[0].clone(),
                source: texts[1].clone(),
                version: texts[2].clone(),
                age: age.map(|(seconds, nanos)| prost_types::Duration { seconds, nanos: nanos / round * round }),
                fresh_until: time(times[0]),
                expires_at: time(times[1]),
                state,
                mask: texts[3..].to_vec(),
                ends: state == 1,
            }
        }
    }

    proptest! {
        #[test]
        fn the_fast_way_writes_what_the_descriptors_say(answer in answers()) {
            let (fast, general) = (Json::encode_answer(&answer), Json::new().encode(&answer));
            prop_assert_eq!(String::from_utf8(fast).unwrap(), String::from_utf8(general).unwrap());
        }
    }
}
