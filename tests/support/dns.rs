//! A name server that resolves every name to this machine, with IPv4 and IPv6 addresses.

use std::io;
use std::net::{Ipv6Addr, SocketAddr, UdpSocket};
use std::thread;

/// A running name server. It ends with the test's process.
pub(crate) struct NameServer {
    address: SocketAddr,
}

/// Types of records (RFC 1035 section 3.2.2, RFC 3596 section 2.1).
const A: u16 = 1;
const AAAA: u16 = 28;

impl NameServer {
    /// Listens on a free loopback port.
    pub(crate) fn start() -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("a port");
        let address = socket.local_addr().expect("an address");
        thread::spawn(move || {
            let mut query = [0; 512];
            loop {
                let (length, from) = socket.recv_from(&mut query).expect("a query");
                if let Some(answer) = answer(&query[..length]) {
                    sent(socket.send_to(&answer, from));
                }
            }
        });
        Self { address }
    }

    /// Its UDP address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

fn sent(result: io::Result<usize>) {
    if let Err(error) = result {
        eprintln!("the name server: {error}");
    }
}

/// The answer to a query with one question (RFC 1035 section 4).
fn answer(query: &[u8]) -> Option<Vec<u8>> {
    const HEADER: usize = 12;
    let name = query.get(HEADER..)?.iter().position(|octet| *octet == 0)? + 1;
    let end = HEADER + name + 4;
    let question = query.get(HEADER..end)?;
    let kind = u16::from_be_bytes([question[name], question[name + 1]]);
    let data: &[u8] = match kind {
        A => &[127, 0, 0, 1],
        AAAA => &Ipv6Addr::LOCALHOST.octets(),
        _ => &[],
    };
    let answers = u16::from(!data.is_empty());
    // The id; a response without an error; one question.
    let mut answer = [&query[..2], &[0x81, 0x80, 0, 1]].concat();
    answer.extend(answers.to_be_bytes());
    answer.extend([0; 4]);
    answer.extend(question);
    if !data.is_empty() {
        // The name of the question, an hour.
        answer.extend([0xc0, 12]);
        answer.extend(kind.to_be_bytes());
        answer.extend([0, 1, 0, 0, 0x0e, 0x10]);
        answer.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
        answer.extend(data);
    }
    Some(answer)
}
