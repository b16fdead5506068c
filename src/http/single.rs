//! Header fields and query parameters that a request has exactly once, for
//! every reader.
//!
//! A rule that compares a claim with what a client sends is worth as much as
//! the agreement of filter and upstream on what was sent. So whatever some
//! reader would take for a second value, or for another one, leaves none.

use std::borrow::Cow;

use super::{RequestHead, name};

impl RequestHead {
    /// The value of the one header field that is called `name`, without regard
    /// to letter case. None where the request has
    ///
    /// * several of it, counting those that fold to it (`x_tenant`), or a
    ///   comma, which proxies put between fields that they join;
    /// * a `Connection` that names it: the next hop removes it;
    /// * no value, or one that readers clean up differently: with blanks around
    ///   it, control characters, or bytes that are not UTF-8.
    #[must_use]
    pub fn single_header(&self, name: &str) -> Option<&[u8]> {
        let mut alike = self
            .headers()
            .iter()
            .filter(|(known, _)| name::fold_together(known, name.as_bytes()));
        let (known, value) = alike.next()?;
        let single = alike.next().is_none()
            && known.eq_ignore_ascii_case(name.as_bytes())
            && !value.contains(&b',')
            && !self.connection_names(name);
        (single && is_clean(value)).then_some(value)
    }

    /// Whether a next hop would take the header away (RFC 9110 section 7.6.1).
    fn connection_names(&self, name: &str) -> bool {
        self.headers()
            .values("connection")
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|option| name::fold_together(option.trim_ascii(), name.as_bytes()))
    }

    /// The decoded value of the one query parameter that is called `name` when
    /// decoded. A `+` is a space. None where the request has
    ///
    /// * several of it, counting those in another spelling (`%74enant`,
    ///   `Tenant`, `tenant[]`), and those that only a reader finds who splits
    ///   at `;` too;
    /// * a raw `#` in its query, where some readers end it;
    /// * no value, or one that readers take differently: with a broken
    ///   encoding, blanks around it, control characters, or bytes that are not
    ///   UTF-8.
    #[must_use]
    pub fn single_parameter(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        let query = self.query()?;
        if query.contains(&b'#') {
            return None;
        }
        let mut single = None;
        for piece in query.split(|byte| *byte == b'&') {
            for part in piece.split(|byte| *byte == b';') {
                let (known, value) = cut(part);
                let known = decoded(known).text;
                if !is_like(&known, name.as_bytes()) {
                    continue;
                }
                if single.is_some() || part.len() < piece.len() || *known != *name.as_bytes() {
                    return None;
                }
                single = Some(value);
            }
        }
        let Decoded { text, broken } = decoded(single?);
        (!broken && is_clean(&text)).then_some(text)
    }
}

/// Whether no reader has a reason to change a value.
fn is_clean(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok_and(|text| {
        !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control)
    })
}

/// Whether some reader may take a decoded name for `name`: without letter case,
/// with `.` for `_`, without blanks around it, as the name of a list
/// (`tenant[]`), or cut off at a zero byte.
fn is_like(known: &[u8], name: &[u8]) -> bool {
    known
        .trim_ascii()
        .split_at_checked(name.len())
        .is_some_and(|(start, rest)| {
            let ends = rest.first().is_none_or(|byte| matches!(byte, b'[' | 0));
            ends && name::fold_together(start, name)
        })
}

/// Cuts a parameter at its first `=`.
fn cut(parameter: &[u8]) -> (&[u8], &[u8]) {
    let mut halves = parameter.splitn(2, |byte| *byte == b'=');
    let name = halves.next().unwrap_or_default();
    (name, halves.next().unwrap_or_default())
}

/// A text without the encoding of a query.
struct Decoded<'a> {
    text: Cow<'a, [u8]>,
    /// Whether it has a `%` without two digits, which stays as it is.
    broken: bool,
}

fn decoded(text: &[u8]) -> Decoded<'_> {
    if !text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Decoded {
            text: Cow::Borrowed(text),
            broken: false,
        };
    }
    let mut out = Vec::with_capacity(text.len());
    let mut broken = false;
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        out.push(match (byte, after) {
            (b'+', _) => b' ',
            (b'%', [high, low, behind @ ..]) if let Some(octet) = octet(*high, *low) => {
                rest = behind;
                octet
            }
            (b'%', _) => {
                broken = true;
                b'%'
            }
            (byte, _) => *byte,
        });
    }
    Decoded {
        text: Cow::Owned(out),
        broken,
    }
}

/// The octet that two hexadecimal digits stand for.
fn octet(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let value = digit(high)?.checked_shl(4)? | digit(low)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HeaderMap;

    fn header(fields: &[(&str, &[u8])]) -> Option<Vec<u8>> {
        let head = RequestHead::new(HeaderMap::from_pairs(fields.iter().copied()));
        head.single_header("x-tenant").map(<[u8]>::to_vec)
    }

    fn parameter(path: &str) -> Option<String> {
        let head = RequestHead::new(HeaderMap::from_pairs([(":path", path)]));
        let value = head.single_parameter("tenant")?.into_owned();
        Some(String::from_utf8(value).unwrap())
    }

    #[test]
    fn a_header_counts_where_it_is_there_exactly_once() {
        let acme = Some(b"acme".to_vec());
        assert_eq!(header(&[("x-tenant", b"acme")]), acme);
        assert_eq!(header(&[("X-Tenant", b"acme"), ("y", b"evil")]), acme);
        let neighbours = [("x-tenants", &b"evil"[..]), ("x-tenant", b"acme")];
        assert_eq!(header(&neighbours), acme);
        assert_eq!(header(&[]), None);
        for other in ["x-tenant", "X-Tenant", "x_tenant", "X.Tenant", "x!tenant"] {
            for value in ["acme", "evil", ""] {
                let both = [("x-tenant", &b"acme"[..]), (other, value.as_bytes())];
                assert_eq!(header(&both), None, "{other}: {value}");
                let turned = [both[1], both[0]];
                assert_eq!(header(&turned), None, "{other}: {value}");
            }
        }
        for alone in ["x_tenant", "x.tenant", "tenant", "xx-tenant"] {
            assert_eq!(header(&[(alone, b"acme")]), None, "{alone}");
        }
    }

    #[test]
    fn a_header_that_the_next_hop_removes_is_not_there() {
        let with = |connection: &[u8]| {
            header(&[("x-tenant", b"acme"), ("connection", connection)]).is_some()
        };
        for connection in ["keep-alive", "Upgrade", "x-tenants", "", ",", "x-tenant-id"] {
            assert!(with(connection.as_bytes()), "{connection}");
        }
        for connection in ["x-tenant", "Upgrade,X-Tenant", "close , x_tenant\t, te"] {
            assert!(!with(connection.as_bytes()), "{connection}");
        }
    }

    #[test]
    fn a_header_whose_value_readers_would_change_is_not_there() {
        for value in [
            &b""[..],
            b" acme",
            b"acme\t",
            b"acme,evil",
            b"a\0b",
            b"a\x7f",
            b"\xe9",
            b"\xc2\xa0acme",
            b"\xc2\x85",
        ] {
            assert_eq!(header(&[("x-tenant", value)]), None, "{value:?}");
        }
        for value in ["a b", "Zoë", "a;b", "\"acme\"", "0"] {
            let value = value.as_bytes();
            assert_eq!(header(&[("x-tenant", value)]), Some(value.to_vec()));
        }
    }

    #[test]
    fn a_parameter_counts_decoded_where_it_is_there_exactly_once() {
        for (path, value) in [
            ("/a?tenant=acme", "acme"),
            ("/a?x=1&tenant=acme&y", "acme"),
            ("/a?%74enan%54=x&tenants=evil&xtenant=evil", ""),
            ("/a?%74enant=acme", "acme"),
            ("/a?tenant=%61c%6De", "acme"),
            ("/a?tenant=a+b", "a b"),
            ("/a?tenant=a%2Bb", "a+b"),
            ("/a?tenant=a%26b", "a&b"),
            ("/a?tenant=a=b", "a=b"),
            ("/a?tenant=Zo%C3%AB", "Zoë"),
            (
                "/a?tenant=acme&tenants=evil&tenant_id=evil&x[tenant]=evil",
                "acme",
            ),
            ("/a?tenant=acme&x=1;y=2", "acme"),
            ("/a?x?tenant=evil&tenant=acme", "acme"),
        ] {
            let expected = Some(value.to_owned()).filter(|value| !value.is_empty());
            assert_eq!(parameter(path), expected, "{path}");
        }
    }

    #[test]
    fn a_parameter_that_some_reader_finds_twice_or_otherwise_is_not_there() {
        for path in [
            "/a",
            "/a?",
            "/a?x=1",
            "/a?tenant",
            "/a?tenant=",
            "/tenant=acme",
            "/a?tenant=acme&tenant=acme",
            "/a?tenant=acme&tenant=evil",
            "/a?tenant=acme&tenant",
            "/a?tenant=acme&%74enant=evil",
            "/a?tenant=acme&Tenant=evil",
            "/a?tenant=acme&tenant[]=evil",
            "/a?tenant=acme&tenant%5B0%5D=evil",
            "/a?tenant=acme&tenant[a][b]=evil",
            "/a?tenant=acme&tenant%00=evil",
            "/a?tenant=acme&tenant%00x=evil",
            "/a?tenant=acme&+tenant=evil",
            "/a?tenant=acme&%20tenant+=evil",
            "/a?tenant[]=acme",
            "/a?Tenant=acme",
            "/a?tenant=acme;tenant=evil",
            "/a?x=1;tenant=evil&tenant=acme",
            "/a?tenant=acme&x=1;tenant=evil",
            "/a?x=1;tenant=acme",
            "/a?tenant=acme;x=1",
            "/a?tenant=acme;",
            "/a?tenant=acme#",
            "/a?x#&tenant=acme",
            "/a?tenant=%zz",
            "/a?tenant=acme%",
            "/a?tenant=acme%2",
            "/a?tenant=+acme",
            "/a?tenant=acme%09",
            "/a?tenant=a%0Ab",
            "/a?tenant=a%00",
            "/a?tenant=%E9",
            "/a?tenant=%C0%AE",
            "/a?tenant=%C2%A0acme",
        ] {
            assert_eq!(parameter(path), None, "{path}");
        }
    }

    #[test]
    fn a_parameter_may_have_a_name_with_brackets() {
        let read = |path: &str| {
            let head = RequestHead::new(HeaderMap::from_pairs([(":path", path)]));
            let value = head.single_parameter("filter[tenant]")?.into_owned();
            Some(String::from_utf8(value).unwrap())
        };
        assert_eq!(
            read("/a?filter[tenant]=a&filter[x]=b").as_deref(),
            Some("a")
        );
        assert_eq!(read("/a?filter%5Btenant%5D=a").as_deref(), Some("a"));
        assert_eq!(read("/a?filter[tenant]=a&filter[Tenant]=b"), None);
        assert_eq!(read("/a?filter[tenant]=a&filter[tenant][]=b"), None);
    }
}
