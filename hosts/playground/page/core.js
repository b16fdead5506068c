// The core in a worker, so that no document makes the page slow.

// How long a call may take. A document that takes longer ends the worker, not the page.
const PATIENCE = 20_000;

async function load(file) {
  const answer = await fetch(new URL(file, import.meta.url));
  if (!answer.ok) throw new Error(`${file}: status ${answer.status}`);
  return answer;
}

async function compiled() {
  const answer = await load("edge_authz_playground.wasm");
  return WebAssembly.compile(await answer.arrayBuffer());
}

export class Core {
  #module;
  #script;
  #worker;
  #running;
  #waiting = new Map();

  // Loads the module and the script of the worker. `module` replaces the module, for tests.
  static async start(module = compiled()) {
    const core = new Core();
    const script = load("worker.js").then((answer) => answer.text());
    [core.#module, core.#script] = await Promise.all([module, script]);
    core.#begin();
    return core;
  }

  // Calls the module and returns the value of its answer. Of several calls with one name,
  // which wait for another call, only the last is made: the others return `undefined`.
  call(name, message) {
    return new Promise((resolve, reject) => {
      this.#waiting.get(name)?.resolve(undefined);
      this.#waiting.set(name, {message: JSON.stringify({call: name, ...message}), resolve, reject});
      this.#next();
    });
  }

  #begin() {
    const url = URL.createObjectURL(new Blob([this.#script], {type: "text/javascript"}));
    this.#worker = new Worker(url);
    URL.revokeObjectURL(url);
    this.#worker.onmessage = ({data}) => this.#finish(data);
    this.#worker.onerror = (event) => this.#finish({failure: event.message});
    this.#worker.postMessage({module: this.#module});
  }

  #next() {
    if (this.#running || this.#waiting.size === 0) return;
    const [name, call] = this.#waiting.entries().next().value;
    this.#waiting.delete(name);
    const timer = setTimeout(() => {
      this.#worker.terminate();
      this.#begin();
      this.#finish({failure: `the core has not answered for ${PATIENCE / 1000} seconds, and was started again`});
    }, PATIENCE);
    this.#running = {...call, timer};
    this.#worker.postMessage({id: 1, call: call.message});
  }

  #finish({answer, failure}) {
    const call = this.#running;
    this.#running = undefined;
    if (!call) return;
    clearTimeout(call.timer);
    if (failure === undefined) {
      const {ok, error} = JSON.parse(answer);
      error === undefined ? call.resolve(ok) : call.reject(new Error(error));
    } else {
      call.reject(new Error(failure));
    }
    this.#next();
  }
}
