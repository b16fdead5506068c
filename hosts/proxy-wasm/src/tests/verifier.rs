//! Envoy's foreign function `verify_signature`, for P-256.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

/// Checks a signature. `arguments` and the result are protobuf messages.
pub(super) fn verify(arguments: &[u8]) -> Vec<u8> {
    let mut rest = arguments;
    let mut field = |number: u8| {
        assert_eq!(rest[0], number << 3 | 2);
        let (mut size, mut at) = (0, 1);
        loop {
            let byte = usize::from(rest[at]);
            size |= (byte & 0x7f) << (7 * (at - 1));
            at += 1;
            if byte < 0x80 {
                break;
            }
        }
        let field = rest[at..at + size].to_vec();
        rest = &rest[at + size..];
        field
    };
    let [hash, spki, signature, text] = [1, 2, 3, 4].map(&mut field);
    assert_eq!((hash.as_slice(), rest), (&b"sha256"[..], &b""[..]));
    let point = &spki[spki.len() - 65..];
    match UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(&text, &signature) {
        Ok(()) => b"\x08\x01".to_vec(),
        Err(_) => b"\x12\x26Failed to verify digest. Error code: 0".to_vec(),
    }
}
