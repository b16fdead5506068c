//! Finds the token of a request, and removes it before the request reaches the upstream.
//!
//! Two rules go beyond the grammar. If there are two tokens, the request is refused,
//! because the upstream may use the token that was not verified. A value that is not a
//! token here, but that another reader may take for one, never counts as absent: an
//! upstream must not trust a token that the filter has not checked. Such readers
//!
//! * take a header for its twin (`x_api_token`), or take a cookie or parameter whose name
//!   folds to the expected one (`Access_Token`, `access.token`), is decoded twice, names
//!   a list (`access_token[]`) or ends at a zero byte;
//! * look for the scheme and take the rest (`Bearer<TAB>x`, `Bearerx`), or take the
//!   second word after any scheme;
//! * split values where others do not: header values at commas, semicolons and any blank,
//!   cookies at commas and blanks, a query at `;`, `?` and `#`.

use std::borrow::Cow;
use std::sync::Arc;

use crate::bytes::are_unseparated;
use crate::http::{HeaderEdit, RequestHead};
use crate::policy::TokenPlace;

mod header;
mod pairs;
#[cfg(test)]
mod tests;

/// The combined contents of a request's token places.
#[derive(Debug, PartialEq, Eq)]
pub enum Credentials<'r> {
    /// No token, or credentials of another scheme.
    None,
    /// Text that is not credentials here, but that another reader may take for a
    /// token, such as `Bearer` followed by a tab.
    Ambiguous,
    /// The text in the place of exactly one token. If it is not a well-formed
    /// token, [`Token::is_one_word`] says whether the credentials were
    /// malformed.
    Token(Token<'r>),
    /// The scheme without a token, or with several words (RFC 6750 §2.1).
    Malformed,
    /// More than one token, in one place or in several (RFC 6750 §2).
    Several,
}

/// A token and where it was found. It has not been parsed.
#[derive(Debug, PartialEq, Eq)]
pub struct Token<'r> {
    /// The token.
    pub(super) text: Cow<'r, [u8]>,
    place: &'r TokenPlace,
    presented: Presented,
}

/// How a token is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// As a bearer token.
    Plainly,
    /// With the scheme `DPoP`, as a token that is bound to its holder (RFC 9449
    /// section 7.1).
    WithProof,
}

/// Whether the request has credentials of the scheme `DPoP`, well-formed or not.
pub(super) fn has_proof_scheme(head: &RequestHead) -> bool {
    let mut lines = head.headers().values("authorization");
    lines.any(|line| header::strip_scheme(line.trim_ascii(), "DPoP").is_some())
}

/// What one place contains.
enum Found<'r> {
    Nothing,
    Ambiguous,
    Token(Cow<'r, [u8]>, Presented),
    Malformed,
    Several,
}

impl<'r> Credentials<'r> {
    /// Searches every place. A cookie counts only if no other place has a token.
    #[must_use]
    pub fn find(head: &'r RequestHead, places: &'r [TokenPlace]) -> Self {
        let is_cookie = |place: &&TokenPlace| matches!(place, TokenPlace::Cookie(_));
        let others = places.iter().filter(|place| !is_cookie(place));
        let and = |found: Self, place| found.and(head, place, places);
        let credentials = others.fold(Self::None, and);
        match credentials {
            Self::None | Self::Ambiguous => places.iter().filter(is_cookie).fold(credentials, and),
            Self::Token(_) | Self::Malformed | Self::Several => credentials,
        }
    }

    /// Combines these credentials with those of another place. The same token in
    /// two places is one token.
    fn and(self, head: &'r RequestHead, place: &'r TokenPlace, places: &[TokenPlace]) -> Self {
        let found = match place {
            TokenPlace::Header { name, scheme } => {
                header::read(head, (name, scheme.as_deref()), places)
            }
            TokenPlace::Cookie(name) => pairs::cookie(head, name),
            TokenPlace::Query(name) => pairs::parameter(head, name),
        };
        match (self, found) {
            (credentials, Found::Nothing) => credentials,
            (_, Found::Malformed)
            | (Self::Malformed, _)
            | (Self::Ambiguous, Found::Token(..) | Found::Several)
            | (Self::Token(_) | Self::Several, Found::Ambiguous) => Self::Malformed,
            (Self::None | Self::Ambiguous, Found::Ambiguous) => Self::Ambiguous,
            (Self::Several, Found::Several | Found::Token(..))
            | (Self::None | Self::Token(_), Found::Several) => Self::Several,
            (Self::None, Found::Token(text, presented)) => Self::Token(Token {
                text,
                place,
                presented,
            }),
            (Self::Token(known), Found::Token(text, presented)) => {
                if known.text == text {
                    Self::Token(known.also(presented))
                } else {
                    Self::Several
                }
            }
        }
    }
}

impl Found<'_> {
    /// Combines two pairs of one place. A token that occurs twice is refused,
    /// even if both are the same.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (found, Self::Nothing) | (Self::Nothing, found) => found,
            (Self::Malformed, _)
            | (_, Self::Malformed)
            | (Self::Ambiguous, Self::Token(..) | Self::Several)
            | (Self::Token(..) | Self::Several, Self::Ambiguous) => Self::Malformed,
            (Self::Ambiguous, Self::Ambiguous) => Self::Ambiguous,
            (Self::Token(..) | Self::Several, Self::Token(..) | Self::Several) => Self::Several,
        }
    }

    /// Combines two lines of one header. If one has a token, the other must not
    /// exist.
    fn beside(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, Self::Token(..) | Self::Several)
            | (Self::Token(..) | Self::Several, Self::Nothing) => Self::Malformed,
            (one, other) => one.and(other),
        }
    }
}

impl Presented {
    fn by(scheme: &str) -> Self {
        if scheme.eq_ignore_ascii_case("DPoP") {
            Self::WithProof
        } else {
            Self::Plainly
        }
    }
}

impl Token<'_> {
    /// The token, as received.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The first place that contains it.
    #[must_use]
    pub fn place(&self) -> &TokenPlace {
        self.place
    }

    /// How it is presented: with a proof, if one of its places says so.
    #[must_use]
    pub fn presented(&self) -> Presented {
        self.presented
    }

    /// Whether it is one word, as RFC 6750 section 2.1 requires after a scheme.
    /// The whole text is searched. The proxy joins repeated lines of some
    /// headers with commas, which count as blanks here. A well-formed token is
    /// always one word.
    #[must_use]
    pub fn is_one_word(&self) -> bool {
        match self.place {
            TokenPlace::Header { .. } | TokenPlace::Cookie(_) => {
                let separates = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
                are_unseparated(&self.text) || !self.text.iter().any(separates)
            }
            TokenPlace::Query(_) => true,
        }
    }

    fn also(self, presented: Presented) -> Self {
        let presented = match presented {
            Presented::Plainly => self.presented,
            Presented::WithProof => presented,
        };
        Self { presented, ..self }
    }

    /// Adds the changes that remove the token from all places that hold it, and the
    /// header of its proof, and nothing else.
    pub(super) fn remove(
        &self,
        head: &RequestHead,
        places: &[TokenPlace],
        edits: &mut Vec<HeaderEdit<'static>>,
    ) {
        let text = |text: &'static str| text.as_bytes().into();
        let (mut cookies, mut parameters) = (Vec::new(), Vec::new());
        for place in places {
            match place {
                TokenPlace::Header { name, scheme } => {
                    let holds_it = || {
                        let found = header::read(head, (name, scheme.as_deref()), places);
                        matches!(found, Found::Token(text, _) if text == self.text)
                    };
                    if std::ptr::eq(place, self.place) || holds_it() {
                        edits.push(HeaderEdit::Remove(Arc::clone(name).into()));
                    }
                }
                TokenPlace::Cookie(name) => cookies.push(&**name),
                TokenPlace::Query(name) => parameters.push(&**name),
            }
        }
        if let Some(kept) = pairs::without_cookie(head, &cookies, &self.text) {
            edits.push(if kept.is_empty() {
                HeaderEdit::Remove(text("cookie"))
            } else {
                HeaderEdit::Set(text("cookie"), Cow::Owned(kept))
            });
        }
        if let Some(path) = pairs::without_parameter(head, &parameters, &self.text) {
            edits.push(HeaderEdit::Set(text(":path"), Cow::Owned(path)));
        }
        if head.headers().contains("dpop") {
            edits.push(HeaderEdit::Remove(text("dpop")));
        }
    }
}
