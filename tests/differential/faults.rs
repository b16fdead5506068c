//! What can be wrong, or unusual, with a token and its key set.

/// A fault, or an unusual form that some readers refuse. Each has the name that the table of
/// `tests/differential.md` uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) change: Change,
}

/// What a fault changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    /// Sets a member of the header to this JSON.
    Header(&'static str, &'static str),
    /// Removes a member of the header.
    NoHeader(&'static str),
    /// Sets a claim to this JSON. `{now+N}` is replaced by a time.
    Claim(&'static str, &'static str),
    /// Removes a claim.
    NoClaim(&'static str),
    /// Removes a claim and sets another one.
    Instead(&'static str, &'static str, &'static str),
    /// Adds a second member of the same name to the claims.
    ClaimTwice(&'static str, &'static str),
    /// Adds a second member of the same name to the header.
    HeaderTwice(&'static str, &'static str),
    /// Puts text before and after the claims.
    AroundClaims(&'static [u8], &'static [u8]),
    /// Puts text before and after the header.
    AroundHeader(&'static [u8], &'static [u8]),
    /// Changes the token after it was signed.
    Text(Text),
    /// Sets a member of the signing key to this JSON.
    Key(&'static str, &'static str),
    /// Removes a member of the signing key.
    NoKey(&'static str),
    /// Changes the set around the signing key.
    Set(Set),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Text {
    /// Flips a bit of the signature.
    OtherSignature,
    /// Flips a bit of the claims.
    OtherClaims,
    /// Signs with a key that is not in the set.
    OtherKey,
    /// Has no signature.
    NoSignature,
    /// Has `none` as its algorithm, and no signature.
    None,
    /// The secret of an HMAC is the text of the public key.
    PublicKeyAsSecret,
    /// Ends the signature with a byte less.
    Shorter,
    /// Ends the signature with a further byte.
    Longer,
    /// Pads the parts with `=`.
    Padded,
    /// Changes the unused bits of the signature's last character.
    LooseBits,
    /// Uses `+` and `/`.
    OtherAlphabet,
    /// Has a blank at the end.
    BlankAtEnd,
    /// Has a line end inside of the claims.
    LineEnd,
    /// Has four parts.
    FourParts,
    /// Has two parts.
    TwoParts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Set {
    /// A further key of a kind that nobody knows comes first.
    UnknownKind,
    /// A further key that is not usable comes first.
    Broken,
    /// A key for encryption has the same `kid`, and comes first.
    EncryptionFirst,
    /// Another key of the same kind has the same `kid`, and comes first.
    SameKidFirst,
    /// A key of another kind has the same `kid`, and comes first.
    SameKidOtherKind,
    /// The signing key is not in the set.
    Absent,
}

macro_rules! faults {
    ($($name:literal: $change:expr,)*) => {
        /// All faults.
        pub(crate) const ALL: &[Fault] = &[$(Fault { name: $name, change: $change }),*];
    };
}

use Change::*;
faults! {
    "`alg` in lower case": Header("alg", "\"es256\""),
    "`alg` is absent": NoHeader("alg"),
    "`alg` of another kind of key": Header("alg", "\"{other}\""),
    "`alg` is `none`, no signature": Text(Text::None),
    "HMAC with the public key as secret": Text(Text::PublicKeyAsSecret),
    "`kid` is absent, one key": NoHeader("kid"),
    "`kid` of no key": Header("kid", "\"nobody\""),
    "`kid` is a number": Header("kid", "7"),
    "`kid` is `null`": Header("kid", "null"),
    "`typ` is `JOSE`": Header("typ", "\"JOSE\""),
    "`typ` is `dpop+jwt`": Header("typ", "\"dpop+jwt\""),
    "`typ` is `at+jwt`": Header("typ", "\"at+jwt\""),
    "`typ` is `application/at+jwt`": Header("typ", "\"application/at+jwt\""),
    "`typ` is `jwt`": Header("typ", "\"jwt\""),
    "`typ` is a number": Header("typ", "1"),
    "`typ` is absent": NoHeader("typ"),
    "`crit` names an unknown member": Header("crit", "[\"exp\"],\"exp\":1"),
    "`crit` is empty": Header("crit", "[]"),
    "`b64` is `false`": Header("b64", "false"),
    "`b64` is `false` and critical": Header("b64", "false,\"crit\":[\"b64\"]"),
    "`enc` in a signed token": Header("enc", "\"A256GCM\""),
    "`zip`": Header("zip", "\"DEF\""),
    "`cty` is `JWT`": Header("cty", "\"JWT\""),
    "a key in the header": Header("jwk", "{\"kty\":\"oct\",\"k\":\"AAAA\"}"),
    "an unknown member of the header": Header("x", "{\"a\":[1]}"),
    "`alg` twice": HeaderTwice("alg", "\"none\""),
    "`kid` twice": HeaderTwice("kid", "\"nobody\""),
    "blanks around the header": AroundHeader(b" \n", b"\t"),
    "text after the header": AroundHeader(b"", b"x"),
    "a byte order mark before the header": AroundHeader(b"\xef\xbb\xbf", b""),
    "another issuer": Claim("iss", "\"https://other.example\""),
    "`iss` with a slash more": Claim("iss", "\"https://issuer.example/\""),
    "`iss` is absent": NoClaim("iss"),
    "`iss` is a list": Claim("iss", "[\"https://issuer.example\"]"),
    "`iss` twice, the second is ours": ClaimTwice("iss", "\"https://other.example\""),
    "another audience": Claim("aud", "\"other\""),
    "`aud` is a list with ours": Claim("aud", "[\"other\",\"api\"]"),
    "`aud` is an empty list": Claim("aud", "[]"),
    "`aud` is a list with a number": Claim("aud", "[\"api\",1]"),
    "`aud` is an object": Claim("aud", "{\"api\":1}"),
    "`aud` is a longer text": Claim("aud", "\"apis\""),
    "`aud` is absent": NoClaim("aud"),
    "`aud` is absent, and `client_id` is ours": Instead("aud", "client_id", "\"api\""),
    "expired": Claim("exp", "{now-86400}"),
    "`exp` is absent": NoClaim("exp"),
    "`exp` is `null`": Claim("exp", "null"),
    "`exp` is text": Claim("exp", "\"{now+86400}\""),
    "`exp` has a fraction": Claim("exp", "{now+86400}.5"),
    "`exp` is written with an exponent": Claim("exp", "4.1e9"),
    "`exp` is 2^63": Claim("exp", "9223372036854775808"),
    "`exp` is 1e400": Claim("exp", "1e400"),
    "`exp` is negative": Claim("exp", "-1"),
    "`exp` is `true`": Claim("exp", "true"),
    "`exp` twice, the first is past": ClaimTwice("exp", "{now-86400}"),
    "`nbf` in the future": Claim("nbf", "{now+86400}"),
    "`nbf` in the past": Claim("nbf", "{now-86400}"),
    "`nbf` is text": Claim("nbf", "\"{now-86400}\""),
    "`nbf` is `null`": Claim("nbf", "null"),
    "`nbf` is 1e400": Claim("nbf", "1e400"),
    "`nbf` is negative": Claim("nbf", "-1"),
    "`nbf` has a fraction": Claim("nbf", "{now-86400}.5"),
    "`iat` in the future": Claim("iat", "{now+86400}"),
    "`iat` in the past": Claim("iat", "{now-86400}"),
    "`iat` is text": Claim("iat", "\"{now-86400}\""),
    "`iat` is `null`": Claim("iat", "null"),
    "`sub` is a number": Claim("sub", "7"),
    "`sub` is `null`": Claim("sub", "null"),
    "`sub` is absent": NoClaim("sub"),
    "`jti` is a number": Claim("jti", "7"),
    "`jti` is text": Claim("jti", "\"a\""),
    "bound to a key": Claim("cnf", "{\"jkt\":\"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs\"}"),
    "an unknown claim twice": ClaimTwice("x", "1"),
    "a large number in an unknown claim": Claim("x", "1e400"),
    "claims 40 levels deep": Claim("x", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"),
    "an unpaired surrogate in an unknown claim": Claim("x", "\"\\ud800\""),
    "`NaN` in an unknown claim": Claim("x", "NaN"),
    "a control character in an unknown claim": Claim("x", "\"\u{1}\""),
    "octets that are not UTF-8 in an unknown claim": AroundClaims(b"{\"x\":\"\xff\",", b"skip"),
    "blanks around the claims": AroundClaims(b" \n", b"\t"),
    "text after the claims": AroundClaims(b"", b"x"),
    "a comma after the last claim": AroundClaims(b"comma", b""),
    "a byte order mark before the claims": AroundClaims(b"\xef\xbb\xbf", b""),
    "claims in a list": AroundClaims(b"[", b"]"),
    "a bit of the signature changed": Text(Text::OtherSignature),
    "a bit of the claims changed": Text(Text::OtherClaims),
    "signed with another key": Text(Text::OtherKey),
    "no signature": Text(Text::NoSignature),
    "a shorter signature": Text(Text::Shorter),
    "a longer signature": Text(Text::Longer),
    "base64 with padding": Text(Text::Padded),
    "base64 with loose bits": Text(Text::LooseBits),
    "base64 in the other alphabet": Text(Text::OtherAlphabet),
    "a blank after the token": Text(Text::BlankAtEnd),
    "a line end inside of the token": Text(Text::LineEnd),
    "four parts": Text(Text::FourParts),
    "two parts": Text(Text::TwoParts),
    "the key has no `alg`": NoKey("alg"),
    "the key has no `use`": NoKey("use"),
    "the key has no `kid`": NoKey("kid"),
    "the key is for encryption": Key("use", "\"enc\""),
    "the key's operations are `verify`": Key("key_ops", "[\"verify\"]"),
    "the key's operations are `sign`": Key("key_ops", "[\"sign\"]"),
    "the key's `alg` is another one": Key("alg", "\"{other}\""),
    "the key's `alg` is unknown": Key("alg", "\"XS256\""),
    "the key has an unknown member": Key("x-owner", "{\"a\":[1]}"),
    "the key's `kid` is a number": Key("kid", "7"),
    "the key has an empty certificate chain": Key("x5c", "[]"),
    "the set begins with a key of an unknown kind": Set(Set::UnknownKind),
    "the set begins with a broken key": Set(Set::Broken),
    "a key for encryption has the same `kid`": Set(Set::EncryptionFirst),
    "another key has the same `kid`": Set(Set::SameKidFirst),
    "a key of another kind has the same `kid`": Set(Set::SameKidOtherKind),
    "the key is not in the set": Set(Set::Absent),
}
