//! The changes that attackers make to signatures.

use super::Problem;

/// The order of P-256, big-endian (SEC 2, section 2.4.2).
const ORDER_P256: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
/// The order of edwards25519, little-endian (RFC 8032 section 5.1).
const ORDER_ED25519: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

/// Changes a signature: `flip 5` (a bit), `cut 1` and `append 00` (bytes), `prepend 00`,
/// `bytes 00ff`, `zeros 64`, `swapped` (its halves), `der` (the usual form of ECDSA
/// signatures outside of JWS), `complement` (s → n − s of P-256) and `plus order` (S → S
/// + L of Ed25519).
pub(super) fn altered(signature: Vec<u8>, how: &str) -> Result<Vec<u8>, Problem> {
    let (verb, argument) = how.split_once(' ').unwrap_or((how, ""));
    let wrong = || Problem::invalid(how, "a change of a signature");
    let number = || argument.parse::<usize>().map_err(|_| wrong());
    Ok(match verb {
        "flip" => {
            let bit = number()?;
            let mut signature = signature;
            let byte = signature.get_mut(bit >> 3).ok_or_else(wrong)?;
            *byte ^= 0x80 >> (bit & 7);
            signature
        }
        "cut" => {
            let kept = signature.len().saturating_sub(number()?);
            signature.into_iter().take(kept).collect()
        }
        "append" => [signature, hex(argument)?].concat(),
        "prepend" => [hex(argument)?, signature].concat(),
        "bytes" => hex(argument)?,
        "zeros" => vec![0; number()?],
        "swapped" => {
            let (r, s) = halves(&signature);
            [s, r].concat()
        }
        "der" => {
            let (r, s) = halves(&signature);
            let body = [integer(r)?, integer(s)?].concat();
            [vec![0x30, length(&body)?], body].concat()
        }
        "complement" => {
            let (r, s) = halves(&signature);
            let mut order = hex(ORDER_P256)?;
            order.reverse();
            let mut s = s.to_vec();
            s.reverse();
            let mut s = difference(&order, &s);
            s.reverse();
            [r, &s].concat()
        }
        "plus" if argument == "order" => {
            let (r, s) = halves(&signature);
            [r, &sum(s, &hex(ORDER_ED25519)?)].concat()
        }
        _ => return Err(wrong()),
    })
}

fn hex(digits: &str) -> Result<Vec<u8>, Problem> {
    let octets = digits.as_bytes().chunks(2).map(|pair| {
        let pair = String::from_utf8_lossy(pair);
        u8::from_str_radix(&pair, 16).map_err(|_| Problem::invalid(digits, "hexadecimal octets"))
    });
    octets.collect()
}

fn halves(signature: &[u8]) -> (&[u8], &[u8]) {
    signature
        .split_at_checked(signature.len() >> 1)
        .unwrap_or_default()
}

/// A DER INTEGER, without needless zeros.
fn integer(number: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut number: Vec<u8> = number
        .iter()
        .copied()
        .skip_while(|byte| *byte == 0)
        .collect();
    if number.first().is_none_or(|byte| *byte >= 0x80) {
        number.insert(0, 0);
    }
    Ok([vec![2, length(&number)?], number].concat())
}

fn length(bytes: &[u8]) -> Result<u8, Problem> {
    let short = u8::try_from(bytes.len())
        .ok()
        .filter(|length| *length < 0x80);
    short.ok_or(Problem::Key("the signature is too long for `der`"))
}

/// Little-endian `a - b`.
fn difference(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut borrow = false;
    let subtract = |(a, b): (&u8, &u8)| {
        let (low, first) = a.overflowing_sub(*b);
        let (low, second) = low.overflowing_sub(borrow.into());
        borrow = first || second;
        low
    };
    a.iter().zip(b).map(subtract).collect()
}

/// Little-endian `a + b`, as long as `a`.
fn sum(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = false;
    let add = |(a, b): (&u8, &u8)| {
        let (low, first) = a.overflowing_add(*b);
        let (low, second) = low.overflowing_add(carry.into());
        carry = first || second;
        low
    };
    a.iter().zip(b).map(add).collect()
}

#[cfg(test)]
mod tests {
    use super::super::text::plain;
    use super::*;

    fn octets(text: &str) -> Vec<u8> {
        plain(text).unwrap()
    }

    #[test]
    fn a_signature_is_changed_as_described() {
        let given = octets(r"\x01\x02\x83\x04");
        for (how, expected) in [
            ("flip 0", r"\x81\x02\x83\x04"),
            ("flip 31", r"\x01\x02\x83\x05"),
            ("cut 1", r"\x01\x02\x83"),
            ("append 00ff", r"\x01\x02\x83\x04\x00\xff"),
            ("prepend 00", r"\x00\x01\x02\x83\x04"),
            ("bytes ", ""),
            ("zeros 2", r"\x00\x00"),
            ("swapped", r"\x83\x04\x01\x02"),
            ("der", r"\x30\x09\x02\x02\x01\x02\x02\x03\x00\x83\x04"),
        ] {
            assert_eq!(altered(given.clone(), how), Ok(octets(expected)), "{how}");
        }
        assert!(altered(given.clone(), "flip 32").is_err());
        assert!(altered(given, "bend").is_err());
    }

    #[test]
    fn numbers_are_carried_over_bytes() {
        assert_eq!(difference(&[0, 1], &[1, 0]), [255, 0]);
        assert_eq!(sum(&[255, 0], &[1, 0]), [0, 1]);
    }
}
