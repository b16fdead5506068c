//! What an answer to a fetch is worth, judged before its body is copied.

use crate::telemetry::FetchFailure;

/// The most bytes of a key set, and of an issuer's metadata.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// How a request to an issuer ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// The proxy refused to send it.
    NotSent,
    /// It was sent, and no whole answer came.
    #[default]
    NoAnswer,
    /// An answer of this status came.
    Status(u16),
}

/// The head of an answer, as the proxy hands it over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerHead {
    /// How the request ended; the rest is for an answer that came.
    pub ending: Ending,
    /// Whether the content is encoded (RFC 9110 §8.4).
    pub encoded: bool,
    /// The values of `Cache-Control`, joined with commas.
    pub cache_control: Vec<u8>,
    /// The value of `Age`.
    pub age: Vec<u8>,
    /// The size of the body in bytes.
    pub body_size: usize,
}

impl AnswerHead {
    /// Judges the head.
    ///
    /// # Errors
    ///
    /// Anything but a 200 with a body of bearable size. Redirects are not
    /// followed: where keys are is the configuration's matter.
    pub fn judge(&self) -> Result<(), FetchFailure> {
        match self.ending {
            Ending::NotSent => Err(FetchFailure::NotSent),
            Ending::NoAnswer => Err(FetchFailure::NoAnswer),
            Ending::Status(200) if self.encoded => Err(FetchFailure::Encoded),
            Ending::Status(200) if self.body_size > MAX_BODY_BYTES => {
                Err(FetchFailure::TooLarge(MAX_BODY_BYTES))
            }
            Ending::Status(200) => Ok(()),
            Ending::Status(status) => Err(FetchFailure::Status(status)),
        }
    }

    /// For how many seconds the answer is fresh (RFC 9111 §4.2.1), less the
    /// age it had already; absent where it does not say. An answer that must
    /// not be stored is fresh for no time at all.
    #[must_use]
    pub fn max_age(&self) -> Option<u32> {
        let text = String::from_utf8_lossy(&self.cache_control).to_ascii_lowercase();
        let mut max_age = None;
        for directive in text.split(',').map(str::trim) {
            if matches!(directive, "no-store" | "no-cache") {
                return Some(0);
            }
            if let Some(value) = directive.strip_prefix("max-age=") {
                max_age = max_age.or_else(|| seconds(value.trim_matches('"')));
            }
        }
        let age = std::str::from_utf8(&self.age)
            .ok()
            .and_then(|age| seconds(age.trim()));
        max_age.map(|secs| secs.saturating_sub(age.unwrap_or(0)))
    }
}

/// Delta-seconds (RFC 9111 §1.2.2): what is too large counts as the largest.
fn seconds(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16) -> AnswerHead {
        AnswerHead {
            ending: Ending::Status(status),
            body_size: 10,
            ..AnswerHead::default()
        }
    }

    #[test]
    fn only_a_200_counts() {
        assert_eq!(head(200).judge(), Ok(()));
        for status in [201, 204, 206, 301, 302, 304, 403, 404, 500, 503] {
            assert_eq!(head(status).judge(), Err(FetchFailure::Status(status)));
        }
        assert_eq!(AnswerHead::default().judge(), Err(FetchFailure::NoAnswer));
        let not_sent = AnswerHead {
            ending: Ending::NotSent,
            ..AnswerHead::default()
        };
        assert_eq!(not_sent.judge(), Err(FetchFailure::NotSent));
    }

    #[test]
    fn a_large_or_encoded_body_is_refused_unread() {
        let large = AnswerHead {
            body_size: MAX_BODY_BYTES + 1,
            ..head(200)
        };
        assert_eq!(large.judge(), Err(FetchFailure::TooLarge(MAX_BODY_BYTES)));
        let encoded = AnswerHead {
            encoded: true,
            ..head(200)
        };
        assert_eq!(encoded.judge(), Err(FetchFailure::Encoded));
    }

    #[test]
    fn max_age_is_read_as_caches_read_it() {
        for (cache_control, age, expected) in [
            ("", "", None),
            ("public, max-age=300", "", Some(300)),
            ("Max-Age=300", "100", Some(200)),
            ("max-age=300", "400", Some(0)),
            ("max-age=\"300\"", "", Some(300)),
            ("max-age=99999999999999", "", Some(u32::MAX)),
            ("max-age=-1", "", None),
            ("max-age=+1", "", None),
            ("no-store, max-age=300", "", Some(0)),
            ("s-maxage=10", "", None),
            ("\u{fffd}", "x", None),
        ] {
            let head = AnswerHead {
                cache_control: cache_control.into(),
                age: age.into(),
                ..AnswerHead::default()
            };
            assert_eq!(head.max_age(), expected, "{cache_control}");
        }
    }
}
