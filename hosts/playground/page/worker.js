// Runs the core. `core.js` makes this worker from a blob, so that the policy of the page is
// also that of the worker.

let module;
let instance;

self.onmessage = async ({data}) => {
  if (data.module) {
    module = data.module;
    return;
  }
  try {
    instance ??= await WebAssembly.instantiate(module, {});
    self.postMessage({id: data.id, answer: ask(instance.exports, data.call)});
  } catch (error) {
    // After a trap the memory of an instance cannot be trusted.
    instance = undefined;
    self.postMessage({id: data.id, failure: String(error)});
  }
};

// Passes a call to the module and returns its answer; both are JSON.
function ask({memory, input, answer, output}, call) {
  const bytes = new TextEncoder().encode(call);
  const address = input(bytes.length) >>> 0;
  if (address === 0) return JSON.stringify({error: "the text is too long: at most 16 MiB are read"});
  new Uint8Array(memory.buffer, address, bytes.length).set(bytes);
  const length = answer() >>> 0;
  const from = output() >>> 0;
  return new TextDecoder().decode(new Uint8Array(memory.buffer, from, length));
}
