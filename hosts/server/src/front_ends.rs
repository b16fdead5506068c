//! The front ends of the server, each with its address.

use std::net::SocketAddr;
use std::rc::Rc;

use crate::connections::{Accepted, Connection};
use crate::ext_authz::ExtAuthz;
use crate::ext_authz_http::ExtAuthzHttp;
use crate::forward_auth::ForwardAuth;

/// A front end.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Forward authentication over HTTP.
    ForwardAuth(ForwardAuth),
    /// Envoy's external authorization over gRPC.
    ExtAuthz(ExtAuthz),
    /// Envoy's external authorization over HTTP.
    ExtAuthzHttp,
}

/// The front ends of the server.
#[derive(Clone, Debug)]
pub struct FrontEnds(Vec<(SocketAddr, Kind)>);

impl FrontEnds {
    /// Serves each front end at its address.
    #[must_use]
    pub const fn new(all: Vec<(SocketAddr, Kind)>) -> Self {
        Self(all)
    }

    /// The addresses. Their positions are the indexes of the front ends.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.0.iter().map(|(address, _)| *address)
    }

    /// The front ends for one thread.
    #[must_use]
    pub fn in_thread(&self) -> InThread {
        let kinds = self.0.iter().map(|(_, kind)| match kind {
            Kind::ForwardAuth(front_end) => KindInThread::ForwardAuth(Rc::new(front_end.clone())),
            Kind::ExtAuthz(front_end) => KindInThread::ExtAuthz(Rc::new(front_end.clone())),
            Kind::ExtAuthzHttp => KindInThread::ExtAuthzHttp(Rc::new(ExtAuthzHttp)),
        });
        InThread(kinds.collect())
    }
}

/// The front ends in one thread.
pub struct InThread(Vec<KindInThread>);

enum KindInThread {
    ForwardAuth(Rc<ForwardAuth>),
    ExtAuthz(Rc<ExtAuthz>),
    ExtAuthzHttp(Rc<ExtAuthzHttp>),
}

impl InThread {
    /// Serves a connection. If it belongs to no front end, it is closed.
    pub fn serve(&self, accepted: Accepted, connection: Connection) {
        match self.0.get(accepted.front_end) {
            Some(KindInThread::ForwardAuth(front_end)) => connection.serve(accepted, front_end),
            Some(KindInThread::ExtAuthz(front_end)) => connection.serve(accepted, front_end),
            Some(KindInThread::ExtAuthzHttp(front_end)) => connection.serve(accepted, front_end),
            None => {}
        }
    }
}
