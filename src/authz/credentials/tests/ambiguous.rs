//! Text that is not a token here, but is one to another reader.

use super::*;

/// Text that some reader takes for a token, although it is not one here.
const AMBIGUOUS: &[(&str, &str)] = &[
    ("authorization", "Bearer\ta"),
    ("authorization", "Bearer\u{b}a"),
    ("authorization", "Bearer\u{a0}a"),
    ("authorization", "\u{a0}Bearer a"),
    ("authorization", "Bearer:a"),
    ("authorization", "Bearer: a"),
    ("authorization", "Bearer=a"),
    ("authorization", "Bearer\"a\""),
    ("authorization", "\"Bearer a\""),
    ("authorization", ":Bearer a"),
    ("authorization", "BEARER,a"),
    ("authorization", "Bearera"),
    ("authorization", "BearereyJhbGciOiJub25lIn0.e30."),
    ("authorization", "DPoP\ta"),
    ("authorization", "DPoPa"),
    ("authorization", "Basic x Bearer y"),
    ("authorization", "Basic x;Bearer y"),
    ("authorization", "Basic x; bearer:y"),
    ("authorization", "Basic x,Bearer\ty"),
    ("authorization", "Basic x\tBearer y"),
    ("authorization", "Basic x, Bearery "),
    ("authorization", "Basic x;\"bearery\""),
    ("authorization", "Basic x|Bearer y"),
    ("authorization", "Basic (bearer\ty)"),
    ("authorization", "Basic \"Bearer y\""),
    ("authorization", "Forbearer x"),
    ("authorization", "Basic x/DPoP y"),
    // The form of a token, under any scheme: {"alg":"none"}.{}.
    ("authorization", "eyJhbGciOiJub25lIn0.e30."),
    ("authorization", "JWT eyJhbGciOiJub25lIn0.e30.x"),
    ("authorization", "Token token=\"eyJhbGciOiJub25lIn0.e30.x\""),
    ("authorization", "Basic eyJhbGciOiJub25lIn0=.e30=."),
    // The same with a character more, and objects in the other alphabet: {"k":"  >"}.
    ("authorization", "JWT eyJhbGciOiJub25lIn0gA.e30.x"),
    ("authorization", "JWT eyJrIjoiICA+In0.e30.x"),
    ("authorization", "JWT eyJrIjoiICA/In0=.e30.x"),
    // An encrypted token: {"alg":"dir"} and no key (RFC 7516 section 7.1).
    ("authorization", "JWE eyJhbGciOiJkaXIifQ..a.b.c"),
    ("authorization", "Bearer-x ICB7ImFsZyI6Im5vbmUifQ.e30."),
    (
        "authorization",
        "Digest a.b, x=ewoiYWxnIjoibm9uZSJ9.e30.a.b.c",
    ),
    ("x-scheme", "Token\ta"),
    ("x-scheme", "Basic x;token y"),
    ("x_api_token", "a"),
    ("x.api.token", "a"),
    ("X_Api-Token", "Bearer a"),
    ("x!api~token", "a"),
    ("x_scheme", "Token a"),
    ("x.scheme", "anything"),
    ("cookie", "Session=a"),
    ("cookie", "SESSION=a"),
    ("cookie", "x=1; session[]=a"),
    ("cookie", "session%00x=a"),
    ("cookie", "s%2565ssion=a"),
    ("cookie", "%20session=a"),
    ("cookie", "x=1,session=a"),
    ("cookie", "x=1 ,\tsession = a"),
    ("cookie", "x=1 session=a"),
    ("cookie", "x=\"1\"\tsession=a"),
    ("cookie", "session\u{a0}=a"),
    ("cookie", "\u{85}session=a"),
    (":path", "/?x=1;access_token=a"),
    (":path", "/?;access_token=a"),
    (":path", "/?x=1&amp;access_token=a"),
    (":path", "/?x=1;access%5Ftoken=a"),
    (":path", "/?Access_Token=a"),
    (":path", "/?access.token=a"),
    (":path", "/?access-token=a"),
    (":path", "/?access+token=a"),
    (":path", "/?access%20token=a"),
    (":path", "/?access[token=a"),
    (":path", "/?+access_token=a"),
    (":path", "/?%09access_token=a"),
    (":path", "/?access_token[]=a"),
    (":path", "/?access_token%5B0%5D=a"),
    (":path", "/?access_token%00=a"),
    (":path", "/?access%255Ftoken=a"),
    (":path", "/?x?access_token=a"),
    (":path", "/??access_token=a"),
    (":path", "/?x=1#access_token=a"),
];

#[test]
fn text_that_another_reader_could_take_for_a_token_never_counts_as_absent() {
    for field in AMBIGUOUS {
        assert_eq!(found(&everywhere(), &[*field]), "ambiguous", "{field:?}");
        // Beside a token it is a second one, except in cookies.
        let header = [*field, ("x-api-token", "a")];
        let cookie = [*field, ("cookie", "session=a")];
        let query = [*field, (":path", "/?access_token=a")];
        let both: [&[_]; 3] = [&header, &cookie, &query];
        for fields in both {
            let expected = match (fields[0].0, fields[1].0) {
                ("cookie", "x-api-token" | ":path") => "a",
                // Only the first path counts.
                (":path", ":path") => "ambiguous",
                _ => "malformed",
            };
            assert_eq!(found(&everywhere(), fields), expected, "{fields:?}");
        }
    }
}

#[test]
fn text_that_no_reader_takes_for_a_token_counts_as_absent() {
    for field in [
        ("authorization", ""),
        ("authorization", "Basic dTpw"),
        (
            "authorization",
            "Negotiate YIIJvwYGKwYBBQUCoIIJszCCCa+gMDAuBgkqhkiC9xIBAgIGCSqGSIb3EgEC",
        ),
        (
            "authorization",
            "NTLM TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAKALpHAAAADw==",
        ),
        (
            "authorization",
            "Digest username=\"bearer\", realm=\"a.b.example.com\", nonce=\"ewx9\", uri=\"/a.b.c\"",
        ),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=fe5f80",
        ),
        (
            "authorization",
            "Signature keyId=\"e1.example.com\",algorithm=\"hs2019\",headers=\"host date\",signature=\"eyJ9x/=\"",
        ),
        (
            "authorization",
            "Hawk id=\"dh37\", ts=\"1353832234\", nonce=\"j4h3g2\", ext=\"a.b.c\", mac=\"6R4=\"",
        ),
        (
            "authorization",
            "SharedAccessSignature sr=a.b.net&sig=x%3d&se=1&skn=n",
        ),
        ("authorization", "Forbearers x"),
        ("authorization", "Basic Bearing"),
        ("authorization", "GNAP eyJhbGciOiJub25lIn0.e30"),
        ("x-scheme", "Bearer a"),
        ("x-scheme", "Tokens a b"),
        ("x_api_token", ""),
        ("xapitoken", "a"),
        ("x-api-tokens", "a"),
        ("x--api-token", "a"),
        ("authorization_", "Bearer a"),
        ("proxy-authorization", "Bearer a"),
        ("cookie", "sessions=a; xsession=a; session=; session"),
        ("cookie", "x=session; y=a,b"),
        (
            ":path",
            "/?access_tokens=a&xaccess_token=a&access_token&access_token=",
        ),
        (":path", "/?accesstoken=a&token=a&access__token=a"),
        (":path", "/?next=%2Fa%3Fb%26access_token%3Dx"),
        (":path", "/access_token=a"),
    ] {
        assert_eq!(found(&everywhere(), &[field]), "-", "{field:?}");
    }
}
