//! The messages of a conversation, and the prompt that they come to.

use serde_json::Value;

use super::other_parameters::asks_for_nothing;
use crate::http::fields::{Fields, Place, PlaceErrors, kind};

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The developer, under either of two names.
    System,
    /// The user.
    User,
    /// The model.
    Assistant,
}

/// A message.
#[derive(Debug, Clone)]
pub struct Message {
    /// Who wrote it.
    pub role: Role,
    /// Its text.
    pub text: String,
    /// Where it stands.
    pub place: Place,
}

/// What the messages of assistants have beside their text.
const OF_ASSISTANTS: [&str; 3] = ["audio", "function_call", "tool_calls"];

/// Reads them all. Whatever is wrong is noted; then there are none.
pub fn read(fields: &mut Fields<'_>) -> Option<Vec<Message>> {
    let errors = fields.errors();
    let items = fields.list("messages").unwrap_or_default();
    let messages: Vec<_> = items.into_iter().map(|(item, place)| read_message(item, place, errors)).collect();
    messages.into_iter().collect()
}

fn read_message(item: Value, place: Place, errors: &PlaceErrors) -> Option<Message> {
    let mut fields = Fields::of(item, place.clone(), errors)?;
    let roles =
        [("system", Role::System), ("developer", Role::System), ("user", Role::User), ("assistant", Role::Assistant)];
    let role = fields.required_choice("role", &roles);
    let content = fields.value("content").and_then(|value| text(value, fields.place().at("content"), errors));
    let refusal = fields.value("refusal").and_then(|value| value.as_str().map(str::to_owned));
    for name in ["name", "annotations"] {
        drop(fields.value(name));
    }
    for name in OF_ASSISTANTS {
        if fields.value(name).is_some_and(|value| !asks_for_nothing(name, &value)) {
            fields.error(name, "messages are texts here; leave it out");
        }
    }
    fields.finish();
    Some(Message { role: role?, text: content.or(refusal).unwrap_or_default(), place })
}

/// The text of a message: a string, or parts of the type text.
fn text(content: Value, place: Place, errors: &PlaceErrors) -> Option<String> {
    let kind = kind(&content);
    match content {
        Value::String(text) => Some(text),
        Value::Array(parts) => {
            let part = |(index, part)| read_part(part, place.at(&usize::to_string(&index)), errors);
            let texts: Vec<_> = parts.into_iter().enumerate().filter_map(part).collect();
            Some(texts.join("\n"))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            errors.add(place.error("", format!("expected text, or an array of parts of the type text, found {kind}")));
            None
        }
    }
}

fn read_part(part: Value, place: Place, errors: &PlaceErrors) -> Option<String> {
    let mut fields = Fields::of(part, place, errors)?;
    if fields.value("type").is_none_or(|kind| kind != "text") {
        fields.error("type", "only parts of the type text can be read: no images, audio or files");
        return None;
    }
    let text = fields.text("text");
    fields.finish();
    text
}

/// One prompt of all messages that have a text, with an empty line between them: first those of the developer, then the
/// conversation. If that is one message, its text stands as it is; of several, each has a line above that says who
/// wrote it.
pub fn prompt(messages: Vec<Message>) -> String {
    let written = messages.into_iter().filter(|message| !message.text.trim().is_empty());
    let (system, conversation): (Vec<_>, Vec<_>) = written.partition(|message| message.role == Role::System);
    let is_dialogue = conversation.len() > 1;
    let instructions = system.into_iter().map(|message| message.text);
    let said = conversation.into_iter().map(|Message { role, text, .. }| match role {
        Role::User if is_dialogue => format!("The user wrote:\n{text}"),
        Role::Assistant if is_dialogue => format!("The assistant wrote:\n{text}"),
        Role::System | Role::User | Role::Assistant => text,
    });
    instructions.chain(said).collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt_of(messages: &[(Role, &str)]) -> String {
        let message =
            |(role, text): &(Role, &str)| Message { role: *role, text: (*text).to_owned(), place: Place::default() };
        prompt(messages.iter().map(message).collect())
    }

    #[test]
    fn a_single_message_stands_as_it_is_so_that_analyze_remembers_the_same_answer() {
        assert_eq!(prompt_of(&[(Role::User, " I want\n\nmy money ")]), " I want\n\nmy money ");
    }

    #[test]
    fn instructions_come_first_wherever_they_stand_and_messages_without_text_are_left_out() {
        let messages = [(Role::User, "Where is it?"), (Role::System, "Sort this."), (Role::System, " ")];
        assert_eq!(prompt_of(&messages), "Sort this.\n\nWhere is it?");
    }

    #[test]
    fn a_conversation_says_who_wrote_what() {
        let messages =
            [(Role::System, "Sort this."), (Role::User, "Hi"), (Role::Assistant, "Yes?"), (Role::User, "Bye")];
        let expected = "Sort this.\n\nThe user wrote:\nHi\n\nThe assistant wrote:\nYes?\n\nThe user wrote:\nBye";
        assert_eq!(prompt_of(&messages), expected);
    }

    #[test]
    fn what_is_added_to_a_conversation_is_no_sign_of_an_attack() {
        let messages =
            [(Role::System, "You sort mails."), (Role::User, "Hi"), (Role::Assistant, "Yes?"), (Role::User, "Bye")];
        let prompt = prompt_of(&messages);
        assert_eq!(crate::prompt::patterns::suspicious(&prompt, Some(&prompt)), [""; 0]);
    }
}
