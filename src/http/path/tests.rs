use super::*;
use BadPath::{
    Backslash, BrokenEncoding, DotSegment, EmptySegment, EncodedControl, EncodedTwice, Fragment,
    NotAbsolute, NotUtf8, RawByte,
};
use EncodedCharacter::{Hash, Percent, QuestionMark, Semicolon, Slash};

fn read(raw: &[u8], flags: PathFlags) -> Result<Vec<String>, BadPath> {
    let path = NormalPath::parse(raw, &PathRules::new(flags))?;
    let segments = path.segments().unwrap().iter();
    Ok(segments
        .map(|segment| String::from_utf8(segment.text().into()).unwrap())
        .collect())
}

fn closed(raw: &str) -> Result<Vec<String>, BadPath> {
    read(raw.as_bytes(), PathFlags::default())
}

fn encoded(character: EncodedCharacter) -> PathFlags {
    PathFlags {
        allow_encoded: EncodedSet::default().with(character),
        ..PathFlags::default()
    }
}

const SEMICOLONS: PathFlags = PathFlags {
    allow_encoded: EncodedSet::NONE,
    allow_empty_segments: false,
    allow_semicolons: true,
    ignore_case: false,
};
const EMPTY_SEGMENTS: PathFlags = PathFlags {
    allow_empty_segments: true,
    allow_semicolons: false,
    ..SEMICOLONS
};
const IGNORE_CASE: PathFlags = PathFlags {
    ignore_case: true,
    allow_semicolons: false,
    ..SEMICOLONS
};

#[test]
fn segments_are_decoded_and_one_slash_at_the_end_makes_no_difference() {
    for (raw, segments) in [
        ("/", &[][..]),
        ("/pets", &["pets"]),
        ("/pets/", &["pets"]),
        ("/pets/1", &["pets", "1"]),
        ("/users/%40me", &["users", "@me"]),
        ("/users/@me", &["users", "@me"]),
        ("/%61dmin", &["admin"]),
        ("/README%2Emd/%2ewell-known", &["README.md", ".well-known"]),
        ("/a%2e%2eb/%2E%2e%2e/%2D%5f%7E", &["a..b", "...", "-_~"]),
        ("/caf%C3%A9", &["café"]),
        ("/caf%c3%a9/a%20b", &["café", "a b"]),
        (
            "/a+b/c~d/e:f/g,h/i=j&k",
            &["a+b", "c~d", "e:f", "g,h", "i=j&k"],
        ),
        (
            "/.well-known/x.json/a..b/...",
            &[".well-known", "x.json", "a..b", "..."],
        ),
        ("/{x}/[y]|z^", &["{x}", "[y]|z^"]),
    ] {
        assert_eq!(closed(raw).unwrap(), segments, "{raw}");
    }
}

#[test]
fn the_query_takes_no_part() {
    for raw in ["/a?", "/a/?x", "/a?/../b", "/a?//;\\#", "/a?%zz%2f", "/a??"] {
        assert_eq!(closed(raw).unwrap(), ["a"], "{raw}");
    }
    assert_eq!(read(b"/a?\xff \0", PathFlags::default()).unwrap(), ["a"]);
}

const SEMICOLON: BadPath = BadPath::Semicolon;
const ENCODED_SLASH: BadPath = BadPath::Encoded(Slash);
const ENCODED_PERCENT: BadPath = BadPath::Encoded(Percent);

/// Requests that have bypassed other gateways' rules for `/admin`.
const CONFUSIONS: &[(&str, BadPath)] = &[
    ("//admin", EmptySegment),
    ("///admin", EmptySegment),
    ("/x//admin", EmptySegment),
    ("/admin//", EmptySegment),
    ("//", EmptySegment),
    ("/./admin", DotSegment),
    ("/admin/.", DotSegment),
    ("/admin/..", DotSegment),
    ("/.", DotSegment),
    ("/x/../admin", DotSegment),
    ("/public/x/../../admin", DotSegment),
    ("/../admin", DotSegment),
    ("/x//../admin", DotSegment),
    ("/public/%2e%2e/admin", DotSegment),
    ("/public/%2E%2E/admin", DotSegment),
    ("/public/.%2e/admin", DotSegment),
    ("/public/%2e./admin", DotSegment),
    ("/%2e/admin", DotSegment),
    ("/admin%2f", ENCODED_SLASH),
    ("/admin%2Fx", ENCODED_SLASH),
    ("/%2fadmin", ENCODED_SLASH),
    ("/public%2f..%2fadmin", DotSegment),
    ("/public/..%2fadmin", DotSegment),
    ("/public/..%5cadmin", Backslash),
    ("/public/..%5Cadmin", Backslash),
    ("/public\\..\\admin", Backslash),
    ("/\\admin", Backslash),
    ("/admin;x=y", SEMICOLON),
    ("/;/admin", SEMICOLON),
    ("/admin;/", SEMICOLON),
    ("/public/..;/admin", DotSegment),
    ("/public/.;/admin", DotSegment),
    ("/public/%2e%2e;/admin", DotSegment),
    ("/admin%3b", BadPath::Encoded(Semicolon)),
    ("/public/%252e%252e/admin", EncodedTwice),
    ("/%2561dmin", EncodedTwice),
    ("/100%25", ENCODED_PERCENT),
    ("/public/..%252fadmin", EncodedTwice),
    ("/public/%c0%ae%c0%ae/admin", NotUtf8),
    ("/%c1%a1dmin", NotUtf8),
    ("/public%c0%afadmin", NotUtf8),
    ("/%ed%a0%80", NotUtf8),
    ("/%f4%90%80%80", NotUtf8),
    ("/%ff", NotUtf8),
    ("/%c3", NotUtf8),
    ("/%c3/%a9", NotUtf8),
    ("/%uff0e%uff0e/admin", BrokenEncoding),
    ("/public/%", BrokenEncoding),
    ("/public/%2", BrokenEncoding),
    ("/public/%zz", BrokenEncoding),
    ("/public/%+1", BrokenEncoding),
    ("/public/%%32%65", BrokenEncoding),
    ("/admin%3f", BadPath::Encoded(QuestionMark)),
    ("/admin%23", BadPath::Encoded(Hash)),
    ("/admin#x", Fragment),
    ("/public#/../admin", Fragment),
    ("/admin%00", EncodedControl),
    ("/admin%0a", EncodedControl),
    ("/admin%0d%0aX: y", RawByte),
    ("/admin%7f", EncodedControl),
    ("/admin%C2%85", EncodedControl),
    ("http://evil/admin", NotAbsolute),
    ("*", NotAbsolute),
    ("admin", NotAbsolute),
    ("?x", NotAbsolute),
    ("", NotAbsolute),
    ("example.com:443", NotAbsolute),
    ("/public/ä/../admin", RawByte),
    ("/admin x", RawByte),
    ("/admin\t", RawByte),
    ("/admin\0", RawByte),
    ("/admin\u{7f}", RawByte),
    ("/api/../admin", DotSegment),
    ("/api/..;/admin", DotSegment),
    ("/publicx/../admin", DotSegment),
];

#[test]
fn every_known_confusion_is_refused() {
    for (raw, reason) in CONFUSIONS {
        assert_eq!(closed(raw), Err(*reason), "{raw:?}");
    }
    assert_eq!(read(b"/public/\xff", PathFlags::default()), Err(RawByte));
}

#[test]
fn a_path_that_only_resembles_another_is_distinct() {
    for raw in [
        "/ADMIN",
        "/adm%C4%B1n",
        "/admin%20",
        "/admin.",
        "/admin.json",
        "/admin~",
        "/admin::$DATA",
        "/api../admin",
        "/publicx",
        "/%EF%BC%8E%EF%BC%8E/admin",
    ] {
        let segments = closed(raw).unwrap();
        assert!(segments.first().unwrap() != "admin", "{raw}");
    }
}

#[test]
fn long_paths_are_judged_in_linear_time() {
    let dots = format!("/{}admin", "../".repeat(200));
    assert_eq!(closed(&dots), Err(BadPath::DotSegment));
    let deep = "/a".repeat(100_000);
    assert_eq!(closed(&deep).unwrap().len(), 100_000);
    let percents = format!("/{}2e", "%25".repeat(100_000));
    assert_eq!(
        read(percents.as_bytes(), encoded(Percent)),
        Err(BadPath::EncodedTwice)
    );
}

#[test]
fn a_reason_names_the_member_of_paths_that_allows_the_path() {
    let open = |raw: &str, flags| read(raw.as_bytes(), flags);
    for (raw, member, flags) in [
        ("/a//b", "allow_empty_segments", EMPTY_SEGMENTS),
        ("/a;x/b", "allow_semicolons", SEMICOLONS),
        ("/a%2fb", "allow_encoded", encoded(Slash)),
        ("/a%25b", "allow_encoded", encoded(Percent)),
        ("/a%3Fb", "allow_encoded", encoded(QuestionMark)),
        ("/a%23b", "allow_encoded", encoded(Hash)),
        ("/a%3bb", "allow_encoded", encoded(Semicolon)),
    ] {
        let reason = closed(raw).unwrap_err();
        assert_eq!(reason.allowed_by(), Some(member), "{raw}");
        assert!(reason.to_string().contains(&format!("`paths.{member}`")));
        assert!(open(raw, flags).is_ok(), "{raw}");
    }
    assert_eq!(BadPath::DotSegment.allowed_by(), None);
}

#[test]
fn each_encoded_character_is_allowed_separately() {
    let spelled = [
        (Slash, "/a%2Fb"),
        (Percent, "/a%25b"),
        (QuestionMark, "/a%3Fb"),
        (Hash, "/a%23b"),
        (Semicolon, "/a%3Bb"),
    ];
    for opened in EncodedCharacter::ALL {
        for (character, raw) in spelled {
            let read = read(raw.as_bytes(), encoded(opened));
            if opened == character {
                assert_eq!(read.unwrap(), [format!("a{}b", character.plain())]);
            } else {
                assert_eq!(read, Err(BadPath::Encoded(character)));
            }
        }
    }
}

#[test]
fn no_dot_part_may_stand_beside_an_opened_character() {
    for (raw, character) in [
        ("/a%2F..%2Fb", Slash),
        ("/a%2f.%2fb", Slash),
        ("/..%2Fb", Slash),
        ("/a%2F..", Slash),
        ("/a%2F.", Slash),
        ("/a%2F%2e%2E%2Fb", Slash),
        ("/%2e%2F%2e", Slash),
        ("/%2e%2e%3Bx", Semicolon),
        ("/..%3Bx", Semicolon),
        ("/.%3B", Semicolon),
        ("/..%3Fx", QuestionMark),
        ("/..%23x", Hash),
    ] {
        let read = read(raw.as_bytes(), encoded(character));
        assert_eq!(read, Err(BadPath::DotSegment), "{raw}");
    }
    let text = read(b"/https%3A%2F%2Fexample.com%2F.well-known", encoded(Slash));
    assert_eq!(text.unwrap(), ["https://example.com/.well-known"]);
}

#[test]
fn an_allowed_percent_never_makes_a_second_decoding_differ() {
    for raw in [
        "/%252e%252e/admin",
        "/%252E%252E",
        "/%25%32%65",
        "/%2561dmin",
        "/a%252Fb",
        "/%25252e",
        "/%25c0%25ae",
        "/%250a",
    ] {
        let read = read(raw.as_bytes(), encoded(Percent));
        assert_eq!(read, Err(BadPath::EncodedTwice), "{raw}");
    }
    for (raw, text) in [
        ("/100%25", "100%"),
        ("/%25zz", "%zz"),
        ("/5%25%201", "5% 1"),
    ] {
        assert_eq!(read(raw.as_bytes(), encoded(Percent)).unwrap(), [text]);
    }
}

#[test]
fn allowed_parameters_are_removed_and_hide_nothing() {
    let read = |raw: &str| read(raw.as_bytes(), SEMICOLONS);
    assert_eq!(read("/a;x=y/b;z;w/").unwrap(), ["a", "b"]);
    assert_eq!(read("/admin;").unwrap(), ["admin"]);
    assert_eq!(read("/admin;/").unwrap(), ["admin"]);
    for (raw, reason) in [
        ("/public/..;/admin", BadPath::DotSegment),
        ("/public/..;x/admin", BadPath::DotSegment),
        ("/.;x", BadPath::DotSegment),
        ("/%2e%2e;/admin", BadPath::DotSegment),
        ("/;/admin", BadPath::EmptySegment),
        ("/admin/;x", BadPath::EmptySegment),
        ("/;", BadPath::EmptySegment),
        ("/a;%2F..", BadPath::DotSegment),
        ("/a;%0a", BadPath::EncodedControl),
        ("/a;%", BadPath::BrokenEncoding),
        ("/a;%ff", BadPath::NotUtf8),
        ("/a;\\", BadPath::Backslash),
        ("/a%3Bx", BadPath::Encoded(Semicolon)),
    ] {
        assert_eq!(read(raw), Err(reason), "{raw}");
    }
    let both = PathFlags {
        allow_encoded: EncodedSet::default().with(Slash),
        ..SEMICOLONS
    };
    let hidden = super::NormalPath::parse(b"/a;x=%2F..%2Fadmin", &PathRules::new(both));
    assert_eq!(hidden, Err(BadPath::DotSegment));
}

#[test]
fn allowed_empty_segments_count_except_after_the_last_slash() {
    let read = |raw: &str| read(raw.as_bytes(), EMPTY_SEGMENTS);
    assert_eq!(read("/a//b").unwrap(), ["a", "", "b"]);
    assert_eq!(read("//a").unwrap(), ["", "a"]);
    assert_eq!(read("/a//").unwrap(), ["a", ""]);
    assert_eq!(read("/a/").unwrap(), ["a"]);
    assert_eq!(read("/a//../b"), Err(BadPath::DotSegment));
    let rules = PathRules::new(EMPTY_SEGMENTS);
    let merged = |raw: &'static str| {
        let path = NormalPath::parse(raw.as_bytes(), &rules).unwrap();
        path.without_empty_segments()
    };
    let plain = |raw: &'static str| NormalPath::parse(raw.as_bytes(), &rules).unwrap();
    assert_eq!(
        merged("//a///b//").unwrap().segments(),
        plain("/a/b").segments()
    );
    assert_eq!(merged("/a/b/"), None);
}

#[test]
fn without_case_segments_are_compared_folded_and_keep_their_text() {
    let rules = PathRules::new(IGNORE_CASE);
    let path = NormalPath::parse(b"/Users/%C3%84b%43", &rules).unwrap();
    let segments = path.segments().unwrap();
    assert_eq!(segments[0].text(), b"Users");
    assert_eq!(segments[0].key(), b"users");
    assert_eq!(segments[1].text(), "ÄbC".as_bytes());
    let lower = NormalPath::parse("/users/%C3%A4Bc".as_bytes(), &rules).unwrap();
    assert_eq!(lower.segments().unwrap()[1].key(), segments[1].key());
}

#[test]
fn the_base_is_cut_off_at_the_end_of_a_segment() {
    let rules = PathRules::with_base(PathFlags::default(), "/dev/v%31").unwrap();
    let read = |raw: &str| {
        let path = NormalPath::parse(raw.as_bytes(), &rules).unwrap();
        let segments = path.segments()?.iter();
        Some(
            segments
                .map(|segment| String::from_utf8(segment.text().into()).unwrap())
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(read("/dev/v1/pets").unwrap(), ["pets"]);
    assert_eq!(read("/%64ev/v1/").unwrap(), [""; 0]);
    assert_eq!(read("/dev/v1").unwrap(), [""; 0]);
    for outside in ["/", "/dev", "/dev/v12/pets", "/devv1", "/Dev/v1", "/pets"] {
        assert_eq!(read(outside), None, "{outside}");
    }
    let without_case = PathRules::with_base(IGNORE_CASE, "/Dev").unwrap();
    let path = NormalPath::parse(b"/dEV/x", &without_case).unwrap();
    assert_eq!(path.segments().unwrap().len(), 1);
}

#[test]
fn a_base_has_no_variables_and_is_a_path() {
    let base = |text| PathRules::with_base(PathFlags::default(), text).err();
    assert_eq!(base("/{stage}"), Some(BadPattern::VariableInBase));
    assert_eq!(base("/{stage+}"), Some(BadPattern::VariableInBase));
    assert_eq!(base("dev"), Some(BadPattern::NotAbsolute));
    assert_eq!(
        base("/a/../b"),
        Some(BadPattern::Unreachable(BadPath::DotSegment))
    );
    assert_eq!(base("/"), None);
}

#[test]
fn a_set_of_encoded_characters_has_what_was_added_however_often() {
    let all: EncodedSet = EncodedCharacter::ALL.into_iter().collect();
    assert!(
        EncodedCharacter::ALL
            .into_iter()
            .all(|one| all.contains(one))
    );
    let twice = EncodedSet::NONE.with(Slash).with(Slash);
    assert!(twice.contains(Slash) && !twice.contains(Percent));
}
