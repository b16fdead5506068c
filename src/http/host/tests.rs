use super::*;

fn host(authority: &str) -> Result<Option<String>, BadHost> {
    let host = Host::parse(Some(authority.as_bytes()))?;
    Ok(host.map(|host| host.as_str().to_owned()))
}

fn accepted(authority: &str) -> String {
    host(authority).unwrap().unwrap()
}

#[test]
fn a_host_is_compared_in_lower_case_without_port_and_one_dot_at_the_end() {
    for spelling in [
        "api.example.com",
        "API.Example.COM",
        "api.example.com:8443",
        "api.example.com:",
        "api.example.com.",
        "API.example.com.:443",
    ] {
        assert_eq!(accepted(spelling), "api.example.com", "{spelling}");
    }
    assert_eq!(accepted("localhost:10000"), "localhost");
    assert_eq!(accepted("my_service.ns-1"), "my_service.ns-1");
}

#[test]
fn addresses_are_hosts_in_their_shortest_spelling() {
    assert_eq!(accepted("127.0.0.1:80"), "127.0.0.1");
    assert_eq!(accepted("127.0.0.1."), "127.0.0.1");
    assert_eq!(accepted("[::1]:80"), "[::1]");
    assert_eq!(accepted("[2001:DB8:0::1]"), "[2001:db8::1]");
}

#[test]
fn no_authority_and_an_empty_one_are_no_host() {
    assert_eq!(Host::parse(None), Ok(None));
    assert_eq!(host(""), Ok(None));
}

#[test]
fn a_name_has_at_most_253_bytes_in_labels_of_at_most_63() {
    let longest = [
        &*"a".repeat(63),
        &"b".repeat(63),
        &"c".repeat(63),
        &"d".repeat(61),
    ]
    .join(".");
    assert_eq!(longest.len(), 253);
    assert_eq!(accepted(&longest), longest);
    assert_eq!(accepted(&format!("{longest}.:443")), longest);
    assert_eq!(host(&format!("{longest}e")), Err(BadHost));
}

#[test]
fn the_error_says_what_an_authority_must_be() {
    assert!(BadHost.to_string().contains("host"), "{BadHost}");
}

#[test]
fn anything_but_one_valid_host_is_refused() {
    let long_label = "a".repeat(64);
    let long_name = ["a".repeat(62).as_str(); 5].join(".");
    for bad in [
        "a,b",
        "a.example.com,b.example.com",
        "a b",
        " a",
        "a\t",
        "user@a",
        "user:pw@a",
        "a/b",
        "a?b",
        "a#b",
        "a\\b",
        "a%2eb",
        "http://a",
        ":80",
        ".",
        "..",
        "a..",
        ".a",
        "a..b",
        "a:b",
        "a:80:80",
        "a:65536",
        "a:+80",
        "a:-1",
        "*.example.com",
        "münchen.example",
        "1.2.3",
        "1.2.3.4.5",
        "01.2.3.4",
        "1.2.3.999",
        "a.1",
        "2130706433",
        "::1",
        "[::1",
        "[::1]]",
        "[::1]80",
        "[::1]:x",
        "[::1].",
        "[fe80::1%25eth0]",
        "[v1.a]",
        "[]",
        "[a]",
        &long_label,
        &long_name,
    ] {
        assert_eq!(host(bad), Err(BadHost), "{bad:?}");
    }
    assert_eq!(Host::parse(Some(b"a\xff")), Err(BadHost));
    assert_eq!(Host::parse(Some(b"a\0")), Err(BadHost));
}

#[test]
fn parent_names_are_ordered_longest_first() {
    let parents = |authority: &str| {
        let host = Host::parse(Some(authority.as_bytes())).unwrap().unwrap();
        host.parents().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        parents("a.b.example.com"),
        ["b.example.com", "example.com", "com"]
    );
    assert_eq!(parents("localhost"), [""; 0]);
    assert_eq!(parents("127.0.0.1"), [""; 0]);
    assert_eq!(parents("[::1]"), [""; 0]);
}

#[test]
fn a_pattern_is_one_host_or_all_hosts_below_a_name() {
    assert_eq!(
        HostPattern::parse("admin.example.com"),
        Ok(HostPattern::Exact("admin.example.com".into()))
    );
    assert_eq!(
        HostPattern::parse("*.example.com"),
        Ok(HostPattern::Below("example.com".into()))
    );
    assert_eq!(
        HostPattern::parse("[::1]"),
        Ok(HostPattern::Exact("[::1]".into()))
    );
}

#[test]
fn a_pattern_in_another_spelling_is_refused_with_the_right_one() {
    for (written, right) in [
        ("Admin.example.com", "admin.example.com"),
        ("admin.example.com:443", "admin.example.com"),
        ("admin.example.com.", "admin.example.com"),
        ("*.Example.com:80", "*.example.com"),
        ("[0:0::1]", "[::1]"),
    ] {
        let error = HostPattern::parse(written).unwrap_err();
        let instead = HostPattern::parse(right).unwrap();
        assert_eq!(error, BadHostPattern::Spelling { instead }, "{written}");
        assert!(error.to_string().contains(&format!("write `{right}`")));
    }
}

#[test]
fn a_pattern_that_is_not_a_host_is_refused() {
    use BadHostPattern::{NotAHost, NotAscii, Url, Wildcard};
    for (written, error) in [
        ("", NotAHost),
        ("*.", NotAHost),
        ("a b", NotAHost),
        ("1.2.3", NotAHost),
        ("https://a.example.com", Url),
        ("*", Wildcard),
        ("*example.com", Wildcard),
        ("a.*.com", Wildcard),
        ("*.*.com", Wildcard),
        ("*.127.0.0.1", Wildcard),
        ("*.[::1]", Wildcard),
        ("münchen.example", NotAscii),
    ] {
        assert_eq!(HostPattern::parse(written), Err(error), "{written:?}");
    }
}
