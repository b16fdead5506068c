//! A proxy with the module, which counts the instructions of each function.

use wasmi::{Engine, Instance, Linker, Module, Store, WasmParams, WasmResults};

use crate::counted::Counted;
use crate::host::{self, Fields, World};
use crate::profile::Profile;

/// The id of the root context.
const ROOT: i32 = 1;

/// A proxy with one configuration of the module.
pub(crate) struct Proxy {
    store: Store<World>,
    instance: Instance,
    last_request: i32,
}

impl Proxy {
    /// Starts the module with a configuration, at a time in seconds since 1970.
    pub(crate) fn start(counted: &Counted, configuration: &str, now: u64) -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, &counted.module).expect("the module is valid");
        let world = World::new(configuration, now);
        let mut store = Store::new(&engine, world);
        let mut linker = Linker::new(&engine);
        host::link(&mut linker, &mut store, &module);
        let instance = linker
            .instantiate_and_start(&mut store, &module)
            .expect("the module starts");
        let mut proxy = Self {
            store,
            instance,
            last_request: ROOT,
        };
        let size = i32::try_from(configuration.len()).expect("a small configuration");
        proxy.call::<(), ()>("_initialize", ());
        proxy.call::<_, ()>("proxy_on_context_create", (ROOT, 0));
        proxy.call::<_, i32>("proxy_on_vm_start", (ROOT, 0));
        let accepted: i32 = proxy.call("proxy_on_configure", (ROOT, size));
        let log = &proxy.store.data().log;
        assert!(accepted == 1 && log.is_empty(), "{}", log.join("\n"));
        proxy
    }

    /// Sends a request and, if it reaches the upstream, a response. Returns the status of
    /// the module's own answer, or `None`.
    pub(crate) fn exchange(&mut self, request: Fields, response: Fields) -> Option<u32> {
        self.last_request += 1;
        let id = self.last_request;
        let count = |fields: &Fields| i32::try_from(fields.len()).expect("few fields");
        let world = self.store.data_mut();
        let (asked, answered) = (count(&request), count(&response));
        world.request = request;
        world.response = response;
        world.answered = None;
        self.call::<_, ()>("proxy_on_context_create", (id, ROOT));
        let _: i32 = self.call("proxy_on_request_headers", (id, asked, 1));
        // Envoy passes the module's own answer to it, too.
        let _: i32 = self.call("proxy_on_response_headers", (id, answered, 0));
        self.call::<_, ()>("proxy_on_delete", id);
        self.store.data().answered
    }

    /// The request as it reaches the upstream.
    pub(crate) fn forwarded(&self) -> &Fields {
        &self.store.data().request
    }

    /// The instructions so far.
    pub(crate) fn profile(&self) -> &Profile {
        &self.store.data().profile
    }

    fn call<P: WasmParams, R: WasmResults>(&mut self, name: &str, parameters: P) -> R {
        let function = self
            .instance
            .get_typed_func::<P, R>(&self.store, name)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let result = function.call(&mut self.store, parameters);
        result.unwrap_or_else(|error| panic!("{name}: {error}: {:?}", self.store.data().log))
    }
}
