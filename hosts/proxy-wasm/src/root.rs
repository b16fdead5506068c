//! The root context: one configuration of one listener, in one worker.

use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;
use sha2::{Digest, Sha256};

use super::deny::Deny;
use super::document;
use super::host::{self, Buffer};
use super::listener::Listener;
use super::request::Request;
use super::room::Room;
use super::ticks::Ticks;
use edge_authz::config;
use edge_authz::telemetry::Level;

/// The root context.
#[derive(Debug)]
pub(super) struct Root {
    id: u32,
    /// Absent: everything is refused.
    in_force: Option<InForce>,
    /// Superseded listeners in which requests still wait to be answered: one
    /// callback does not answer all.
    leaving: Vec<Rc<Listener>>,
    ticks: Rc<Ticks>,
}

/// The ticks where everything is refused.
const IDLE_TICK: Duration = Duration::from_millis(500);

#[derive(Debug)]
struct InForce {
    /// The SHA-256 of the configuration's text.
    digest: [u8; 32],
    listener: Rc<Listener>,
}

impl Root {
    pub(super) fn new(id: u32) -> Self {
        Self {
            id,
            in_force: None,
            leaving: Vec::new(),
            ticks: Rc::default(),
        }
    }

    /// Puts what a configuration says in force, or refuses everything.
    fn enforce(&mut self, in_force: Option<InForce>) {
        let former = std::mem::replace(&mut self.in_force, in_force);
        if let Some(InForce { listener, .. }) = former {
            self.leaving.push(listener);
            self.let_leave(&Room::new());
        }
    }

    /// Answers those that wait in superseded configurations, as many as there is
    /// room for. Without further ticks the others stay where they are.
    fn let_leave(&mut self, room: &Room) {
        self.leaving.retain(|listener| listener.leave(room));
        self.ticks.hurry(!self.leaving.is_empty());
    }
}

impl Drop for Root {
    /// The listener is drained.
    fn drop(&mut self) {
        self.enforce(None);
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, number: u32, fields: usize, body_size: usize, _: usize) {
        if let Some(InForce { listener, .. }) = &self.in_force {
            listener.answered(number, fields, body_size);
        }
    }
}

impl RootContext for Root {
    /// Returns false for a bad configuration and for nothing else. The host
    /// asks first in a trial, where false keeps the configuration out, and
    /// then in every worker, where false would let requests pass by the
    /// filter: so the answer depends on the configuration's bytes alone.
    fn on_configure(&mut self, size: usize) -> bool {
        let Ok(bytes) = host::buffer(Buffer::Configuration, size) else {
            host::log(
                Level::Error,
                "the configuration cannot be read: everything is refused",
            );
            self.enforce(None);
            return true;
        };
        let document = document::json(&bytes);
        let digest = Sha256::digest(&document).into();
        if self
            .in_force
            .as_ref()
            .is_some_and(|known| known.digest == digest)
        {
            // Two listeners with one configuration share the root context:
            // keys, tokens and waiting requests stay.
            return true;
        }
        let policy = match config::compile(&document) {
            Ok(policy) => policy,
            Err(errors) => {
                for line in errors.to_string().lines() {
                    host::log(Level::Error, &format!("configuration: {line}"));
                }
                return false;
            }
        };
        let listener = Listener::start(self.id, &self.ticks, policy);
        if listener.is_none() {
            host::log(
                Level::Error,
                "the host has no clock or no ticks: everything is refused",
            );
        }
        self.enforce(listener.map(|listener| InForce { digest, listener }));
        true
    }

    fn on_tick(&mut self) {
        let room = Room::new();
        if !self.leaving.is_empty() {
            self.let_leave(&room);
        }
        match &self.in_force {
            Some(InForce { listener, .. }) => listener.tick(&room),
            None => self.ticks.ask(IDLE_TICK),
        }
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(match &self.in_force {
            Some(InForce { listener, .. }) => Box::new(Request::new(Rc::clone(listener), id)),
            None => Box::new(Deny),
        })
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
