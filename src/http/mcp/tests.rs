use super::*;
use crate::http::HeaderMap;

const CURRENT: (&str, &[u8]) = ("mcp-protocol-version", b"2026-07-28");
const CALL: (&str, &[u8]) = ("mcp-method", b"tools/call");

fn head(fields: &[(&str, &[u8])]) -> RequestHead {
    RequestHead::new(HeaderMap::from_pairs(fields.iter().copied()))
}

/// The method and the name.
type Asked = (Vec<u8>, Option<Vec<u8>>);

fn read(fields: &[(&str, &[u8])]) -> Result<Asked, (McpHeader, McpFault)> {
    let head = head(fields);
    match head.mcp() {
        Ok(read) => Ok((read.method.to_vec(), read.name.map(Cow::into_owned))),
        Err(BadMcp { header, fault }) => Err((header, fault)),
    }
}

fn name(value: &[u8]) -> Option<Vec<u8>> {
    match read(&[CURRENT, CALL, ("mcp-name", value)]) {
        Ok((_, name)) => name,
        Err(bad) => {
            assert_eq!(bad, (McpHeader::Name, McpFault::Malformed), "{value:?}");
            None
        }
    }
}

#[test]
fn the_three_headers_are_read_in_any_letter_case_of_their_names() {
    let fields = [
        ("MCP-Protocol-Version", &b"2026-07-28"[..]),
        ("Mcp-Method", b"tools/call"),
        ("MCP-NAME", b"delete_file"),
    ];
    let read = read(&fields).unwrap();
    assert_eq!(
        read,
        (b"tools/call".to_vec(), Some(b"delete_file".to_vec()))
    );
}

#[test]
fn only_the_name_may_be_absent() {
    assert_eq!(read(&[CURRENT, CALL]), Ok((b"tools/call".to_vec(), None)));
    let absent = |header| Err((header, McpFault::Absent));
    assert_eq!(read(&[]), absent(McpHeader::Version));
    assert_eq!(read(&[CALL]), absent(McpHeader::Version));
    assert_eq!(read(&[CURRENT]), absent(McpHeader::Method));
}

#[test]
fn a_version_is_a_date_that_is_not_before_the_first_one() {
    let version = |value: &str| read(&[("mcp-protocol-version", value.as_bytes()), CALL]).err();
    for good in [
        "2026-07-28",
        "2026-07-29",
        "2026-12-31",
        "2027-01-01",
        "2028-02-29",
        "2400-02-29",
        "9999-12-31",
    ] {
        assert_eq!(version(good), None, "{good}");
    }
    for old in [
        "2026-07-27",
        "2025-11-25",
        "2024-11-05",
        "2000-02-29",
        "0000-01-01",
    ] {
        let too_old = (McpHeader::Version, McpFault::TooOld);
        assert_eq!(version(old), Some(too_old), "{old}");
    }
    for malformed in [
        "",
        "2026-7-28",
        "2026-07-28 ",
        " 2026-07-28",
        "2026-07-280",
        "2026/07/28",
        "20260728",
        "+026-07-28",
        "2027-00-01",
        "2027-13-01",
        "2027-01-00",
        "2027-01-32",
        "2027-04-31",
        "2027-02-29",
        "2100-02-29",
        "2027-02-30",
        "9999-99-99",
        "DRAFT-2026-v1",
        "draft",
        "=?base64?MjAyNi0wNy0yOA==?=",
        "２０２６-07-28",
    ] {
        let expected = (McpHeader::Version, McpFault::Malformed);
        assert_eq!(version(malformed), Some(expected), "{malformed:?}");
    }
    let joined = (McpHeader::Version, McpFault::Repeated);
    assert_eq!(version("2026-07-28,2025-11-25"), Some(joined));
}

#[test]
fn a_second_header_in_any_spelling_is_a_repetition_and_a_lone_twin_is_no_header() {
    let all: [(McpHeader, &[&str]); 3] = [
        (
            McpHeader::Version,
            &["mcp-protocol-version", "MCP_Protocol_Version"],
        ),
        (McpHeader::Method, &["mcp-method", "mcp_method"]),
        (McpHeader::Name, &["mcp-name", "Mcp.Name", "mcp!name"]),
    ];
    let good = [CURRENT, CALL, ("mcp-name", &b"list_files"[..])];
    for (header, spellings) in all {
        for spelling in spellings {
            let value = good.iter().find(|field| field.0 == header.name());
            for value in [value.unwrap().1, b"", b"other"] {
                let second = (*spelling, value);
                let expected = Err((header, McpFault::Repeated));
                assert_eq!(read(&[&good[..], &[second]].concat()), expected);
                assert_eq!(read(&[&[second][..], &good[..]].concat()), expected);
            }
        }
        let twin = header.name().replace('-', "_");
        let fields: Vec<_> = good
            .iter()
            .map(|(name, value)| (if *name == header.name() { &*twin } else { name }, *value))
            .collect();
        let expected = match header {
            McpHeader::Name => Ok((b"tools/call".to_vec(), None)),
            McpHeader::Version | McpHeader::Method => Err((header, McpFault::Absent)),
        };
        assert_eq!(read(&fields), expected);
    }
    let joined = ("mcp-method", &b"tools/list, tools/call"[..]);
    let expected = Err((McpHeader::Method, McpFault::Repeated));
    assert_eq!(read(&[CURRENT, joined]), expected);
}

#[test]
fn a_header_that_the_next_hop_removes_counts_as_absent() {
    let with = |connection: &[u8]| {
        let fields = [
            CURRENT,
            CALL,
            ("mcp-name", b"a"),
            ("connection", connection),
        ];
        read(&fields)
    };
    assert_eq!(with(b"close").unwrap().1, Some(b"a".to_vec()));
    assert_eq!(with(b"Mcp-Name, close").unwrap().1, None);
    let absent = |header| Err((header, McpFault::Absent));
    assert_eq!(with(b"mcp_method"), absent(McpHeader::Method));
    assert_eq!(
        with(b"close mcp-protocol-version"),
        absent(McpHeader::Version)
    );
}

#[test]
fn a_plain_value_is_printable_ascii_without_blanks_around_it() {
    for plain in [
        "delete_file",
        "file:///a b,c.txt",
        "a%2Fb",
        "=",
        "=a?=",
        "?=",
        "DELETE_FILE",
        "a=?base64?YQ==?=",
    ] {
        let plain = plain.as_bytes();
        assert_eq!(name(plain), Some(plain.to_vec()));
    }
    for malformed in [
        &b""[..],
        b" ",
        b" a",
        b"a ",
        b"a\tb",
        b"a\0",
        b"a\x7f",
        b"Zo\xc3\xab",
        b"\xff",
    ] {
        assert_eq!(name(malformed), None);
    }
    assert!(name(&[b'a'; MAX_MCP_VALUE]).is_some());
    assert!(name(&[b'a'; MAX_MCP_VALUE + 1]).is_none());
}

#[test]
fn a_value_in_base64_is_decoded_once() {
    for (value, text) in [
        ("=?base64?SGVsbG8sIOS4lueVjA==?=", "Hello, 世界"),
        ("=?base64?IHBhZGRlZCA=?=", " padded "),
        ("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=", "=?base64?literal?="),
        ("=?base64?YQ==?=", "a"),
    ] {
        assert_eq!(
            name(value.as_bytes()),
            Some(text.as_bytes().to_vec()),
            "{value}"
        );
    }
    let fields = [CURRENT, ("mcp-method", &b"=?base64?dG9vbHMvY2FsbA==?="[..])];
    assert_eq!(read(&fields).unwrap().0, b"tools/call");
}

#[test]
fn nothing_else_may_look_like_a_value_in_base64() {
    for malformed in [
        "=?",
        "=??=",
        "=?base64?",
        "=?base64??=",
        "=?base64?=",
        "=?base64?YQ==",
        "=?base64?YQ==?= ",
        "=?base64?YQ?=",
        "=?base64?YQ=?=",
        "=?base64?YR==?=",
        "=?base64?YQ===?=",
        "=?base64?Y Q==?=",
        "=?base64?YQ==?=?=",
        "=?base64?-_8=?=",
        "=?BASE64?YQ==?=",
        "=?Base64?YQ==?=",
        "=?utf-8?B?YQ==?=",
        // A line break, NUL, DEL, C1, and bytes that are not UTF-8.
        "=?base64?bGluZTEKbGluZTI=?=",
        "=?base64?AA==?=",
        "=?base64?fw==?=",
        "=?base64?woU=?=",
        "=?base64?/w==?=",
        "=?base64?wK8=?=",
    ] {
        assert_eq!(name(malformed.as_bytes()), None, "{malformed}");
    }
}
