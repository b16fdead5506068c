//! A request that two policies allow: that of its listener, and one that narrows it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::Forward;
use crate::http::HeaderEdit;
use crate::policy::IdentityHeaders;

/// The fields that may contain other content in addition to a token.
const COOKIE: &[u8] = b"cookie";
const PATH: &[u8] = b":path";

impl Forward {
    /// The request as it is forwarded if `narrower` allows it too. Both must be made from
    /// the same head. Each removes the tokens that it has verified, according to its own
    /// policy. `owned` are the identity headers of the listener's policy. The narrower
    /// policy adds none of them, in any spelling, so it cannot change the identity that
    /// the upstream receives.
    #[must_use]
    pub fn narrowed_by(self, mut narrower: Self, owned: &IdentityHeaders) -> Self {
        let edits = combined(&self.edits, std::mem::take(&mut narrower.edits), owned);
        let dropped = self.dropped.saturating_add(narrower.dropped);
        let reported = self.unenforced().or(narrower.unenforced());
        let reported = reported.cloned().map(Box::new);
        let mut forward = if self.yields_to(&narrower) {
            narrower
        } else {
            self
        };
        forward.edits = edits;
        forward.dropped = dropped;
        forward.also = reported;
        forward
    }

    /// Whether only `narrower` has identified the client. In this case `narrower`
    /// determines the reason.
    #[must_use]
    pub fn yields_to(&self, narrower: &Self) -> bool {
        !self.is_identified() && narrower.is_identified()
    }
}

/// Combines both lists of changes.
fn combined(
    listener: &[HeaderEdit<'static>],
    narrower: Vec<HeaderEdit<'static>>,
    owned: &IdentityHeaders,
) -> Vec<HeaderEdit<'static>> {
    let is_foreign = |edit: &HeaderEdit<'_>| match edit {
        HeaderEdit::Remove(_) => true,
        HeaderEdit::Set(name, _) | HeaderEdit::Add(name, _) => !owned.owns(name),
    };
    let mut edits: Vec<_> = narrower.into_iter().filter(is_foreign).collect();
    for edit in listener {
        let name = edit.name();
        let is_shared = [COOKIE, PATH].contains(&name);
        let other = edits
            .iter()
            .position(|other| is_shared && other.name() == name);
        if let Some(other) = other.and_then(|place| edits.get_mut(place)) {
            *other = common(other, edit);
        } else if !edits.contains(edit) {
            edits.push(edit.clone());
        }
    }
    edits
}

/// The change that keeps only what both changes keep of a field. Both remove parts of the
/// same value.
fn common(one: &HeaderEdit<'static>, other: &HeaderEdit<'static>) -> HeaderEdit<'static> {
    let (HeaderEdit::Set(name, one), HeaderEdit::Set(_, other)) = (one, other) else {
        return HeaderEdit::Remove(one.name().to_vec().into());
    };
    let value = if **name == *PATH {
        common_path(one, other)
    } else {
        let kept = common_parts(one, other, b';');
        kept.join(b"; ".as_slice())
    };
    if value.is_empty() {
        return HeaderEdit::Remove(name.clone());
    }
    HeaderEdit::Set(name.clone(), Cow::Owned(value))
}

/// The path with the parameters that both contain.
fn common_path(one: &[u8], other: &[u8]) -> Vec<u8> {
    let cut = |path| split_at(path, b'?');
    let ((path, one), (_, other)) = (cut(one), cut(other));
    let kept = match (one, other) {
        (Some(one), Some(other)) => common_parts(one, other, b'&'),
        _ => Vec::new(),
    };
    let mut path = path.to_vec();
    if !kept.is_empty() {
        path.push(b'?');
        path.extend(kept.join(b"&".as_slice()));
    }
    path
}

/// The parts of the first list that the second list contains too.
fn common_parts<'v>(one: &'v [u8], other: &[u8], separator: u8) -> Vec<&'v [u8]> {
    let is_separator = |byte: &u8| *byte == separator;
    let others: BTreeSet<&[u8]> = other.split(is_separator).map(<[u8]>::trim_ascii).collect();
    one.split(is_separator)
        .map(<[u8]>::trim_ascii)
        .filter(|part| others.contains(part))
        .collect()
}

fn split_at(text: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    let mut parts = text.splitn(2, |byte| *byte == separator);
    (parts.next().unwrap_or_default(), parts.next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{ClaimFormat, ClaimHeader};
    use crate::rules::ClaimName;

    fn set(name: &'static str, value: &'static str) -> HeaderEdit<'static> {
        HeaderEdit::Set(name.as_bytes().into(), value.as_bytes().into())
    }

    fn add(name: &'static str, value: &'static str) -> HeaderEdit<'static> {
        HeaderEdit::Add(name.as_bytes().into(), value.as_bytes().into())
    }

    fn remove(name: &'static str) -> HeaderEdit<'static> {
        HeaderEdit::Remove(name.as_bytes().into())
    }

    fn owned() -> IdentityHeaders {
        let claims = vec![ClaimHeader {
            header: "x-user-id".into(),
            claim: ClaimName::new("sub"),
            format: ClaimFormat::Json,
        }];
        IdentityHeaders::new(false, claims, None, None)
    }

    #[test]
    fn the_narrower_policy_sets_no_header_that_the_listener_owns() {
        let listener = [remove("x-user-id"), set("x-user-id", "alice")];
        let narrower = vec![
            remove("x_user_id"),
            set("x_user_id", "mallory"),
            add("X-User-Id", "mallory"),
            add("x-tenant", "a"),
        ];
        assert_eq!(
            combined(&listener, narrower, &owned()),
            [
                remove("x_user_id"),
                add("x-tenant", "a"),
                remove("x-user-id"),
                set("x-user-id", "alice"),
            ]
        );
    }

    #[test]
    fn what_either_removes_is_removed() {
        let none = IdentityHeaders::default();
        let both = |one: &HeaderEdit<'static>, other: &HeaderEdit<'static>| {
            let all = combined(std::slice::from_ref(one), vec![other.clone()], &none);
            let [only] = &all[..] else {
                panic!("{all:?}");
            };
            only.clone()
        };
        let auth = remove("authorization");
        assert_eq!(both(&auth, &auth), auth);
        for (one, other, expected) in [
            (
                set("cookie", "b=2; c=3"),
                set("cookie", "a=1; c=3"),
                set("cookie", "c=3"),
            ),
            (set("cookie", "b=2"), set("cookie", "a=1"), remove("cookie")),
            (set("cookie", "b=2"), remove("cookie"), remove("cookie")),
            (
                set(":path", "/x?b=2&c"),
                set(":path", "/x?a=1&c"),
                set(":path", "/x?c"),
            ),
            (
                set(":path", "/x?b=2"),
                set(":path", "/x?a=1"),
                set(":path", "/x"),
            ),
            (
                set(":path", "/x"),
                set(":path", "/x?a=1"),
                set(":path", "/x"),
            ),
            (
                set(":path", "/x?a=1?"),
                set(":path", "/x?a=1?"),
                set(":path", "/x?a=1?"),
            ),
        ] {
            assert_eq!(both(&one, &other), expected);
            assert_eq!(both(&other, &one), expected);
        }
    }

    #[test]
    fn the_token_of_one_policy_stays_hidden_when_the_other_keeps_the_field() {
        let listener = [set("cookie", "b=2")];
        assert_eq!(combined(&listener, Vec::new(), &owned()), listener.to_vec());
        assert_eq!(
            combined(&[], listener.to_vec(), &owned()),
            listener.to_vec()
        );
    }
}
