//! The `fields` parameter: `id,caption,children{id,media_type}`.

use serde_json::{Map, Value};

use crate::instagram::error::GraphError;

/// One field that was asked for, with what was asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub inner: Vec<Field>,
}

/// Reads the parameter; without one the network gives the id only.
pub fn parse(text: Option<&str>) -> Result<Vec<Field>, GraphError> {
    let mut rest = text.unwrap_or("id");
    let fields = list(&mut rest)?;
    if rest.is_empty() { Ok(fields) } else { Err(syntax(rest)) }
}

fn list(rest: &mut &str) -> Result<Vec<Field>, GraphError> {
    let mut fields: Vec<Field> = Vec::new();
    loop {
        let end = rest.find([',', '{', '}']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let name = name.trim();
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(syntax(rest));
        }
        *rest = after;
        let mut inner = Vec::new();
        if let Some(after) = rest.strip_prefix('{') {
            *rest = after;
            inner = list(rest)?;
            *rest = rest.strip_prefix('}').ok_or_else(|| syntax("an open brace"))?;
        }
        fields.push(Field { name: name.to_owned(), inner });
        match rest.strip_prefix(',') {
            Some(after) => *rest = after,
            None => return Ok(fields),
        }
    }
}

fn syntax(at: &str) -> GraphError {
    GraphError::parameter(format!(
        "Syntax error in the parameter fields near '{}'",
        at.chars().take(20).collect::<String>()
    ))
}

/// The values of the fields that were asked for, and the id, which always comes along. `value`
/// gives `Null` for a field that this object has no value for: it is left out.
pub fn select(
    fields: &[Field],
    id: &str,
    mut value: impl FnMut(&Field) -> Result<Value, GraphError>,
) -> Result<Value, GraphError> {
    let mut object = Map::new();
    for field in fields {
        let value = value(field)?;
        if !value.is_null() {
            object.insert(field.name.clone(), value);
        }
    }
    object.insert("id".to_owned(), Value::from(id));
    Ok(Value::Object(object))
}

/// The error for a field that does not exist.
pub fn unknown(field: &Field) -> GraphError {
    GraphError::parameter(format!("Tried accessing nonexisting field ({})", field.name))
}

#[cfg(test)]
mod tests {
    use super::{Field, parse};

    fn shown(fields: &[Field]) -> String {
        let field = |field: &Field| match field.inner.as_slice() {
            [] => field.name.clone(),
            inner => format!("{}({})", field.name, shown(inner)),
        };
        fields.iter().map(field).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn fields_nest_and_end_where_they_should() {
        let good = [
            (None, "id"),
            (Some("id,caption"), "id caption"),
            (Some("id, children{id,media_url},timestamp"), "id children(id media_url) timestamp"),
        ];
        for (text, expected) in good {
            assert_eq!(parse(text).map(|fields| shown(&fields)).ok().as_deref(), Some(expected));
        }
        for text in ["", "id,", "children{id", "children{}", "id}", "children.limit(3){id}"] {
            assert!(parse(Some(text)).is_err(), "{text}");
        }
    }
}
