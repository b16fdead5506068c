//! Valid claims as rules and headers see them.

use super::*;
use crate::rules::{ClaimName, ClaimValue, Claims, NoRequest};

/// Calls `look` with the valid claims of a token that has the member.
fn with<T>(member: &str, look: impl FnOnce(&ValidClaims<'_>) -> T) -> T {
    let token = verified(&claims_with(member));
    let checked = token.check(&anything(), &NoRequest, now()).unwrap();
    look(&checked.held_by(&Bearer).unwrap())
}

fn value(member: &str, name: &str) -> String {
    with(member, |claims| match claims.claim(&ClaimName::new(name)) {
        ClaimValue::Absent => "absent".to_owned(),
        ClaimValue::Other => "other".to_owned(),
        ClaimValue::One(text) => format!("one {text}"),
        ClaimValue::Many {
            members,
            unreadable,
        } => format!("many {} {unreadable}", members.join("|")),
    })
}

#[test]
fn a_claim_is_read_by_its_type_and_numbers_are_unchanged() {
    for (json, seen) in [
        (r#""text""#, "one text"),
        (r#""t\u0065xt\n""#, "one text\n"),
        (r#""""#, "one "),
        ("5", "one 5"),
        ("5.0", "one 5.0"),
        ("1E3", "one 1E3"),
        ("18446744073709551616", "one 18446744073709551616"),
        ("true", "one true"),
        ("null", "other"),
        ("{}", "many  false"),
        (r#"{"a":"b","\u0063":null,"d":{"e":1}}"#, "many a|c|d false"),
        ("[]", "many  false"),
        (r#"[ "a" , 1.50 , false ]"#, "many a|1.50|false false"),
        (r#"["a",null]"#, "many a true"),
        (r#"["a",["b"]]"#, "many a true"),
        (r#"[{"b":1}]"#, "many  true"),
    ] {
        assert_eq!(value(&format!("\"c\":{json}"), "c"), seen, "{json}");
        let escaped = format!("\"\\u0063\" :\n{json} ");
        assert_eq!(value(&escaped, "c"), seen, "{escaped}");
    }
}

#[test]
fn a_dot_selects_a_member_if_the_whole_name_is_absent() {
    for (member, name, seen) in [
        (r#""a":{"b":"in"}"#, "a.b", "one in"),
        (r#""a":{"b":"in"},"a.b":"whole""#, "a.b", "one whole"),
        (r#""a":{"b":"in"},"a.b":null"#, "a.b", "other"),
        (r#""a":{"b":{"c":"in"}}"#, "a.b.c", "one in"),
        (r#""a":{"b.c":"in","b":{"c":"x"}}"#, "a.b.c", "one in"),
        (r#""a.b":{"c":"in"},"a":{"b":{"c":"x"}}"#, "a.b.c", "one in"),
        (r#""a.b":{"d":"in"},"a":{"b":{"c":"x"}}"#, "a.b.c", "absent"),
        (
            r#""https://x.example/c":{"tenant":"t"}"#,
            "https://x.example/c.tenant",
            "one t",
        ),
        (r#""a":{"":"in"}"#, "a.", "one in"),
        (r#""":{"a":"in"}"#, ".a", "one in"),
        (r#""a":{"b":"in"}"#, "a.c", "absent"),
        (r#""a":{"b":"in"}"#, "b", "absent"),
        (r#""a":{"b":"in"}"#, "A.b", "absent"),
        (r#""a":"text""#, "a.b", "other"),
        (r#""a":null"#, "a.b", "other"),
        (r#""a":[{"b":"in"}]"#, "a.b", "other"),
        (r#""a":[{"b":"in"}]"#, "a.0.b", "other"),
        (r#""x":1"#, "a.b", "absent"),
        (r#""x":1"#, "...", "absent"),
    ] {
        assert_eq!(value(member, name), seen, "{member} {name}");
    }
}

fn scopes(member: &str, names: &[&str]) -> (Vec<String>, bool) {
    let names: Vec<_> = names.iter().map(|name| ClaimName::new(*name)).collect();
    with(member, |claims| {
        let scopes = claims.scopes(&names);
        let names = scopes.names().map(ToOwned::to_owned).collect();
        (names, scopes.unreadable)
    })
}

#[test]
fn scopes_are_split_only_at_spaces() {
    let table: [(&str, &[&str], bool); 24] = [
        (r#""read""#, &["read"], false),
        (r#""read write""#, &["read", "write"], false),
        (r#""  read   write ""#, &["read", "write"], false),
        (r#""read\u0020write""#, &["read", "write"], false),
        (r#""""#, &[], false),
        (r#"" ""#, &[], false),
        (r#""read,write""#, &["read,write"], false),
        (r#""read:all READ""#, &["read:all", "READ"], false),
        (r#""read\twrite x""#, &["read\twrite", "x"], true),
        (r#""read\nwrite""#, &["read\nwrite"], true),
        ("\"read\u{A0}write\"", &["read\u{A0}write"], true),
        (r#""read\u0000""#, &["read\0"], true),
        ("\"\u{FF52}ead\"", &["\u{FF52}ead"], false),
        (r#"["read","write"]"#, &["read", "write"], false),
        (r#"["read write"]"#, &["read write"], true),
        (r#"["","read"]"#, &["read"], false),
        ("[]", &[], false),
        (r#"["read",5]"#, &[], true),
        (r#"["read",null]"#, &[], true),
        (r#"[["read"]]"#, &[], true),
        ("null", &[], true),
        ("5", &[], true),
        ("true", &[], true),
        (r#"{"read":true}"#, &[], true),
    ];
    for (json, names, unreadable) in table {
        let (seen, suspicious) = scopes(&format!("\"scope\":{json}"), &["scope"]);
        assert_eq!(seen, names, "{json}");
        assert_eq!(suspicious, unreadable, "{json}");
    }
}

#[test]
fn scopes_of_all_scope_claims_count_together() {
    let both = r#""scope":"a b","scp":["c"],"x":{"y":"d"}"#;
    let all = ["scope", "scp", "x.y"];
    assert_eq!(
        scopes(both, &all).0,
        ["a", "b", "c", "d"].map(str::to_owned)
    );
    assert_eq!(scopes(both, &["scp"]).0, ["c".to_owned()]);
    assert_eq!(scopes(r#""z":1"#, &all), (vec![], false));
    let broken = r#""scope":5,"scp":["c"]"#;
    assert_eq!(scopes(broken, &all), (vec!["c".to_owned()], true));
    let text_in_the_way = r#""x":"d","scp":["c"]"#;
    let seen = scopes(text_in_the_way, &all);
    assert_eq!(seen, (vec!["c".to_owned()], true));
}

/// The place of the scopes is remembered with the token.
#[test]
fn scopes_are_the_same_however_often_they_are_read() {
    let default = DEFAULT_SCOPE_CLAIMS.map(ClaimName::new);
    // The same claims, and a third one that no token here has, for which nothing is remembered.
    let same = [&default[..], &[ClaimName::new("none")]].concat();
    let others = [vec![ClaimName::new("x")], default[..1].to_vec(), Vec::new()];
    for member in [
        r#""scope":"a b","x":"c""#,
        r#""scope":"","x":"c d""#,
        r#""scope":" a  b ""#,
        r#""scope":"a\u0020b""#,
        r#""scope":"a\tb","x":"e""#,
        "\"scope\":\"a\u{A0}b c\"",
        r#""scope":["a","b"],"x":"c""#,
        r#""scope":"a","scp":["b"]"#,
        r#""scope":"a","scp":"b c""#,
        r#""scope":"","scp":"b c""#,
        r#""scp":"b c""#,
        r#""scp":["b"],"x":"b c""#,
        r#""scope":null,"x":"a""#,
        r#""scope":5,"scp":"a b""#,
        r#""scope":"a b","scp":5"#,
        r#""x":"a b""#,
    ] {
        let read = |claims: &ValidClaims<'_>, names: &[ClaimName]| {
            let scopes = claims.scopes(names);
            let names: Vec<_> = scopes.names().map(ToOwned::to_owned).collect();
            (names, scopes.unreadable)
        };
        let expected = with(member, |claims| read(claims, &same));
        let of_others = with(member, |claims| {
            others.each_ref().map(|it| read(claims, it))
        });
        with(member, |claims| {
            for _ in 0..3 {
                assert_eq!(read(claims, &default), expected, "{member}");
                // A provider with other claims does not get these scopes, and its own do not
                // replace them.
                assert_eq!(others.each_ref().map(|it| read(claims, it)), of_others);
            }
        });
    }
}

#[test]
fn the_subject_is_sent_as_it_is_decoded() {
    for (sub, sent) in [
        ("alice", Ok("alice")),
        (r"\u0061 \u00e9", Ok("a é")),
        (r"a\u00a0b", Ok("a\u{a0}b")),
        (r"\u00a0a", Err(Unfit::OuterBlank)),
        (r"a\nb", Err(Unfit::ControlCharacter)),
        (" a", Err(Unfit::OuterBlank)),
        ("a ", Err(Unfit::OuterBlank)),
    ] {
        with(&format!("\"sub\":\"{sub}\""), |claims| {
            let text = claims.text(&ClaimName::new("sub")).unwrap();
            assert_eq!(text.json().as_deref(), sent.as_deref());
            assert_eq!(text.csv().as_deref(), sent.as_deref());
        });
    }
    with(r#""sub":"a,b""#, |claims| {
        let text = claims.text(&ClaimName::new("sub")).unwrap();
        assert_eq!(text.csv(), Err(Unfit::CommaInMember));
    });
    let token = verified(&claims_without("sub"));
    let checked = token.check(&anything(), &NoRequest, now()).unwrap();
    let claims = checked.held_by(&Bearer).unwrap();
    assert!(claims.text(&ClaimName::new("sub")).is_none());
}

#[test]
fn a_thousand_scopes_are_read() {
    let list: Vec<_> = (0..1_000).map(|index| format!("s{index}")).collect();
    let (seen, _) = scopes(&format!("\"scope\":\"{}\"", list.join(" ")), &["scope"]);
    assert_eq!(seen, list);
}

fn json(member: &str) -> Option<Result<String, Unfit>> {
    with(member, |claims| {
        let text = claims.text(&ClaimName::new("c"))?;
        Some(text.json().map(std::borrow::Cow::into_owned))
    })
}

fn csv(member: &str) -> Option<Result<String, Unfit>> {
    with(member, |claims| {
        let text = claims.text(&ClaimName::new("c"))?;
        Some(text.csv().map(std::borrow::Cow::into_owned))
    })
}

#[test]
fn a_claim_for_a_header_is_text_or_compact_json() {
    for (value, text) in [
        (r#""alice""#, "alice"),
        (r#""""#, ""),
        (r#""a,b""#, "a,b"),
        ("\"\u{4E2D}\\u00fc\"", "\u{4E2D}\u{FC}"),
        ("\"%0d%0a\"", "%0d%0a"),
        ("4.10e9", "4.10e9"),
        ("false", "false"),
        ("[ \"a b\" ,\n 1.0 ]", r#"["a b",1.0]"#),
        (
            "{ \"k\\\" \\\\\" : [ \"\\n \" ,\t{ } ] }",
            r#"{"k\" \\":["\n ",{}]}"#,
        ),
    ] {
        let seen = json(&format!("\"c\":{value}"));
        assert_eq!(seen, Some(Ok(text.to_owned())), "{value}");
    }
    assert_eq!(json(r#""c":null"#), None);
    assert_eq!(json(r#""x":1"#), None);
}

#[test]
fn text_that_a_header_cannot_hold_is_refused() {
    for value in [
        r#""a\r\nb""#,
        r#""a\nb""#,
        r#""a\tb""#,
        r#""a\u0000""#,
        "\"a\u{7F}\"",
        r#""a\u0085b""#,
        "[\"a\u{7F}\"]",
    ] {
        let seen = json(&format!("\"c\":{value}"));
        assert_eq!(seen, Some(Err(Unfit::ControlCharacter)), "{value}");
    }
    for value in [
        r#"" admin""#,
        r#""admin ""#,
        r#"" ""#,
        r#""\u00a0admin""#,
        r#""admin\u3000""#,
        r#""\u2028admin""#,
        r#""admin\ufeff""#,
    ] {
        let seen = json(&format!("\"c\":{value}"));
        assert_eq!(seen, Some(Err(Unfit::OuterBlank)), "{value}");
    }
}

#[test]
fn a_list_with_commas_has_members_without() {
    let ok = |text: &str| Some(Ok(text.to_owned()));
    assert_eq!(csv(r#""c":["a", "b c", 1.0, true]"#), ok("a,b c,1.0,true"));
    assert_eq!(csv(r#""c":[]"#), ok(""));
    assert_eq!(csv(r#""c":"a""#), ok("a"));
    assert_eq!(csv(r#""c":5"#), ok("5"));
    for (value, why) in [
        (r#"["a,b"]"#, Unfit::CommaInMember),
        (r#"["a","\u002c"]"#, Unfit::CommaInMember),
        (r#""a,b""#, Unfit::CommaInMember),
        (r#"["a"," b"]"#, Unfit::OuterBlank),
        (r#"["a","\u3000b"]"#, Unfit::OuterBlank),
        (r#"["a","b\n"]"#, Unfit::ControlCharacter),
        (r#"["a",null]"#, Unfit::NoScalar),
        (r#"["a",["b"]]"#, Unfit::NoScalar),
        (r#"{"a":"b"}"#, Unfit::NoScalar),
    ] {
        assert_eq!(csv(&format!("\"c\":{value}")), Some(Err(why)), "{value}");
    }
}

#[test]
fn the_payload_is_returned_as_received() {
    let claims = "{ \"iss\":\"https://issuer.example\",\n\"exp\":4102444800, \"x\":\"\u{4E2D}\" }";
    let token = sign(HEADER, claims);
    let verified = verify(&token).unwrap();
    let checked = verified.check(&anything(), &NoRequest, now()).unwrap();
    let valid = checked.held_by(&Bearer).unwrap();
    assert_eq!(valid.payload(), claims);
    assert_eq!(valid.payload_base64(), token.split('.').nth(1).unwrap());
    assert_eq!(valid.subject(), None);
    with(r#""x":1"#, |claims| {
        assert_eq!(claims.subject(), Some("alice"));
    });
}

#[test]
fn the_context_has_every_claim_as_a_string() {
    let member =
        r#""n":1.50,"b":true,"l":[ "a", 1 ],"z":null,"q\u0022":"\"\\\n\u0001\u007f\u0085\u4e2d""#;
    let context = with(member, |claims| claims.context(None));
    assert_eq!(
        context,
        concat!(
            r#"{"claims":{"iss":"https://issuer.example","sub":"alice","aud":"api","#,
            r#""exp":"4102444800","n":"1.50","b":"true","l":"[a 1]","#,
            r#""q\"":"\"\\\n\u0001\u007f\u0085"#,
            "\u{4E2D}",
            r#""},"scopes":null}"#
        )
    );
    assert!(!context.contains(char::is_control));
    serde_json::from_str::<serde_json::Value>(&context).unwrap();
}

#[test]
fn the_context_has_claims_as_api_gateway_prints_them() {
    for (claim, text) in [
        (r#"["readers","admins"]"#, "[readers admins]"),
        ("[]", "[]"),
        (r#"["a b","c"]"#, "[a b c]"),
        (r#"[[1,"a"],[],null,true]"#, "[[1 a] [] <nil> true]"),
        ("{}", "map[]"),
        (r#"{"roles":["b","a"]}"#, "map[roles:[b a]]"),
        (
            r#"{"sign_in":"password","identities":{"google":["1"],"email":["a@example.com"]}}"#,
            "map[identities:map[email:[a@example.com] google:[1]] sign_in:password]",
        ),
        (
            r#"[{"userId":"1","dateCreated":1700000000000,"primary":false,"issuer":null}]"#,
            "[map[dateCreated:1700000000000 issuer:<nil> primary:false userId:1]]",
        ),
        (r#"{"b":1.50,"a":-0,"B":1e3}"#, "map[B:1e3 a:-0 b:1.50]"),
        (r#""[a b]""#, "[a b]"),
        ("12345678901234567890", "12345678901234567890"),
    ] {
        let context = with(&format!(r#""c":{claim}"#), |claims| claims.context(None));
        let context: serde_json::Value = serde_json::from_str(&context).unwrap();
        assert_eq!(context["claims"]["c"], text, "{claim}");
    }
}

#[test]
fn the_context_has_scopes_if_the_route_requires_some() {
    let names = [ClaimName::new("scope")];
    let context = |member| with(member, |claims| claims.context(Some(&names)));
    assert!(context(r#""scope":"a b""#).ends_with(r#","scopes":["a","b"]}"#));
    assert!(context(r#""x":1"#).ends_with(r#","scopes":[]}"#));
}
