//! Runs the server.

use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use edge_authz::telemetry::Level;
use edge_authz_native::clock;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::task::{self, LocalSet};
use tokio::time;

use crate::admin::{self, Admin, Readiness};
use crate::arguments::Arguments;
use crate::connections::{Accepted, Acceptor, Connections, Limits, Peers, Threads};
use crate::fetch::{self, Client};
use crate::front_ends::FrontEnds;
use crate::observation::{Format, Log, Registry};
use crate::reload::{ConfigurationFile, Updates, watch};
use crate::service::{Active, Document, Keys, Service};
use crate::signals::{Asked, Signals};

/// The most threads that resolve names of issuers.
const MAX_RESOLVERS: usize = 8;
/// How often the end of a thread is checked.
const CHECK: Duration = Duration::from_millis(20);

/// Runs the server until it is asked to stop.
///
/// # Errors
///
/// The server cannot start; for people.
pub fn run(arguments: Arguments) -> Result<(), String> {
    let file = ConfigurationFile::new(arguments.config.clone());
    let text = file.read()?;
    let policy = file.compile(text.clone())?;
    let now = clock::now().ok_or("the system clock is before 1970")?;
    let format = Format {
        least: arguments.log_level.into(),
        access: arguments.access_log,
    };
    let log = Arc::new(Log::start(format).map_err(|error| of_system(&error))?);
    let count = arguments.threads.map_or_else(processors, NonZero::get);
    let limits = Limits {
        connections: arguments.max_connections,
        idle: Duration::from_secs(arguments.idle_timeout),
    };
    crate::files::allow(limits.connections, &log);
    let document = Document::new(Arc::new(policy), count, now);
    let active = Arc::new(Active::new(document));
    let registry = Arc::new(Registry::default());
    let readiness = Readiness::new(Arc::clone(&active), arguments.ready_without_keys);
    let readiness = Arc::new(readiness);
    let (threads, receivers) = Threads::new(count, limits.connections);
    let shared = Shared {
        active,
        registry,
        log,
        front_ends: arguments.front_ends(&readiness)?,
        limits,
    };
    let main = Main {
        serving: start(&shared, receivers)?,
        arguments,
        file,
        text,
        readiness,
        shared,
        threads,
        count,
    };
    let log = Arc::clone(&main.shared.log);
    let runtime = runtime().map_err(|error| of_system(&error))?;
    let ended = LocalSet::new().block_on(&runtime, main.run());
    log.flush();
    ended
}

/// What all threads share.
#[derive(Clone)]
struct Shared {
    active: Arc<Active>,
    registry: Arc<Registry>,
    log: Arc<Log>,
    front_ends: FrontEnds,
    limits: Limits,
}

/// Starts the threads that decide requests.
fn start(
    shared: &Shared,
    receivers: Vec<mpsc::Receiver<Accepted>>,
) -> Result<Vec<JoinHandle<()>>, String> {
    let mut serving = Vec::new();
    for (index, receiver) in receivers.into_iter().enumerate() {
        let shared = shared.clone();
        let runtime = runtime().map_err(|error| of_system(&error))?;
        let builder = thread::Builder::new().name(format!("judge-{index}"));
        let thread = builder.spawn(move || {
            let serve = async {
                let service = Service::new(&shared.active, index, &shared.registry, &shared.log);
                let connections = Connections::new(service, shared.limits);
                let front_ends = shared.front_ends.in_thread();
                connections
                    .run(receiver, |accepted, connection| {
                        front_ends.serve(accepted, connection);
                    })
                    .await;
            };
            LocalSet::new().block_on(&runtime, serve);
        });
        serving.push(thread.map_err(|error| of_system(&error))?);
    }
    Ok(serving)
}

/// The main thread: keeps the keys, accepts connections, and serves probes and metrics.
struct Main {
    arguments: Arguments,
    file: ConfigurationFile,
    text: Vec<u8>,
    readiness: Arc<Readiness>,
    shared: Shared,
    threads: Threads,
    /// The number of threads.
    count: usize,
    serving: Vec<JoinHandle<()>>,
}

impl Main {
    async fn run(self) -> Result<(), String> {
        let Shared {
            active,
            registry,
            log,
            ..
        } = &self.shared;
        let mut signals = Signals::new().map_err(|error| of_system(&error))?;
        let accepting = self.accept().await?;
        let updates = Arc::new(Updates::default());
        self.administer(&updates).await?;
        let client = Client::new(fetch::trusted(log), fetch::proxies(), Arc::clone(log));
        let keys = Keys::new(client, Arc::clone(registry), Arc::clone(log));
        keys.keep(&active.latest());
        let watched = watch(self.file, self.text, Arc::clone(log), Arc::clone(&updates));
        let (file, mut policies) = watched.map_err(|error| of_system(&error))?;
        log.write(Level::Info, "the server has started");
        let asked = loop {
            tokio::select! {
                Some(policy) = policies.recv() => {
                    let Some(now) = clock::now() else { continue };
                    let document = Document::new(Arc::new(policy), self.count, now);
                    // It has the keys of the former configuration before it is used.
                    keys.keep(&document);
                    active.replace(document);
                    registry.forget_providers();
                    updates.accept();
                    log.write(Level::Info, "the new configuration is active");
                }
                asked = signals.next() => match asked {
                    Asked::Reload => file.look(),
                    Asked::Stop | Asked::StopAtOnce => break asked,
                }
            }
        };
        self.readiness.stop();
        if asked == Asked::Stop {
            let time = Duration::from_secs(self.arguments.drain);
            drain(&mut signals, time, log).await;
        }
        log.write(Level::Info, "the server stops");
        for task in accepting {
            task.abort();
            // It ends in the moment in which it is dropped.
            let _ = task.await;
        }
        self.threads.close();
        let grace = Duration::from_secs(self.arguments.grace);
        if time::timeout(grace, ended(self.serving)).await.is_err() {
            log.write(Level::Warn, "some requests are not answered");
        }
        Ok(())
    }

    /// Accepts the connections of proxies.
    async fn accept(&self) -> Result<Vec<task::JoinHandle<()>>, String> {
        let mut accepting = Vec::new();
        for (index, address) in self.shared.front_ends.addresses().enumerate() {
            let acceptor = Acceptor {
                listener: listen(address).await?,
                front_end: index,
                peers: Peers::new(self.arguments.trusted_peers.clone()),
                threads: self.threads.clone(),
                log: Arc::clone(&self.shared.log),
            };
            accepting.push(task::spawn_local(acceptor.run()));
        }
        Ok(accepting)
    }

    /// Serves probes and metrics.
    async fn administer(&self, updates: &Arc<Updates>) -> Result<(), String> {
        if let Some(address) = self.arguments.admin {
            let admin = Admin {
                readiness: Arc::clone(&self.readiness),
                registry: Arc::clone(&self.shared.registry),
                log: Arc::clone(&self.shared.log),
                threads: self.threads.clone(),
                updates: Arc::clone(updates),
            };
            task::spawn_local(admin::serve(listen(address).await?, admin));
        }
        Ok(())
    }
}

/// Waits while proxies notice that the server is not ready any more. A second signal ends
/// this.
async fn drain(signals: &mut Signals, drain: Duration, log: &Log) {
    let seconds = drain.as_secs();
    let line = format!("the server accepts connections for {seconds} more seconds");
    log.write(Level::Info, &line);
    let again = async { while signals.next().await == Asked::Reload {} };
    // Either way the server stops.
    let _ = time::timeout(drain, again).await;
}

/// Waits until all threads have answered their requests.
async fn ended(serving: Vec<JoinHandle<()>>) {
    for thread in serving {
        while !thread.is_finished() {
            time::sleep(CHECK).await;
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| format!("{address}: {error}"))
}

/// A runtime for one thread.
fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(MAX_RESOLVERS)
        .build()
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

fn of_system(error: &io::Error) -> String {
    format!("the system cannot support the server: {error}")
}
