//! What clients rely on in the service's descriptors, one line each, and what a change takes away from them. The build compares `baseline.txt`
//! with what it has compiled; `tests/transport` does so with doctored descriptors.

use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet, ServiceDescriptorProto,
    field_descriptor_proto::{Label, Type},
};
use std::collections::BTreeSet;

/// Everything that a client can rely on: names, numbers, types, labels and JSON names of our own packages. Additions only add lines.
pub(crate) fn surface(descriptors: &FileDescriptorSet) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for file in descriptors.file.iter().filter(|file| file.package().starts_with("valet.")) {
        let package = file.package();
        file.message_type.iter().for_each(|message| add_message(&mut lines, package, message));
        file.enum_type.iter().for_each(|enumeration| add_enum(&mut lines, package, enumeration));
        file.service.iter().for_each(|service| add_service(&mut lines, package, service));
    }
    lines
}

/// The lines of the baseline that are not there any more: removed, renamed, renumbered or retyped.
pub(crate) fn broken<'a>(baseline: &'a str, surface: &BTreeSet<String>) -> Vec<&'a str> {
    baseline.lines().filter(|line| !surface.contains(*line)).collect()
}

fn add_message(lines: &mut BTreeSet<String>, scope: &str, message: &DescriptorProto) {
    let name = format!("{scope}.{}", message.name());
    lines.insert(format!("message {name}"));
    for field in &message.field {
        let oneof = field.oneof_index.and_then(|index| message.oneof_decl.get(usize::try_from(index).ok()?));
        let oneof = oneof.map(|oneof| format!(" oneof {}", oneof.name())).unwrap_or_default();
        let (kind, number, json) = (kind(field), field.number(), field.json_name());
        lines.insert(format!("field {name}.{} = {number} {kind} json {json}{oneof}", field.name()));
    }
    message.nested_type.iter().for_each(|nested| add_message(lines, &name, nested));
    message.enum_type.iter().for_each(|nested| add_enum(lines, &name, nested));
}

fn add_enum(lines: &mut BTreeSet<String>, scope: &str, enumeration: &EnumDescriptorProto) {
    let name = format!("{scope}.{}", enumeration.name());
    lines.insert(format!("enum {name}"));
    lines.extend(enumeration.value.iter().map(|value| format!("value {name}.{} = {}", value.name(), value.number())));
}

fn add_service(lines: &mut BTreeSet<String>, scope: &str, service: &ServiceDescriptorProto) {
    let name = format!("{scope}.{}", service.name());
    lines.insert(format!("service {name}"));
    let stream = |is_stream| if is_stream { "stream " } else { "" };
    lines.extend(service.method.iter().map(|method| {
        let (input, output) = (method.input_type(), method.output_type());
        let (sent, answered) = (stream(method.client_streaming()), stream(method.server_streaming()));
        format!("method {name}.{} ({sent}{input}) returns ({answered}{output})", method.name())
    }));
}

/// A field's label, where it says anything in proto3, and type.
fn kind(field: &FieldDescriptorProto) -> String {
    let label = match field.label() {
        Label::Repeated => "repeated ",
        Label::Required => "required ",
        Label::Optional if field.proto3_optional() => "optional ",
        Label::Optional => "",
    };
    let kind = match field.r#type() {
        Type::Message | Type::Enum | Type::Group => field.type_name().to_owned(),
        scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    };
    format!("{label}{kind}")
}
