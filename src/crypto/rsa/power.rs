//! The RSA verification primitive (RFC 8017 section 5.2.2).

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, MontyForm, MontyMultiplier};

/// Raises numbers to a public exponent modulo a public modulus.
///
/// Exponent, modulus and base are public, so the operations need not take constant time.
/// General exponentiation in libraries processes windows of the exponent and first builds
/// a table of sixteen powers. For an exponent such as 65537 the table takes half of the
/// time.
pub(super) struct PublicPower {
    modulus: BoxedMontyParams,
    /// The size of the modulus, in bytes.
    length: usize,
    exponent: u32,
}

impl PublicPower {
    /// Takes an odd modulus, big-endian without leading zeros, and an exponent that is
    /// not zero. Everything that depends only on these is computed here.
    pub(super) fn new(modulus: &[u8], exponent: u32) -> Option<Self> {
        let number = BoxedUint::from_be_slice_vartime(modulus)
            .into_odd()
            .into_option()?;
        Some(Self {
            modulus: BoxedMontyParams::new_vartime(number),
            length: modulus.len(),
            exponent,
        })
    }

    /// Raises a number that is less than the modulus. Number and result are big-endian
    /// and as long as the modulus.
    pub(super) fn raise(&self, number: &[u8]) -> Option<Box<[u8]>> {
        let precision = self.modulus.bits_precision();
        let number = BoxedUint::from_be_slice(number, precision).ok()?;
        let number = BoxedMontyForm::new(number, &self.modulus);
        let mut power = number.clone();
        let mut multiplier = <BoxedMontyForm as MontyForm>::Multiplier::from(&self.modulus);
        // The highest bit is the number itself, so the loop begins with the next bit.
        for bit in (0..self.exponent.checked_ilog2()?).rev() {
            multiplier.square_assign(&mut power);
            if self.exponent.wrapping_shr(bit) % 2 == 1 {
                multiplier.mul_assign(&mut power, &number);
            }
        }
        // The result has the length of the words that hold the modulus.
        let octets = power.retrieve().to_be_bytes();
        let unused = octets.len().checked_sub(self.length)?;
        octets.get(unused..).map(Box::from)
    }
}

#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows has failed"
)]
mod tests {
    use super::*;

    /// Multiplies as often as the exponent says.
    fn slowly(base: u128, exponent: u32, modulus: u128) -> u128 {
        (0..exponent).fold(1, |power, _| power * base % modulus)
    }

    #[test]
    fn small_powers_equal_repeated_multiplication() {
        // Moduli with each number of words, and with unused bits in the highest word.
        for modulus in [
            3_u128,
            255,
            257,
            0xFFFF_FFFF,
            0x1_0000_0001,
            0xFFFF_FFFF_FFFF_FFFF,
        ] {
            let octets = modulus.to_be_bytes();
            let start = octets.iter().position(|octet| *octet != 0).unwrap();
            for exponent in [1, 2, 3, 4, 5, 17, 255, 256, 65_537] {
                let power = PublicPower::new(&octets[start..], exponent).unwrap();
                for base in [0, 1, 2, modulus / 2, modulus - 2, modulus - 1] {
                    let raised = power.raise(&base.to_be_bytes()[start..]).unwrap();
                    let expected = slowly(base, exponent, modulus).to_be_bytes();
                    assert_eq!(
                        *raised,
                        expected[start..],
                        "{base}^{exponent} mod {modulus}"
                    );
                }
            }
        }
    }

    #[test]
    fn invalid_input_has_no_power() {
        assert!(PublicPower::new(&[], 3).is_none());
        assert!(PublicPower::new(&[0xFE; 256], 3).is_none());
        let power = PublicPower::new(&[0xFF; 256], 0).unwrap();
        assert!(power.raise(&[1; 256]).is_none());
        let power = PublicPower::new(&[0xFF; 256], 3).unwrap();
        assert!(power.raise(&[1; 257]).is_none());
    }
}
