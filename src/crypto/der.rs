//! Encodes keys and signatures in the DER structures that hosts expect (X.690, RFC 5480,
//! RFC 8017 appendix A.1.1, RFC 8410).

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const NULL: u8 = 0x05;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// 1.2.840.113549.1.1.1
const RSA_ENCRYPTION: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
/// 1.2.840.10045.2.1
const EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
/// 1.3.101.112
const ED25519: &[u8] = &[0x2B, 0x65, 0x70];

/// The `SubjectPublicKeyInfo` of an RSA key, from unsigned big-endian numbers.
pub(super) fn rsa_public_key(modulus: &[u8], exponent: &[u8]) -> Box<[u8]> {
    let key = element(SEQUENCE, &[&unsigned(modulus), &unsigned(exponent)]);
    let algorithm = [
        element(OBJECT_IDENTIFIER, &[RSA_ENCRYPTION]),
        element(NULL, &[]),
    ];
    public_key(&algorithm.concat(), &key)
}

/// The `SubjectPublicKeyInfo` of an elliptic-curve key, from the curve's object
/// identifier and the SEC 1 point.
pub(super) fn ec_public_key(curve: &[u8], point: &[u8]) -> Box<[u8]> {
    let algorithm = [
        element(OBJECT_IDENTIFIER, &[EC_PUBLIC_KEY]),
        element(OBJECT_IDENTIFIER, &[curve]),
    ];
    public_key(&algorithm.concat(), point)
}

/// The `SubjectPublicKeyInfo` of an Ed25519 key (RFC 8410 section 4), from the bytes of
/// RFC 8032.
pub(super) fn ed25519_public_key(bytes: &[u8]) -> Box<[u8]> {
    public_key(&element(OBJECT_IDENTIFIER, &[ED25519]), bytes)
}

/// The `ECDSA-Sig-Value` of a signature that consists of `r` and `s` in equal halves.
pub(super) fn ecdsa_signature(raw: &[u8]) -> Vec<u8> {
    let (r, s) = raw.split_at_checked(raw.len() / 2).unwrap_or((raw, &[]));
    element(SEQUENCE, &[&unsigned(r), &unsigned(s)])
}

fn public_key(algorithm: &[u8], key: &[u8]) -> Box<[u8]> {
    let algorithm = element(SEQUENCE, &[algorithm]);
    // The first byte is the number of unused bits.
    let key = element(BIT_STRING, &[&[0], key]);
    element(SEQUENCE, &[&algorithm, &key]).into_boxed_slice()
}

/// A non-negative INTEGER in its shortest form: without leading zeros, except one if the
/// first bit would otherwise be a sign.
fn unsigned(number: &[u8]) -> Vec<u8> {
    let number = trim(number);
    match number.first() {
        Some(first) if *first < 0x80 => element(INTEGER, &[number]),
        Some(_) | None => element(INTEGER, &[&[0], number]),
    }
}

fn element(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    let length = content
        .iter()
        .fold(0_usize, |sum, part| sum.saturating_add(part.len()));
    let mut element = Vec::with_capacity(length.saturating_add(6));
    element.push(tag);
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => element.push(short),
        Ok(_) | Err(_) => {
            let octets = length.to_be_bytes();
            let octets = trim(&octets);
            element.push(0x80 | u8::try_from(octets.len()).unwrap_or(0x7F));
            element.extend_from_slice(octets);
        }
    }
    for part in content {
        element.extend_from_slice(part);
    }
    element
}

/// An unsigned big-endian number without leading zeros.
pub(super) fn trim(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    number.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_minimal_and_never_negative() {
        let cases: [(&[u8], &[u8]); 7] = [
            (&[], &[2, 1, 0]),
            (&[0], &[2, 1, 0]),
            (&[0, 0, 1], &[2, 1, 1]),
            (&[0x7F], &[2, 1, 0x7F]),
            (&[0x80], &[2, 2, 0, 0x80]),
            (&[0, 0xFF, 0], &[2, 3, 0, 0xFF, 0]),
            (&[1, 0, 0], &[2, 3, 1, 0, 0]),
        ];
        for (number, expected) in cases {
            assert_eq!(unsigned(number), expected, "{number:?}");
        }
    }

    #[test]
    fn lengths_are_short_below_128_and_long_from_there() {
        for (length, head) in [
            (0, vec![4, 0]),
            (127, vec![4, 127]),
            (128, vec![4, 0x81, 128]),
            (255, vec![4, 0x81, 255]),
            (256, vec![4, 0x82, 1, 0]),
            (65_536, vec![4, 0x83, 1, 0, 0]),
        ] {
            let written = element(4, &[&vec![7; length]]);
            assert_eq!(written[..head.len()], head);
            assert_eq!(written.len(), head.len() + length);
        }
    }

    #[test]
    fn a_signature_is_a_sequence_of_two_integers() {
        let mut raw = [0; 64];
        raw[31] = 1;
        raw[32] = 0x80;
        let der = ecdsa_signature(&raw);
        assert_eq!(der[..7], [0x30, 38, 2, 1, 1, 2, 33]);
        assert_eq!(der[7..9], [0, 0x80]);
        assert_eq!(der.len(), 40);
        // The longest signatures need a length in long form.
        assert_eq!(ecdsa_signature(&[1; 132])[..3], [0x30, 0x81, 136]);
    }

    #[test]
    fn keys_have_the_usual_der_headers() {
        let p256 = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
        let key = ec_public_key(&p256, &[4; 65]);
        assert_eq!(
            key[..26],
            [
                0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06,
                0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00
            ]
        );
        let key = rsa_public_key(&[0xFF; 256], &[1, 0, 1]);
        assert_eq!(
            key[..24],
            [
                0x30, 0x82, 0x01, 0x22, 0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D,
                0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0F, 0x00
            ]
        );
        assert_eq!(key[key.len() - 5..], [2, 3, 1, 0, 1]);
        // RFC 8410 section 10.1 has this one.
        let key = ed25519_public_key(&[7; 32]);
        let head = [
            0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00,
        ];
        assert_eq!(*key, [&head[..], &[7; 32]].concat());
    }
}
