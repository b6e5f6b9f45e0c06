//! Which value of an enum was taken for which.

use serde::Serialize;
use serde_json::Value;

use super::fields::Field;
use super::outcome::Row;

/// Stands for no value.
const ABSENT: &str = "(none)";
/// Stands for no answer at all.
const NO_ANSWER: &str = "(no answer)";

/// A table of the values that were expected and those that were given. Values that never occur are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// The field's JSON Pointer.
    pub field: String,
    /// The rows: values that were expected.
    pub expected: Vec<String>,
    /// The columns: values that were given.
    pub given: Vec<String>,
    /// How often, row by row.
    pub counts: Vec<Vec<usize>>,
}

/// The tables of all fields whose schema lists their values.
pub fn tables<'a>(fields: &[Field], rows: impl Iterator<Item = Row<'a>> + Clone) -> Vec<Confusion> {
    let with_choices = fields.iter().filter(|field| !field.choices.is_empty());
    with_choices.map(|field| table(field, rows.clone())).collect()
}

fn table<'a>(field: &Field, rows: impl Iterator<Item = Row<'a>>) -> Confusion {
    let pairs: Vec<(String, String)> = rows
        .filter(|row| row.judged.is_some())
        .map(|row| {
            let expected = Value::Object(row.label.expected.clone());
            let given = row.outcome.given().map(|given| shown(given.data.pointer(&field.pointer)));
            (shown(expected.pointer(&field.pointer)), given.unwrap_or_else(|| NO_ANSWER.to_owned()))
        })
        .collect();
    let names = field.choices.iter().map(|choice| shown(Some(choice)));
    let names: Vec<String> = names.chain([ABSENT.to_owned(), NO_ANSWER.to_owned()]).collect();
    let expected = in_order(&names, pairs.iter().map(|(expected, _)| expected));
    let given = in_order(&names, pairs.iter().map(|(_, given)| given));
    let count = |row: &String, column: &String| pairs.iter().filter(|(a, b)| a == row && b == column).count();
    let counts = expected.iter().map(|row| given.iter().map(|column| count(row, column)).collect()).collect();
    Confusion { field: field.pointer.clone(), expected, given, counts }
}

/// The values that occur: those of the schema in its order, then all others.
fn in_order<'a>(names: &[String], occurring: impl Iterator<Item = &'a String> + Clone) -> Vec<String> {
    let mut order: Vec<String> =
        names.iter().filter(|name| occurring.clone().any(|one| one == *name)).cloned().collect();
    for other in occurring {
        if !order.contains(other) {
            order.push(other.clone());
        }
    }
    order
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => ABSENT.to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::failure::Code;
    use crate::eval::testing::{answer, failed, fields, labels, run};

    #[test]
    fn a_table_has_the_values_that_occur_in_the_schemas_order() {
        let labels = labels(&[r#"{"mood":"good"}"#, r#"{"mood":"bad"}"#, r#"{"mood":"good"}"#, r#"{"mood":null}"#]);
        let outcomes = vec![
            answer(r#"{"mood":"bad"}"#),
            answer(r#"{"mood":"bad"}"#),
            failed(Code::ProviderRefused),
            answer(r#"{"mood":"good"}"#),
        ];
        let run = run(&labels, outcomes);
        let table = &tables(&fields(), run.rows(&labels))[0];
        assert_eq!(table.expected, ["good", "bad", "(none)"]);
        assert_eq!(table.given, ["good", "bad", "(no answer)"]);
        assert_eq!(table.counts, [[0, 1, 1], [0, 1, 0], [1, 0, 0]]);
    }

    #[test]
    fn a_label_for_which_nobody_could_be_asked_is_in_no_table() {
        let labels = labels(&[r#"{"mood":"good"}"#]);
        let run = run(&labels, vec![failed(Code::ProviderUnavailable)]);
        assert_eq!(tables(&fields(), run.rows(&labels))[0].counts, Vec::<Vec<usize>>::new());
    }
}
