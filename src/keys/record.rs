//! The shared record of a key source.

use crate::time::UnixTime;

/// The state of one key source, which all workers share.
///
/// It is small, so workers can read it often. The key set itself is stored separately,
/// marked with [`Content::version`]. A record that cannot be decoded counts as
/// [`Record::default`]: nothing is known, and no fetch is in progress.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The last valid key set.
    pub content: Option<Content>,
    /// The last failure, with the number of consecutive failures.
    pub failure: Option<Failure>,
    /// The start times of the last two early refreshes, the older one first.
    pub early: [Option<UnixTime>; 2],
    /// The start time of the last early refresh for which no request waited.
    pub background: Option<UnixTime>,
    /// The lease of the worker that fetches now.
    pub lease: Option<Lease>,
    /// The location of the key set according to the issuer's metadata.
    pub discovered: Option<Discovered>,
}

/// The last valid key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// Identifies the set. No two fetched sets have the same version.
    pub version: u64,
    /// When its fetch began. The set decides about a `kid` that was needed before this
    /// time.
    pub started_at: UnixTime,
    /// The issuer published the set at this time or later. It is the start of the fetch,
    /// unless an HTTP cache served the set with an `Age`.
    pub as_of: UnixTime,
    /// When the set arrived. Its age counts from this time.
    pub fetched_at: UnixTime,
    /// The `max-age` of the answer, in seconds.
    pub max_age: Option<u32>,
    /// The jitter of the next scheduled fetch within the refresh period.
    pub jitter: Jitter,
}

/// The last failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// When it happened.
    pub at: UnixTime,
    /// The number of consecutive failures.
    pub count: u32,
    /// The jitter of the next attempt within the back-off.
    pub jitter: Jitter,
}

/// The right of one worker to fetch, until a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The worker that holds it.
    pub holder: u64,
    /// When the lease was taken, or last extended.
    pub from: UnixTime,
    /// When the lease expires, in case its holder has ended.
    pub until: UnixTime,
    /// Whether the fetch is an early refresh.
    pub early: bool,
}

/// The location of the key set according to the issuer's metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovered {
    /// When the metadata were read.
    pub at: UnixTime,
    /// The `jwks_uri`. It is checked again before each use.
    pub key_set_uri: Box<str>,
}

/// A fraction between 0 and 1, in units of 1/255.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Jitter(pub u8);

/// The first byte of a record. Another format uses another name in the shared data, but
/// data that another program writes under this name must not be misread.
const FORMAT: u8 = 2;

impl Record {
    /// Encodes the record.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer(vec![FORMAT]);
        out.option(self.content, |out, content| {
            out.number(content.version);
            out.time(content.started_at);
            out.time(content.as_of);
            out.time(content.fetched_at);
            out.option(content.max_age, |out, max_age| {
                out.number(u64::from(max_age));
            });
            out.byte(content.jitter.0);
        });
        out.option(self.failure, |out, failure| {
            out.time(failure.at);
            out.number(u64::from(failure.count));
            out.byte(failure.jitter.0);
        });
        for early in self.early {
            out.option(early, Writer::time);
        }
        out.option(self.background, Writer::time);
        out.option(self.lease, |out, lease| {
            out.number(lease.holder);
            out.time(lease.from);
            out.time(lease.until);
            out.byte(u8::from(lease.early));
        });
        out.option(self.discovered.as_ref(), |out, discovered| {
            out.time(discovered.at);
            out.0.extend_from_slice(discovered.key_set_uri.as_bytes());
        });
        out.0
    }

    /// Decodes a record. Returns `None` unless the bytes are exactly one record.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Reader(bytes);
        if bytes.byte()? != FORMAT {
            return None;
        }
        let record = Self {
            content: bytes.option(|bytes| {
                Some(Content {
                    version: bytes.number()?,
                    started_at: bytes.time()?,
                    as_of: bytes.time()?,
                    fetched_at: bytes.time()?,
                    max_age: bytes.option(|bytes| u32::try_from(bytes.number()?).ok())?,
                    jitter: Jitter(bytes.byte()?),
                })
            })?,
            failure: bytes.option(|bytes| {
                Some(Failure {
                    at: bytes.time()?,
                    count: u32::try_from(bytes.number()?).ok()?,
                    jitter: Jitter(bytes.byte()?),
                })
            })?,
            early: [bytes.option(Reader::time)?, bytes.option(Reader::time)?],
            background: bytes.option(Reader::time)?,
            lease: bytes.option(|bytes| {
                Some(Lease {
                    holder: bytes.number()?,
                    from: bytes.time()?,
                    until: bytes.time()?,
                    early: bytes.flag()?,
                })
            })?,
            discovered: bytes.option(|bytes| {
                let at = bytes.time()?;
                let key_set_uri = std::str::from_utf8(bytes.rest()).ok()?.into();
                Some(Discovered { at, key_set_uri })
            })?,
        };
        bytes.0.is_empty().then_some(record)
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn time(&mut self, time: UnixTime) {
        self.0.extend_from_slice(&time.as_nanos().to_le_bytes());
    }

    fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn time(&mut self) -> Option<UnixTime> {
        self.take()
            .map(|bytes| UnixTime::from_nanos(i128::from_le_bytes(bytes)))
    }

    /// Reads an optional value. The outer option is `None` if the bytes are invalid.
    #[expect(
        clippy::option_option,
        reason = "the two levels have different meanings"
    )]
    fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.flag()? {
            read(self).map(Some)
        } else {
            Some(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Record {
        Record {
            content: Some(Content {
                version: 7,
                started_at: UnixTime::from_secs(1),
                as_of: UnixTime::from_secs(0),
                fetched_at: UnixTime::from_secs(2),
                max_age: Some(300),
                jitter: Jitter(9),
            }),
            failure: Some(Failure {
                at: UnixTime::from_secs(3),
                count: 4,
                jitter: Jitter(1),
            }),
            early: [None, Some(UnixTime::from_secs(5))],
            background: Some(UnixTime::from_secs(4)),
            lease: Some(Lease {
                holder: 6,
                from: UnixTime::from_secs(6),
                until: UnixTime::from_secs(8),
                early: true,
            }),
            discovered: Some(Discovered {
                at: UnixTime::from_secs(9),
                key_set_uri: "https://issuer.example/keys".into(),
            }),
        }
    }

    #[test]
    fn a_record_survives_encoding_and_decoding() {
        for record in [Record::default(), full()] {
            assert_eq!(Record::decode(&record.encode()), Some(record));
        }
    }

    #[test]
    fn bytes_that_are_not_a_record_are_refused() {
        let bytes = full().encode();
        let uri = "https://issuer.example/keys".len();
        for end in 0..bytes.len() - uri {
            assert_eq!(Record::decode(&bytes[..end]), None, "{end}");
        }
        let mut longer = Record::default().encode();
        longer.push(0);
        assert_eq!(Record::decode(&longer), None);
        assert_eq!(Record::decode(b"garbage of another plugin"), None);
    }

    #[test]
    fn a_flag_has_one_encoding() {
        let record = Record {
            discovered: None,
            ..full()
        };
        let mut bytes = record.encode();
        // After the flag of the lease, only the flag of the discovery is left.
        let flag = bytes.len() - 2;
        assert!(Record::decode(&bytes).is_some());
        bytes[flag] = 2;
        assert_eq!(Record::decode(&bytes), None);
    }
}
