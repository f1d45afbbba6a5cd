// In: the browser driver's wish for AsyncLocalStorage. Out: one that needs no async hooks, with which no computation can be broken off.
import Module from "node:module";

const HOOKS = /^(node:)?async_hooks$/;
const DRIVER = /[\\/]playwright-core[\\/]/;

/** What holds during a call, until it returns or first waits. The driver only names its calls by it. */
class CallStorage {
  #store = undefined;
  getStore() {
    return this.#store;
  }
  run(store, call, ...args) {
    const before = this.#store;
    this.#store = store;
    try {
      return call(...args);
    } finally {
      this.#store = before;
    }
  }
}

/**
 * Keeps async hooks off, which the driver would turn on for the whole process with the first figure it draws: Node then
 * demands that every callback ends, and aborts when a cell is broken off in the midst of one.
 */
export function keepHooksOff() {
  const hidden = /** @type {any} */ (Module);
  const load = hidden._load;
  hidden._load = function (request, parent, ...rest) {
    const loaded = load.call(this, request, parent, ...rest);
    const ofDriver = HOOKS.test(request) && DRIVER.test(parent?.filename ?? "");
    return ofDriver ? { ...loaded, AsyncLocalStorage: CallStorage } : loaded;
  };
}
