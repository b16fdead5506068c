//! Header fields and query parameters that occur exactly once in a request, for
//! every reader.
//!
//! A rule that compares a claim with a part of the request is reliable only if
//! filter and upstream read the same value. So if some reader may see a second
//! or a different value, the value counts as absent.

use std::borrow::Cow;

use super::name::fold_together;
use super::pairs::{Decoded, Plus, cut, decoded, is_like};
use super::{RequestHead, Spelling};

impl RequestHead {
    /// The value of the only header field called `name`, without regard to
    /// letter case. `None` if the request has
    ///
    /// * several such fields, counting those that fold to the name (`x_tenant`),
    ///   or a comma, which proxies put between fields that they join;
    /// * a `Connection` that names it, so that the next hop removes it;
    /// * no value, or one that readers may change: with blanks around it,
    ///   control characters, or bytes that are not UTF-8.
    #[must_use]
    pub fn single_header(&self, name: &str) -> Option<&[u8]> {
        let mut alike = self.headers().alike(name);
        let (spelling, value) = alike.next()?;
        let is_it = |option: &[u8]| fold_together(option, name.as_bytes());
        let single = alike.next().is_none()
            && spelling == Spelling::Itself
            && !value.contains(&b',')
            && !self.headers().is_connection_option(is_it);
        (single && is_clean(value)).then_some(value)
    }

    /// The decoded value of the only query parameter whose decoded name is
    /// `name`. A `+` is a space. `None` if the request has
    ///
    /// * several such parameters, counting those in another spelling
    ///   (`%74enant`, `Tenant`, `tenant[]`), and those that only a reader finds
    ///   that also splits at `;` or `?`, or decodes twice;
    /// * a raw `#` in its query, which ends the query for some readers;
    /// * no value, or one that readers may read differently: with a broken
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
            if piece.iter().any(|byte| matches!(byte, b';' | b'?')) {
                if has_part_like(piece, name) {
                    return None;
                }
                continue;
            }
            let (known, value) = cut(piece);
            if !is_read_as(known, name) {
                continue;
            }
            if single.is_some() || *decoded(known, Plus::Space).text != *name.as_bytes() {
                return None;
            }
            single = Some(value);
        }
        let Decoded { text, broken } = decoded(single?, Plus::Space);
        (!broken && is_clean(&text)).then_some(text)
    }
}

/// Whether a reader finds the parameter `name` in a piece with a `;` or `?`: a reader
/// splits at both of them, at one, or at none.
fn has_part_like(piece: &[u8], name: &str) -> bool {
    let separators: [&[u8]; 4] = [b"", b";", b"?", b";?"];
    separators.iter().any(|separators| {
        piece
            .split(|byte| separators.contains(byte))
            .any(|part| is_read_as(cut(part).0, name))
    })
}

/// Whether a reader takes a written name for the parameter `name`, decoded once or twice.
fn is_read_as(written: &[u8], name: &str) -> bool {
    let once = decoded(written, Plus::Space).text;
    let twice = decoded(&once, Plus::Space).text;
    [&once, &twice]
        .iter()
        .any(|known| is_like(known, name.as_bytes()))
}

/// Whether no reader would change a value.
fn is_clean(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok_and(|text| {
        !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control)
    })
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
    fn a_header_counts_if_it_occurs_exactly_once() {
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
    fn a_header_that_the_next_hop_removes_counts_as_absent() {
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
    fn a_header_whose_value_readers_would_change_counts_as_absent() {
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
    fn a_parameter_counts_decoded_if_it_occurs_exactly_once() {
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
        ] {
            let expected = Some(value.to_owned()).filter(|value| !value.is_empty());
            assert_eq!(parameter(path), expected, "{path}");
        }
    }

    #[test]
    fn a_parameter_that_some_reader_reads_differently_counts_as_absent() {
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
            "/a?x?tenant=evil&tenant=acme",
            "/a?tenant=acme&x?tenant=evil",
            "/a?tenant=acme?x",
            "/a??tenant=acme",
            "/a?tenant=acme&%2574enant=evil",
            "/a?tenant=acme&%C2%A0tenant=evil",
            "/a?tenant=acme&tenant%85=evil",
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
        // Readers that do not split at these characters may fold them.
        assert_eq!(read("/a?filter[tenant]=a&filter?tenant?=b"), None);
        assert_eq!(read("/a?filter[tenant]=a&filter;tenant;=b"), None);
        assert_eq!(read("/a?filter[tenant]=a&filter?tenant;=b"), None);
    }
}
