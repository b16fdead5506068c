//! Paths as others read them: according to RFC 3986, and by upstreams that decode, merge
//! or cut more than they should.

/// Whether the documented rules accept a path with the default settings.
pub(crate) fn is_plain(raw: &[u8]) -> bool {
    let path = before_query(raw);
    let text = String::from_utf8(decode(path)).unwrap_or_else(|_| "\\".into());
    let hex = |at: usize| {
        path.get(at..at + 2)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let mut pieces = path.split(|byte| *byte == b'/');
    let starts_with_slash = pieces.next() == Some(b"") && path.starts_with(b"/");
    let mut pieces: Vec<_> = pieces.collect();
    if pieces.last() == Some(&&b""[..]) {
        pieces.pop();
    }
    starts_with_slash
        && path.iter().all(|byte| (0x21..=0x7e).contains(byte))
        && (0..path.len()).all(|at| path[at] != b'%' || hex(at + 1))
        && !text.contains(['\\', ';', '%', '?', '#'])
        && !text.chars().any(char::is_control)
        && !contains_encoded(path, b"/")
        && !pieces
            .iter()
            .any(|piece| matches!(&*decode(piece), b"" | b"." | b".."))
}

fn contains_encoded(path: &[u8], octets: &[u8]) -> bool {
    octets.iter().any(|octet| {
        let encoded = format!("%{octet:02x}");
        path.windows(3)
            .any(|window| window.eq_ignore_ascii_case(encoded.as_bytes()))
    })
}

pub(crate) fn before_query(raw: &[u8]) -> &[u8] {
    raw.split(|byte| *byte == b'?').next().unwrap_or_default()
}

/// Decodes every valid encoding once, and leaves invalid ones.
pub(crate) fn decode(path: &[u8]) -> Vec<u8> {
    replace_encodings(path, |octet, _| vec![octet])
}

/// RFC 3986 section 6.2.2: letter case of encodings, encodings of unreserved characters,
/// dot segments.
pub(crate) fn normalised(path: &[u8]) -> Vec<u8> {
    let path = replace_encodings(path, |octet, _| {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            vec![octet]
        } else {
            format!("%{octet:02X}").into_bytes()
        }
    });
    without_dot_segments(&path)
}

fn replace_encodings(path: &[u8], by: impl Fn(u8, &[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < path.len() {
        let digits = path.get(at + 1..at + 3).and_then(|digits| {
            let text = std::str::from_utf8(digits).ok()?;
            let all = digits.iter().all(u8::is_ascii_hexdigit);
            all.then(|| u8::from_str_radix(text, 16).unwrap())
        });
        match digits {
            Some(octet) if path[at] == b'%' => {
                out.extend(by(octet, &path[at..at + 3]));
                at += 3;
            }
            _ => {
                out.push(path[at]);
                at += 1;
            }
        }
    }
    out
}

/// RFC 3986 section 5.2.4.
fn without_dot_segments(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut pieces = path.split(|byte| *byte == b'/').peekable();
    while let Some(piece) = pieces.next() {
        let last = pieces.peek().is_none();
        match piece {
            b"." if last => kept.push(b""),
            b"." => {}
            b".." => {
                if kept.len() > 1 {
                    kept.pop();
                }
                if last {
                    kept.push(b"");
                }
            }
            piece => kept.push(piece),
        }
    }
    kept.join(&b'/')
}

/// Merges consecutive slashes.
pub(crate) fn merged(path: &[u8]) -> Vec<u8> {
    let mut out = path.to_vec();
    out.dedup_by(|a, b| *a == b'/' && *b == b'/');
    out
}

/// Removes the parameters of each segment.
pub(crate) fn without_parameters(path: &[u8]) -> Vec<u8> {
    let cut = |segment: &[u8]| {
        segment
            .split(|byte| *byte == b';')
            .next()
            .unwrap_or_default()
            .to_vec()
    };
    path.split(|byte| *byte == b'/')
        .map(cut)
        .collect::<Vec<_>>()
        .join(&b'/')
}

/// The path as some Windows software reads it.
pub(crate) fn with_plain_slashes(path: &[u8]) -> Vec<u8> {
    path.iter()
        .map(|byte| if *byte == b'\\' { b'/' } else { *byte })
        .collect()
}

/// The segments as a naive upstream reads them, without the last slash.
pub(crate) fn segments(path: &[u8]) -> Option<Vec<&[u8]>> {
    let path = path.strip_prefix(b"/")?;
    let mut segments: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    if segments.last() == Some(&&b""[..]) {
        segments.pop();
    }
    Some(segments)
}
