//! Limits on a document, checked before anything of it runs: above the floor of the public contract
//! (depth 12, 30 aliases, 2,000 tokens), and in time that grows with its length only.

use std::collections::HashMap;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    ExecutableDocument, Field, FragmentDefinition, OperationDefinition, OperationType, Selection,
    SelectionSet,
};
use async_graphql::{Name, Positioned, Value, Variables};

use crate::graphql::failure::{Answer, Failure};

/// Names, numbers, texts and signs.
const TOKENS_MAX: usize = 4_000;
/// Brackets within brackets, which the parser follows by recursion.
const NESTING_MAX: usize = 64;
/// Fields within fields.
const DEPTH_MAX: usize = 20;
/// Aliases in the whole document.
const ALIASES_MAX: usize = 60;
/// Directives in the whole document.
const DIRECTIVES_MAX: usize = 50;
/// Fields in the largest possible answer, lists counted with the rows asked for.
const COST_MAX: u64 = 100_000;
/// Rows that `fits` has for one file: a profile each. A carousel has as many for each of its items, and an asset's fit
/// names its asset again, so that a document could ask for the fits of fits.
const FITS_MAX: u64 = 60;
/// Lists within lists of the schema's own description; what tools send has two.
const INTROSPECTION_LISTS_MAX: usize = 3;
/// A parser's message may repeat the document: so many characters of it are enough.
const MESSAGE_MAX: usize = 300;

/// A document that may run.
#[derive(Debug)]
pub struct Accepted {
    pub document: ExecutableDocument,
    pub kind: OperationType,
}

/// Reads and measures a document.
///
/// # Errors
/// `BAD_REQUEST`: it cannot be read, names no operation, or passes a limit; the text says which.
pub fn read(query: &str, operation: Option<&str>, variables: &Variables) -> Answer<Accepted> {
    check_tokens(query)?;
    let document = parse_query(query).map_err(|error| {
        let message: String = error.to_string().chars().take(MESSAGE_MAX).collect();
        Failure::BadRequest(message)
    })?;
    let chosen = choose(&document, operation)?;
    let mut measure = Measure { fragments: &document.fragments, known: HashMap::new(), variables, chosen };
    let weight = measure.set(&chosen.selection_set.node);
    check_weight(&weight)?;
    let (aliases, directives) = count_marks(&document);
    over("aliases", aliases, ALIASES_MAX)?;
    over("directives", directives, DIRECTIVES_MAX)?;
    let kind = chosen.ty;
    Ok(Accepted { document, kind })
}

fn over(what: &str, count: usize, max: usize) -> Answer<()> {
    if count > max {
        return Err(Failure::bad_request(format!("too many {what}: {max} at most, split the request")));
    }
    Ok(())
}

fn check_weight(weight: &Weight) -> Answer<()> {
    over("levels of fields", weight.depth, DEPTH_MAX)?;
    over("nested lists of the schema", weight.introspection_lists, INTROSPECTION_LISTS_MAX)?;
    if weight.cost > COST_MAX {
        return Err(Failure::bad_request(format!(
            "this could answer {} fields, {COST_MAX} at most: ask for smaller pages",
            weight.cost
        )));
    }
    Ok(())
}

fn choose<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Answer<&'a OperationDefinition> {
    let mut operations = document.operations.iter();
    let chosen = match name {
        Some(name) => operations.find(|(found, _)| found.is_some_and(|found| found == name)),
        None => operations.next().filter(|_| operations.next().is_none()),
    };
    let message = "`operationName` has to name one of the operations of the document";
    chosen.map(|(_, operation)| &operation.node).ok_or_else(|| Failure::bad_request(message))
}

/// Counts tokens without parsing, and stops at the limit.
fn check_tokens(query: &str) -> Answer<()> {
    let bytes = query.as_bytes();
    let (mut at, mut tokens, mut nesting) = (0, 0, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        let length = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => {
                at += 1;
                continue;
            }
            b'#' => {
                at += bytes[at..].iter().take_while(|&&byte| byte != b'\n').count();
                continue;
            }
            b'"' => text_length(&bytes[at..]),
            b'{' | b'(' | b'[' => {
                nesting += 1;
                1
            }
            b'}' | b')' | b']' => {
                nesting = nesting.saturating_sub(1);
                1
            }
            byte if is_word(byte) => bytes[at..].iter().take_while(|&&byte| is_word(byte)).count(),
            _ => 1,
        };
        at += length;
        tokens += 1;
        over("tokens", tokens, TOKENS_MAX)?;
        over("nested brackets", nesting, NESTING_MAX)?;
    }
    Ok(())
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+')
}

/// The length of the text that `bytes` begins with, quotes included.
fn text_length(bytes: &[u8]) -> usize {
    let quotes: &[u8] = if bytes.starts_with(b"\"\"\"") { b"\"\"\"" } else { b"\"" };
    let mut at = quotes.len();
    while at < bytes.len() {
        if bytes[at] == b'\\' {
            at += 2;
        } else if bytes[at..].starts_with(quotes) {
            return at + quotes.len();
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// What a selection costs at the most.
#[derive(Clone, Copy, Debug, Default)]
struct Weight {
    depth: usize,
    cost: u64,
    introspection_lists: usize,
}

impl Weight {
    fn beside(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            cost: self.cost.saturating_add(other.cost),
            introspection_lists: self.introspection_lists.max(other.introspection_lists),
        }
    }
}

/// Walks a selection; each fragment is walked once, however often it is spread.
struct Measure<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    known: HashMap<&'a str, Weight>,
    variables: &'a Variables,
    chosen: &'a OperationDefinition,
}

impl<'a> Measure<'a> {
    fn set(&mut self, set: &'a SelectionSet) -> Weight {
        let mut all = Weight::default();
        for selection in &set.items {
            let weight = match &selection.node {
                Selection::Field(field) => self.field(&field.node),
                Selection::InlineFragment(inline) => self.set(&inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node),
            };
            all = all.beside(weight);
        }
        all
    }

    fn fragment(&mut self, name: &'a Name) -> Weight {
        if let Some(weight) = self.known.get(name.as_str()) {
            return *weight;
        }
        let Some(fragment) = self.fragments.get(name) else { return Weight::default() };
        // One that leads back to itself weighs nothing here; validation refuses it.
        self.known.insert(name.as_str(), Weight::default());
        let weight = self.set(&fragment.node.selection_set.node);
        self.known.insert(name.as_str(), weight);
        weight
    }

    fn field(&mut self, field: &'a Field) -> Weight {
        let inner = self.set(&field.selection_set.node);
        let list = matches!(
            field.name.node.as_str(),
            "fields" | "inputFields" | "interfaces" | "possibleTypes" | "enumValues"
        );
        Weight {
            depth: inner.depth + 1,
            cost: inner.cost.saturating_mul(self.rows(field)).saturating_add(1),
            introspection_lists: inner.introspection_lists + usize::from(list),
        }
    }

    /// How many rows a list is asked for, or can have; 1 for all else.
    fn rows(&self, field: &Field) -> u64 {
        // Outside: the argument is not there. Inside: its value is not known.
        let argument = |name: &str| {
            let value = field.get_argument(name)?.node.clone();
            Some(value.into_const_with(|variable| self.variable(&variable).ok_or(())).ok())
        };
        if let Some(Some(Value::List(ids))) = argument("ids") {
            return ids.len() as u64;
        }
        let size = |name: &str| match argument(name)? {
            Some(Value::Number(number)) => Some(number.as_u64().unwrap_or(1)),
            Some(_) => None,
            None => Some(100),
        };
        let unpaged = if field.name.node == "fits" { FITS_MAX } else { 1 };
        size("first").or_else(|| size("last")).unwrap_or(unpaged).min(100)
    }

    /// The value of a variable, or its default when it is left out.
    fn variable(&self, name: &Name) -> Option<Value> {
        let default = || {
            let mut definitions = self.chosen.variable_definitions.iter();
            let definition = definitions.find(|definition| definition.node.name.node == *name)?;
            definition.node.default_value.as_ref().map(|value| value.node.clone())
        };
        self.variables.get(name).cloned().or_else(default)
    }
}

/// Aliases and directives, as often as they are written.
fn count_marks(document: &ExecutableDocument) -> (usize, usize) {
    let mut marks = (0, 0);
    for (_, operation) in document.operations.iter() {
        marks.1 += operation.node.directives.len();
        count_in(&operation.node.selection_set.node, &mut marks);
    }
    for fragment in document.fragments.values() {
        marks.1 += fragment.node.directives.len();
        count_in(&fragment.node.selection_set.node, &mut marks);
    }
    marks
}

fn count_in(set: &SelectionSet, marks: &mut (usize, usize)) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                marks.0 += usize::from(field.node.alias.is_some());
                marks.1 += field.node.directives.len();
                count_in(&field.node.selection_set.node, marks);
            }
            Selection::InlineFragment(inline) => {
                marks.1 += inline.node.directives.len();
                count_in(&inline.node.selection_set.node, marks);
            }
            Selection::FragmentSpread(spread) => marks.1 += spread.node.directives.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(query: &str) -> Option<String> {
        match read(query, None, &Variables::default()) {
            Ok(_) => None,
            Err(Failure::BadRequest(message)) => Some(message),
            Err(other) => panic!("{other:?}"),
        }
    }

    fn nested(depth: usize) -> String {
        format!("{}{}{}", "{a".repeat(depth), "", "}".repeat(depth))
    }

    fn aliases(count: usize) -> String {
        let fields: Vec<String> = (0..count).map(|n| format!("a{n}: viewer {{ __typename }}")).collect();
        format!("{{ {} }}", fields.join(" "))
    }

    #[test]
    fn the_floor_of_the_contract_is_accepted() {
        assert_eq!(refusal(&nested(12)), None);
        assert_eq!(refusal(&aliases(30)), None);
        assert_eq!(refusal(&format!("{{ {} }}", "viewer ".repeat(1_998))), None);
    }

    #[test]
    fn what_is_too_much_is_named() {
        let bomb: String =
            (0..300).map(|n| format!("fragment f{n} on T {{ ...f{} ...f{} }} ", n + 1, n + 1)).collect();
        let wide = "{ brand(id: 1) { assets(first: 100) { nodes { targets(first: 100) { nodes { a(first: 100) } } } } } }";
        let wider = "{ b(first: 100) { nodes { assets(first: 100) { nodes { targets(first: 100) { nodes { id } } } } } } }";
        for (query, word) in [
            (nested(21), Some("levels")),
            (nested(65), Some("brackets")),
            ("[".repeat(100_000), Some("brackets")),
            (aliases(61), Some("aliases")),
            (aliases(5_000), Some("tokens")),
            (format!("{{ {} }}", "viewer ".repeat(4_000)), Some("tokens")),
            (format!("{{ viewer {} }}", "@include(if: true) ".repeat(51)), Some("directives")),
            (format!("{{ ...f0 }} {bomb}"), None),
            (wide.to_owned(), None),
            (wider.to_owned(), Some("smaller pages")),
            ("{ a { fits { asset { fits { asset { id } } } } } }".to_owned(), None),
            (
                "{ a { fits { asset { fits { asset { fits { asset { fits { asset { id } } } } } } } } } }"
                    .to_owned(),
                Some("smaller pages"),
            ),
            ("{ a \"".to_owned(), Some("")),
            ("query A { a } query B { b }".to_owned(), Some("operationName")),
        ] {
            let refused = refusal(&query);
            let start: String = query.chars().take(60).collect();
            match word {
                Some(word) => assert!(refused.is_some_and(|message| message.contains(word)), "{start}"),
                None => assert_eq!(refused, None, "{start}"),
            }
        }
    }

    #[test]
    fn a_spread_bomb_costs_what_it_would_answer() {
        let bomb: String = (0..40)
            .map(|n| format!("fragment f{n} on T {{ a{n} {{ ...f{} }} b{n} {{ ...f{} }} }} ", n + 1, n + 1))
            .collect();
        let refused = refusal(&format!("{{ ...f0 }} {bomb} fragment f40 on T {{ id }}"));
        assert!(refused.is_some());
    }

    #[test]
    fn a_page_asked_for_by_a_variable_counts_as_it_is() {
        let query = "query A($n: Int = 7) { b(first: $n) { id } }";
        let accepted = read(query, None, &Variables::default()).expect("is accepted");
        assert_eq!(accepted.kind, OperationType::Query);
    }
}
