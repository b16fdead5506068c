//! Completions: what the schema permits at the caret.

mod block;
mod flow;
mod place;
mod schema;
#[cfg(test)]
mod tests;

use flow::{Scanned, bare};
use place::{Expects, Notation, Place, Step};
use schema::{Choice, Parts};
use serde_json::{Value, json};

/// The most completions that are offered at once.
const MAX_ITEMS: usize = 60;

/// The completions at the end of a text, as JSON: `typed` is the text before the caret that
/// one of the `items` replaces.
pub(crate) fn at_end(text: &str) -> Value {
    let Some(place) = place_at_end(text) else {
        return json!({"typed": "", "items": []});
    };
    let typed = bare(&place.typed).to_lowercase();
    let mut items: Vec<Item> = items(&place);
    items.retain(|item| item.label.to_lowercase().contains(&typed));
    // What begins as it was typed comes first, then what is required.
    items.sort_by_key(|item| {
        (
            !item.label.to_lowercase().starts_with(&typed),
            !item.required,
        )
    });
    items.truncate(MAX_ITEMS);
    let items: Vec<_> = items.iter().map(Item::to_json).collect();
    json!({"typed": place.typed, "items": items})
}

/// A completion.
struct Item {
    label: String,
    /// The text that replaces what was typed.
    insert: String,
    meaning: &'static str,
    required: bool,
}

impl Item {
    fn to_json(&self) -> Value {
        json!({
            "label": self.label,
            "insert": self.insert,
            "meaning": self.meaning,
            "required": self.required,
        })
    }
}

fn place_at_end(text: &str) -> Option<Place> {
    let start = text.trim_start();
    if !start.starts_with(['{', '[']) {
        return block::at_end(text);
    }
    match flow::scan(start, Notation::Json) {
        Scanned::Open(place) => Some(place),
        Scanned::Closed(_) => None,
    }
}

fn items(place: &Place) -> Vec<Item> {
    let parts = Parts::at(&place.path);
    let mut items = Vec::new();
    if place.expects != Expects::Value {
        let names = parts.names().into_iter();
        let names = names.filter(|name| !place.present.contains(&name.text));
        items.extend(names.map(|name| name_item(&name, place.notation, "")));
        // A line below the name of a list begins one of its elements.
        if place.expects == Expects::Either && place.path.last() != Some(&Step::Element) {
            let elements = parts.elements();
            let names = elements.names().into_iter();
            items.extend(names.map(|name| name_item(&name, place.notation, "- ")));
            let values = elements.values().into_iter();
            items.extend(values.map(|value| value_item(&value, place.notation, "- ")));
        }
    }
    if place.expects != Expects::Name {
        let values = parts.values().into_iter();
        items.extend(values.map(|value| value_item(&value, place.notation, "")));
    }
    items
}

fn name_item(name: &Choice, notation: Notation, before: &str) -> Item {
    let insert = match notation {
        Notation::Block | Notation::Flow => format!("{before}{}: ", name.text),
        Notation::Json => format!("{}: ", Value::from(&*name.text)),
    };
    Item {
        label: format!("{before}{}", name.text),
        insert,
        meaning: name.meaning,
        required: name.required,
    }
}

fn value_item(value: &Choice, notation: Notation, before: &str) -> Item {
    let is_plain = |text: &str| {
        let mut bytes = text.bytes();
        bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let is_quoted = value.is_text && (notation == Notation::Json || !is_plain(&value.text));
    let written = if is_quoted {
        Value::from(&*value.text).to_string()
    } else {
        value.text.clone()
    };
    Item {
        label: format!("{before}{}", value.text),
        insert: format!("{before}{written}"),
        meaning: value.meaning,
        required: false,
    }
}
