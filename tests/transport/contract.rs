//! The service's contract may grow, and that is all. The build refuses the rest by this very check.

use prost::Message as _;
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};
use valet::proto;

#[path = "../../proto/compat.rs"]
mod compat;

const BASELINE: &str = include_str!("../../proto/baseline.txt");

fn compiled() -> FileDescriptorSet {
    FileDescriptorSet::decode(proto::DESCRIPTORS).unwrap()
}

/// What a change breaks.
fn broken_by(change: impl FnOnce(&mut FileDescriptorSet)) -> Vec<&'static str> {
    let mut descriptors = compiled();
    change(&mut descriptors);
    compat::broken(BASELINE, &compat::surface(&descriptors))
}

fn message<'a>(descriptors: &'a mut FileDescriptorSet, name: &str) -> &'a mut DescriptorProto {
    descriptors.file.iter_mut().flat_map(|file| &mut file.message_type).find(|message| message.name() == name).unwrap()
}

fn field<'a>(descriptors: &'a mut FileDescriptorSet, name: &str, field: &str) -> &'a mut FieldDescriptorProto {
    message(descriptors, name).field.iter_mut().find(|it| it.name() == field).unwrap()
}

const SOURCE: &str = "field valet.v1.Answer.source = 2 string json source";

#[test]
fn the_baseline_is_all_that_is_there() {
    let surface = compat::surface(&compiled());
    assert_eq!(compat::broken(BASELINE, &surface), [""; 0]);
    let new: Vec<_> = surface.iter().filter(|line| !BASELINE.lines().any(|known| known == *line)).collect();
    assert!(new.is_empty(), "new, and not yet protected: add to proto/baseline.txt, which stays sorted: {new:#?}");
}

#[test]
fn an_addition_breaks_nothing() {
    let added = broken_by(|descriptors| {
        let new = FieldDescriptorProto { name: Some("new".to_owned()), number: Some(9), ..Default::default() };
        message(descriptors, "Answer").field.push(new);
        let file = descriptors.file.iter_mut().find(|file| file.package() == "valet.v1").unwrap();
        file.message_type.push(DescriptorProto { name: Some("New".to_owned()), ..Default::default() });
    });
    assert_eq!(added, [""; 0]);
}

#[test]
fn a_field_keeps_its_number_name_json_name_type_and_label() {
    assert_eq!(broken_by(|set| message(set, "Answer").field.retain(|field| field.name() != "source")), [SOURCE]);
    assert_eq!(broken_by(|set| field(set, "Answer", "source").number = Some(12)), [SOURCE]);
    assert_eq!(broken_by(|set| field(set, "Answer", "source").name = Some("origin".to_owned())), [SOURCE]);
    assert_eq!(broken_by(|set| field(set, "Answer", "source").json_name = Some("origin".to_owned())), [SOURCE]);
    assert_eq!(broken_by(|set| field(set, "Answer", "source").set_type(Type::Bytes)), [SOURCE]);
    assert_eq!(broken_by(|set| field(set, "Answer", "source").set_label(Label::Repeated)), [SOURCE]);
    assert_eq!(broken_by(|set| field(set, "Answer", "source").proto3_optional = Some(true)), [SOURCE]);
    let outcome = "field valet.v1.BatchGetResult.fault = 2 .valet.v1.Fault json fault oneof outcome";
    assert_eq!(broken_by(|set| field(set, "BatchGetResult", "fault").oneof_index = None), [outcome]);
    assert_eq!(broken_by(|set| field(set, "BatchGetResult", "fault").type_name = Some(".x".to_owned())), [outcome]);
}

#[test]
fn messages_enums_services_and_methods_stay_what_they_are() {
    let gone =
        broken_by(|set| set.file.iter_mut().for_each(|file| file.message_type.retain(|it| it.name() != "Header")));
    let header = [
        "field valet.v1.Header.name = 1 string json name",
        "field valet.v1.Header.value = 2 string json value",
        "message valet.v1.Header",
    ];
    assert_eq!(gone, header);
    let nested = broken_by(|set| message(set, "StatusResponse").nested_type.clear());
    assert_eq!(nested.len(), 3, "{nested:?}");
    let renumbered = broken_by(|set| {
        let states = set.file.iter_mut().flat_map(|file| &mut file.enum_type);
        states.for_each(|state| state.value[1].number = Some(7));
    });
    assert_eq!(renumbered, ["value valet.v1.State.STATE_FRESH = 1"]);
    let watch = "method valet.v1.Broker.Watch (.valet.v1.WatchRequest) returns (stream .valet.v1.WatchResponse)";
    let streaming = broken_by(|set| {
        let methods = set.file.iter_mut().flat_map(|file| &mut file.service).flat_map(|service| &mut service.method);
        methods.for_each(|method| method.server_streaming = None);
    });
    assert_eq!(streaming, [watch]);
    let renamed = broken_by(|set| {
        set.file
            .iter_mut()
            .flat_map(|file| &mut file.service)
            .for_each(|service| service.name.as_mut().unwrap().push('2'));
    });
    assert_eq!(renamed.len(), 14, "two services and twelve methods: {renamed:?}");
}
