//! The exported schema holds everything that the public contract promises, and says what it all is.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::BTreeMap;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, ServiceDocument, Type, TypeDefinition, TypeKind,
    TypeSystemDefinition,
};

/// A type's members by name; what it is, too.
#[derive(Default)]
struct Shape {
    kind: &'static str,
    described: bool,
    fields: BTreeMap<String, FieldDefinition>,
    inputs: BTreeMap<String, InputValueDefinition>,
    values: BTreeMap<String, bool>,
    implements: Vec<String>,
    one_of: bool,
}

fn shapes(sdl: &str) -> BTreeMap<String, Shape> {
    let ServiceDocument { definitions } = parse_schema(sdl).unwrap();
    let types = definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => Some(definition.node),
        _ => None,
    });
    types.map(|definition| (definition.name.node.to_string(), shape(definition))).collect()
}

fn shape(definition: TypeDefinition) -> Shape {
    let mut shape = Shape { described: definition.description.is_some(), ..Shape::default() };
    let named = |field: &FieldDefinition| field.name.node.to_string();
    match definition.kind {
        TypeKind::Scalar => shape.kind = "scalar",
        TypeKind::Object(object) => {
            shape.kind = "type";
            shape.fields = object.fields.into_iter().map(|field| (named(&field.node), field.node)).collect();
            shape.implements = object.implements.iter().map(|name| name.node.to_string()).collect();
        }
        TypeKind::Interface(interface) => {
            shape.kind = "interface";
            shape.fields =
                interface.fields.into_iter().map(|field| (named(&field.node), field.node)).collect();
        }
        TypeKind::Union(_) => shape.kind = "union",
        TypeKind::Enum(values) => {
            shape.kind = "enum";
            let value =
                |value: async_graphql::Positioned<async_graphql::parser::types::EnumValueDefinition>| {
                    (value.node.value.node.to_string(), value.node.description.is_some())
                };
            shape.values = values.values.into_iter().map(value).collect();
        }
        TypeKind::InputObject(input) => {
            shape.kind = "input";
            shape.one_of = definition.directives.iter().any(|directive| directive.node.name.node == "oneOf");
            let field = |field: async_graphql::Positioned<InputValueDefinition>| {
                (field.node.name.node.to_string(), field.node)
            };
            shape.inputs = input.fields.into_iter().map(field).collect();
        }
    }
    shape
}

/// Whether what is answered is at least what was promised: never null where that was excluded.
fn answers(ours: &Type, promised: &Type) -> bool {
    let base = match (&ours.base, &promised.base) {
        (BaseType::Named(ours), BaseType::Named(promised)) => ours == promised,
        (BaseType::List(ours), BaseType::List(promised)) => answers(ours, promised),
        _ => false,
    };
    base && (promised.nullable || !ours.nullable)
}

/// Whether whatever may be given by the contract is taken.
fn takes(ours: &InputValueDefinition, promised: &InputValueDefinition) -> bool {
    fn accepts(ours: &Type, promised: &Type) -> bool {
        let base = match (&ours.base, &promised.base) {
            (BaseType::Named(ours), BaseType::Named(promised)) => ours == promised,
            (BaseType::List(ours), BaseType::List(promised)) => accepts(ours, promised),
            _ => false,
        };
        base && (ours.nullable || !promised.nullable)
    }
    let optional = ours.ty.node.nullable || ours.default_value.is_some();
    let may_leave_out = promised.ty.node.nullable || promised.default_value.is_some();
    accepts(&ours.ty.node, &promised.ty.node) && (optional || !may_leave_out)
}

fn required(value: &InputValueDefinition) -> bool {
    !value.ty.node.nullable && value.default_value.is_none()
}

fn compare_field(at: &str, ours: &FieldDefinition, promised: &FieldDefinition, wrong: &mut Vec<String>) {
    if !answers(&ours.ty.node, &promised.ty.node) {
        wrong.push(format!("{at}: {} instead of {}", ours.ty.node, promised.ty.node));
    }
    let name = |value: &InputValueDefinition| value.name.node.to_string();
    let args: BTreeMap<_, _> = ours.arguments.iter().map(|arg| (name(&arg.node), &arg.node)).collect();
    let wanted: BTreeMap<_, _> = promised.arguments.iter().map(|arg| (name(&arg.node), &arg.node)).collect();
    for (arg, promised) in &wanted {
        match args.get(arg) {
            None => wrong.push(format!("{at}({arg}) is missing")),
            Some(ours) if !takes(ours, promised) => {
                wrong.push(format!("{at}({arg}) is stricter: {}", ours.ty.node))
            }
            Some(_) => {}
        }
    }
    for (arg, ours) in args.iter().filter(|(arg, _)| !wanted.contains_key(*arg)) {
        if required(ours) {
            wrong.push(format!("{at}({arg}) must not be required"));
        }
    }
}

fn compare(name: &str, ours: &Shape, promised: &Shape, wrong: &mut Vec<String>) {
    if ours.kind != promised.kind || ours.one_of != promised.one_of {
        wrong.push(format!("{name} is another kind of type: {}", ours.kind));
    }
    for (field, promised) in &promised.fields {
        match ours.fields.get(field) {
            None => wrong.push(format!("{name}.{field} is missing")),
            Some(ours) => compare_field(&format!("{name}.{field}"), ours, promised, wrong),
        }
    }
    for (field, promised) in &promised.inputs {
        match ours.inputs.get(field) {
            None => wrong.push(format!("{name}.{field} is missing")),
            Some(ours) if !takes(ours, promised) => {
                wrong.push(format!("{name}.{field} is stricter: {}", ours.ty.node))
            }
            Some(_) => {}
        }
    }
    for (field, ours) in ours.inputs.iter().filter(|(field, _)| !promised.inputs.contains_key(*field)) {
        if required(ours) {
            wrong.push(format!("{name}.{field} must not be required"));
        }
    }
    for value in promised.values.keys().filter(|value| !ours.values.contains_key(*value)) {
        wrong.push(format!("{name}.{value} is missing"));
    }
    for interface in promised.implements.iter().filter(|interface| !ours.implements.contains(interface)) {
        wrong.push(format!("{name} does not implement {interface}"));
    }
}

/// The contract as the project's owners keep it beside the repository, else the copy in it.
fn contract() -> String {
    let here = env!("CARGO_MANIFEST_DIR");
    std::fs::read_to_string(format!("{here}/../../shared/contract.graphql"))
        .unwrap_or_else(|_| include_str!("../../tests/shared/contract.graphql").to_owned())
}

#[test]
fn the_schema_is_a_superset_of_the_public_contract() {
    let contract = contract();
    let (ours, promised) = (shapes(&control_plane::schema_sdl()), shapes(&contract));
    let mut wrong = Vec::new();
    for (name, promised) in &promised {
        match ours.get(name) {
            None => wrong.push(format!("{name} is missing")),
            Some(ours) => compare(name, ours, promised, &mut wrong),
        }
    }
    assert!(wrong.is_empty(), "the contract is broken:\n{}", wrong.join("\n"));
}

#[test]
fn every_public_type_and_field_says_what_it_is() {
    let mut silent = Vec::new();
    for (name, shape) in shapes(&control_plane::schema_sdl()) {
        if !shape.described {
            silent.push(name.clone());
        }
        let fields =
            shape.fields.iter().filter(|(_, field)| field.description.is_none()).map(|(field, _)| field);
        let inputs =
            shape.inputs.iter().filter(|(_, field)| field.description.is_none()).map(|(field, _)| field);
        let values = shape.values.iter().filter(|(_, described)| !**described).map(|(value, _)| value);
        silent.extend(fields.chain(inputs).chain(values).map(|member| format!("{name}.{member}")));
    }
    assert!(silent.is_empty(), "without a description:\n{}", silent.join("\n"));
}
