//! The root context: one configuration of one listener, in one worker.

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::configuration::{Configuration, Unread};
use super::deny::Deny;
use super::host;
use super::listeners;
use super::pending::{self, Outcome};
use super::port::{self, Listener, Wasm};
use super::request::Request;
use edge_authz::config::ConfigErrors;
use edge_authz::host::{Fallback, Room, Ticks};
use edge_authz::telemetry::Level;

/// The root context.
#[derive(Debug)]
pub(super) struct Root {
    id: u32,
    host: Rc<Wasm>,
    state: State,
    /// Replaced listeners with requests that still wait to be answered. One callback does
    /// not answer all of them.
    leaving: Vec<Rc<Listener>>,
    ticks: Rc<Ticks>,
    /// The fallback while no policy is active.
    fallback: OnceCell<Rc<Fallback<Wasm>>>,
}

/// The tick period while all requests are refused.
const IDLE_TICK: Duration = Duration::from_millis(500);

/// How requests are handled.
#[derive(Debug)]
enum State {
    /// All requests are refused.
    Closed,
    /// All requests are refused until there is enough memory for the configuration whose
    /// text has this SHA-256.
    Pending([u8; 32]),
    Active(Active),
}

#[derive(Debug)]
struct Active {
    /// The SHA-256 of the configuration's text.
    digest: [u8; 32],
    listener: Rc<Listener>,
}

impl Root {
    pub(super) fn new(id: u32) -> Self {
        Self {
            id,
            host: Rc::new(Wasm::new(id)),
            state: State::Closed,
            leaving: Vec::new(),
            ticks: Rc::default(),
            fallback: OnceCell::new(),
        }
    }

    fn listener(&self) -> Option<&Rc<Listener>> {
        match &self.state {
            State::Active(Active { listener, .. }) => Some(listener),
            State::Closed | State::Pending(_) => None,
        }
    }

    /// Replaces the state.
    fn enter(&mut self, state: State) {
        let former = std::mem::replace(&mut self.state, state);
        if !matches!(self.state, State::Pending(_)) {
            pending::forget(self.id);
        }
        if let State::Active(Active { listener, .. }) = former {
            self.leaving.push(listener);
            self.answer_superseded(&Room::new());
        }
    }

    /// Answers as many requests that wait in replaced configurations as there is room
    /// for. Without further ticks the others continue to wait.
    fn answer_superseded(&mut self, room: &Room) {
        self.leaving.retain(|listener| listener.leave(room));
        self.ticks
            .set_hurried(&*self.host, !self.leaving.is_empty());
    }

    /// Whether this configuration is active or pending. Two listeners with the same
    /// configuration share the root context, so keys, tokens and waiting requests are
    /// kept.
    fn has(&self, configuration: &Configuration) -> bool {
        match &self.state {
            State::Closed => false,
            State::Pending(digest) | State::Active(Active { digest, .. }) => {
                *digest == configuration.digest()
            }
        }
    }

    /// Activates a configuration for which there is enough memory. Returns false if it is
    /// invalid. In this case nothing changes.
    fn enforce(&mut self, configuration: &Configuration) -> bool {
        let policy = match configuration.compile() {
            Ok(policy) => policy,
            Err(errors) => {
                log_errors(&errors);
                return false;
            }
        };
        let Some(listener) = Listener::start(&self.host, &self.ticks, policy, self.id) else {
            host::log(
                Level::Error,
                "the host has no clock or no ticks: every request is refused",
            );
            self.enter(State::Closed);
            return true;
        };
        listeners::begin(&listener);
        let digest = configuration.digest();
        self.enter(State::Active(Active { digest, listener }));
        true
    }

    /// Refuses all requests. If the configuration could be kept, this lasts until there
    /// is enough memory.
    fn wait_for_memory(&mut self, configuration: Option<Configuration>) {
        self.ticks.set_period(&*self.host, IDLE_TICK);
        let kept = configuration
            .filter(|_| self.ticks.are_coming())
            .and_then(|configuration| {
                let (digest, need) = (configuration.digest(), configuration.need());
                pending::keep(self.id, configuration).then_some((digest, need))
            });
        let (state, prospect) = match kept {
            Some((digest, need)) => {
                let mebibytes = need.all.div_ceil(1024 * 1024);
                let prospect = format!("until {mebibytes} MiB are free");
                (State::Pending(digest), prospect)
            }
            None => (State::Closed, "until the next update".to_owned()),
        };
        host::log(
            Level::Error,
            &format!(
                "there is no memory for the configuration: superseded ones keep their memory until their drain ends. Every request is refused (503) {prospect}. Update less often, \
                 shorten the drain (--drain-time-s) or restart the proxy"
            ),
        );
        self.enter(state);
    }

    fn check_memory(&mut self) {
        match pending::check(self.id) {
            Outcome::Later => {}
            Outcome::Now(configuration) => {
                if self.enforce(&configuration) {
                    let line = "there is enough memory for the configuration now: it is active";
                    host::log(Level::Info, line);
                } else {
                    self.enter(State::Closed);
                }
            }
            Outcome::Never => {
                let line = "newer configurations replaced the one that waited for memory: every \
                            request is refused until the next update";
                host::log(Level::Error, line);
                self.enter(State::Closed);
            }
        }
    }
}

impl Drop for Root {
    /// Ends the configuration when the listener is drained.
    fn drop(&mut self) {
        self.enter(State::Closed);
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, number: u32, fields: usize, body_size: usize, _: usize) {
        if let Some(listener) = self.listener() {
            let head = || port::answer_head(fields, body_size);
            listener.fetched(number, &head, &|| port::answer_body(body_size));
        }
    }
}

impl RootContext for Root {
    /// Returns false only for an invalid configuration. The host first calls this in a
    /// trial, where false rejects the configuration. Then it calls this in every worker,
    /// where false, or a trap, would let requests bypass the filter. So the result
    /// depends only on the configuration's bytes, and a configuration for which memory is
    /// insufficient is not compiled.
    fn on_configure(&mut self, size: usize) -> bool {
        let configuration = match Configuration::read(size) {
            Ok(configuration) => configuration,
            Err(Unread::Bad(errors)) => {
                log_errors(&errors);
                return false;
            }
            Err(Unread::Host) => {
                host::log(
                    Level::Error,
                    "the configuration cannot be read: every request is refused",
                );
                self.enter(State::Closed);
                return true;
            }
            Err(Unread::NoMemory) => {
                self.wait_for_memory(None);
                return true;
            }
        };
        if self.has(&configuration) {
            return true;
        }
        if !listeners::make_room(configuration.need()) {
            self.wait_for_memory(Some(configuration));
            return true;
        }
        self.enforce(&configuration)
    }

    fn on_tick(&mut self) {
        let room = Room::new();
        if !self.leaving.is_empty() {
            self.answer_superseded(&room);
        }
        match &self.state {
            State::Active(Active { listener, .. }) => listener.tick(&room),
            State::Pending(_) => self.check_memory(),
            State::Closed => self.ticks.set_period(&*self.host, IDLE_TICK),
        }
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        if let Some(listener) = self.listener() {
            return Some(Box::new(Request::new(Rc::clone(listener), id)));
        }
        let refusing = || Rc::new(Fallback::new(Rc::clone(&self.host)));
        let fallback = self.fallback.get_or_init(refusing);
        Some(Box::new(Deny::new(Rc::clone(fallback))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

fn log_errors(errors: &ConfigErrors) {
    for line in errors.log_lines() {
        host::log(Level::Error, &line);
    }
}
