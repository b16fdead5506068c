//! Revocation lists, compared with a second reader.
//!
//! The input is the document of a list. Each text in it is looked up, with and without a
//! change, and the list must survive its compact form.

use std::collections::{BTreeMap, BTreeSet};

use edge_authz::revocation::{RevocationList, TokenIds};
use edge_authz::time::UnixTime;

use crate::reference::decimal::Decimal;
use crate::reference::json::{self, Json};

/// The nesting that the reference reads. Deeper values are ignored by the list's reader if
/// they are in other members, and the target skips them.
const DEPTH: usize = 32;

/// What the reference finds in a document.
#[derive(Default)]
struct Expected {
    jti: BTreeSet<String>,
    sid: BTreeSet<String>,
    /// The time of each subject, as it is written.
    sub: BTreeMap<String, String>,
}

pub(crate) fn target(data: &[u8]) {
    let parsed = RevocationList::parse(data, Some("\"tag\""));
    if let Ok(list) = &parsed {
        let decoded = RevocationList::decode(&list.encode());
        assert_eq!(decoded.as_ref(), Some(list), "the compact form differs");
        judge_unknown(list);
    }
    // The compact form comes from other parties too.
    if let Some(list) = RevocationList::decode(data) {
        assert_eq!(list.encode(), data, "it has one compact form");
    }
    let Some(document) = json::parse(data, DEPTH) else {
        return;
    };
    match (Expected::of(&document), parsed) {
        (Some(expected), Ok(list)) => expected.judge(&list),
        (None, Ok(_)) => panic!("only the reference refuses the list"),
        (Some(_), Err(error)) => panic!("only the reference accepts the list: {error}"),
        (None, Err(_)) => {}
    }
}

fn judge_unknown(list: &RevocationList) {
    let nobody = TokenIds::new([None, None, None], None);
    assert!(!list.names(&nobody), "a token without claims is named");
}

impl Expected {
    fn of(document: &Json<'_>) -> Option<Self> {
        let mut expected = Self::default();
        let mut is_list = false;
        for (member, ids) in [("jti", &mut expected.jti), ("sid", &mut expected.sid)] {
            let Some(value) = document.get(member) else {
                continue;
            };
            is_list = true;
            for id in value.array()? {
                ids.insert(id.string()?.to_owned());
            }
        }
        if let Some(value) = document.get("sub") {
            is_list = true;
            for (name, time) in value.object()? {
                if time.value != json::Value::Number {
                    return None;
                }
                UnixTime::from_numeric_date(time.text)?;
                expected.sub.insert(name.clone(), time.text.to_owned());
            }
        }
        (document.object().is_some() && is_list).then_some(expected)
    }

    fn judge(&self, list: &RevocationList) {
        let count = self.jti.len() + self.sid.len() + self.sub.len();
        assert_eq!(list.len(), count);
        let texts = self.jti.iter().chain(&self.sid).chain(self.sub.keys());
        for text in texts.take(64) {
            for text in [text.clone(), format!("{text} ")] {
                let of = |place: usize, issued| {
                    let mut claims = [None; 3];
                    claims[place] = Some(&*text);
                    list.names(&TokenIds::new(claims, issued))
                };
                let late = Some(UnixTime::from_secs(i64::MAX));
                assert_eq!(of(0, late), self.jti.contains(&text));
                assert_eq!(of(1, late), self.sid.contains(&text));
                let before = self.sub.get(&text);
                assert_eq!(of(2, None), before.is_some());
                for issued in [-1, 0, 1, 1000, 1_800_000_000] {
                    let named =
                        before.is_some_and(|before| Decimal::of(issued, 0) < Decimal::new(before));
                    assert_eq!(
                        of(2, Some(UnixTime::from_nanos(issued * 1_000_000_000))),
                        named,
                        "{issued}"
                    );
                }
            }
        }
    }
}
