//! `token_from`: where tokens are read from.

use std::collections::BTreeMap;

use super::header_name::header_name;
use super::reserved::is_among;
use crate::config::error::Sink;
use crate::config::path::Path;
use crate::config::problem::{HeaderProblem, Reserved, ShapeProblem};
use crate::config::reader::{Field, List, Text};
use crate::config::written::TokenFrom;
use crate::http::{FoldedName, HeaderName, is_token};
use crate::policy::TokenPlace;

/// The token places. Absent if they could not be read, so that no header of
/// `upstream` is accepted or refused because of them.
pub(super) struct TokenPlaces(Vec<TokenPlace>);

impl TokenPlaces {
    pub(super) fn into_policy(self) -> Vec<TokenPlace> {
        self.0
    }

    /// All places.
    pub(super) fn iter(&self) -> impl Iterator<Item = &TokenPlace> {
        self.0.iter()
    }

    /// Whether a token place is a query parameter of this name.
    pub(super) fn has_query(&self, name: &str) -> bool {
        let is_it =
            |place: &TokenPlace| matches!(place, TokenPlace::Query(known) if **known == *name);
        self.0.iter().any(is_it)
    }

    /// The header fields that tokens are read from: `cookie` for all cookies.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|place| match place {
            TokenPlace::Header { name, .. } => Some(&**name),
            TokenPlace::Cookie(_) => Some("cookie"),
            TokenPlace::Query(_) => None,
        })
    }

    fn has_header(&self, name: &HeaderName) -> bool {
        self.headers()
            .any(|known| FoldedName::of(known.as_bytes()).covers(name.as_str().as_bytes()))
    }

    /// The header fields that have names of their own in `token_from`.
    pub(super) fn headers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|place| match place {
            TokenPlace::Header { name, .. } => Some(&**name),
            TokenPlace::Cookie(_) | TokenPlace::Query(_) => None,
        })
    }
}

/// Compiles `token_from`.
#[inline(never)]
pub(super) fn compile(written: Field<List<TokenFrom<'_>>>, sink: &mut Sink) -> TokenPlaces {
    let written = match written {
        Field::Is(written) => written.items,
        Field::Unreadable => return TokenPlaces(Vec::new()),
        Field::Absent => {
            return TokenPlaces(vec![TokenPlace::Header {
                name: "authorization".into(),
                scheme: Some("Bearer".into()),
            }]);
        }
    };
    let mut headers = Headers::default();
    let (mut cookies, mut queries) = (Pairs::default(), Pairs::default());
    let mut places = Vec::with_capacity(written.len());
    for place in written {
        places.extend(match place {
            TokenFrom::Header { at, name, scheme } => headers.place(at, &name, scheme, sink),
            TokenFrom::Cookie(name) => cookies
                .check(&name, sink)
                .then(|| TokenPlace::Cookie(name.value.into())),
            TokenFrom::Query(name) => queries
                .check(&name, sink)
                .then(|| TokenPlace::Query(name.value.into())),
        });
    }
    TokenPlaces(places)
}

/// The cookies or the query parameters that tokens are read from.
#[derive(Default)]
struct Pairs<'d>(BTreeMap<FoldedName, Text<'d>>);

impl<'d> Pairs<'d> {
    /// Records a name, and reports it if upstreams may take an earlier one for
    /// it.
    fn check(&mut self, name: &Text<'d>, sink: &mut Sink) -> bool {
        let folded = FoldedName::of(name.value.as_bytes());
        let Some(other) = self.0.get(&folded) else {
            self.0.insert(folded, name.clone());
            return true;
        };
        let with = other.at.to_owned();
        if other.value == name.value {
            sink.report(&name.at, ShapeProblem::Repeated { first: with });
        } else {
            sink.report(&name.at, HeaderProblem::AlikePlaces { with });
        }
        false
    }
}

/// The headers that tokens are read from, each with its schemes in lower case
/// and their positions.
#[derive(Default)]
struct Headers<'d>(BTreeMap<FoldedName, (HeaderName, Places<'d>)>);

/// The entries for one header: the scheme in lower case, if there is one, and
/// the position.
type Places<'d> = Vec<(Option<String>, Path<'d>)>;

impl<'d> Headers<'d> {
    fn place(
        &mut self,
        at: Path<'d>,
        name: &Text<'d>,
        scheme: Field<Text<'d>>,
        sink: &mut Sink,
    ) -> Option<TokenPlace> {
        let header = header_name(name, sink)?;
        if let Some(because) = holds_no_token(&header) {
            let problem = if because == Reserved::Cookie {
                HeaderProblem::CookieHeader
            } else {
                let name = name.excerpt();
                HeaderProblem::HoldsNoToken { name, because }
            };
            sink.report(&name.at, problem);
            return None;
        }
        let scheme = match scheme {
            Field::Absent => None,
            Field::Unreadable => return None,
            Field::Is(scheme) if is_token(scheme.value.as_bytes()) => Some(scheme),
            Field::Is(scheme) => {
                sink.report(&scheme.at, HeaderProblem::Scheme(scheme.excerpt()));
                return None;
            }
        };
        let key = scheme
            .as_ref()
            .map(|scheme| scheme.value.to_ascii_lowercase());
        let place = TokenPlace::Header {
            name: header.as_str().into(),
            scheme: scheme.map(|scheme| scheme.value.into()),
        };
        // Without a scheme the whole value is the token, however it begins.
        let (spelling, others) = self
            .0
            .entry(header.folded())
            .or_insert_with(|| (header.clone(), Vec::new()));
        if *spelling != header
            && let Some((_, other)) = others.first()
        {
            let with = other.to_owned();
            sink.report(&at, HeaderProblem::AlikePlaces { with });
            return None;
        }
        let same = others
            .iter()
            .find(|(other, _)| other.is_none() || key.is_none() || *other == key);
        if let Some((_, other)) = same {
            let as_place = other.to_owned();
            sink.report(&at, HeaderProblem::SamePlace { as_place });
            return None;
        }
        others.push((key, at));
        Some(place)
    }
}

/// Why no claim can be compared with a header: its value is not an identifier,
/// or the upstream does not receive it unchanged.
pub(super) fn not_compared(name: &HeaderName, token_places: &TokenPlaces) -> Option<Reserved> {
    if token_places.has_header(name) {
        return Some(Reserved::Token);
    }
    match Reserved::of(name)? {
        because @ (Reserved::HopByHop
        | Reserved::Host
        | Reserved::Cookie
        | Reserved::Proof
        | Reserved::Token) => Some(because),
        Reserved::Content
        | Reserved::Envoy
        | Reserved::Forwarded
        | Reserved::Handling
        | Reserved::Browser
        | Reserved::Response => None,
    }
}

/// Why a header never holds a client's token.
fn holds_no_token(name: &HeaderName) -> Option<Reserved> {
    /// Headers with a meaning of their own that clients or proxies are known to
    /// put tokens into.
    const TOKENS: &str = "proxy-authorization sec-websocket-protocol x-forwarded-access-token \
                          x-forwarded-authorization x-forwarded-id-token";
    Reserved::of(name).filter(|_| !is_among(TOKENS, name))
}
