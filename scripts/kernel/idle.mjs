// In: a kernel that has nothing to do. Out: what its cells dropped is handed back; Node itself only looks for it while code runs.
import v8 from "node:v8";
import vm from "node:vm";

const IDLE_MS = 3000;

/** @returns `busy()` before a cell, `idle()` behind it */
export function createTidying() {
  v8.setFlagsFromString("--expose-gc");
  const collect = vm.runInNewContext("gc");
  v8.setFlagsFromString("--no-expose-gc");
  let timer;
  return {
    busy: () => clearTimeout(timer),
    idle() {
      clearTimeout(timer);
      timer = setTimeout(collect, IDLE_MS);
      timer.unref();
    },
  };
}
