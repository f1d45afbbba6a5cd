// In: the control socket, in a thread of its own. Out: its messages handed to the kernel; a kernel that computes without a pause is stopped all the same.
import { Session } from "node:inspector";
import { createRequire } from "node:module";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { log } from "./log.mjs";
import { createSender, parseMessage } from "./wire.mjs";

/** A kernel that has not answered by then is in the midst of a computation. */
const ANSWER_MS = 400;
const SHUTDOWN_MS = 1500;
const CLOSE = "close";

const LOOPS = 0;
const IN_CELL = 1;

/** What the control thread sees of the kernel: how many loops an interrupt would stop, and whether a cell's code has the word. */
export class Stops extends Set {
  #state = new Int32Array(new SharedArrayBuffer(8));
  get shared() {
    return this.#state.buffer;
  }
  /** @override */
  add(controller) {
    super.add(controller);
    Atomics.store(this.#state, LOOPS, this.size);
    return this;
  }
  /** @override */
  delete(controller) {
    const was = super.delete(controller);
    Atomics.store(this.#state, LOOPS, this.size);
    return was;
  }
  /** Only a cell's own code may be broken off, not the kernel's. @returns what it was before */
  setInCell(inCell) {
    return Atomics.exchange(this.#state, IN_CELL, inCell ? 1 : 0) === 1;
  }
}

/**
 * Opens the control socket in a thread.
 *
 * @param zeromq path of the module
 * @param onFrames gets a message and the function that sends its answer
 * @returns `close()`: ends the thread, and with it the process
 */
export function openControl({ connection, zeromq, stops, onFrames }) {
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { connection, zeromq, shared: stops.shared },
    resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 2 },
  });
  worker.on("message", (frames) => {
    const answer = (reply) => worker.postMessage(reply.map((part) => Buffer.from(part)));
    onFrames(
      frames.map((part) => Buffer.from(part)),
      answer,
    );
  });
  worker.on("error", (error) => log(`control ended: ${error.stack}`));
  const close = () => {
    worker.postMessage(CLOSE);
    worker.once("exit", () => process.exit(0));
    setTimeout(() => process.kill(process.pid, "SIGKILL"), SHUTDOWN_MS);
  };
  return new Promise((resolve) => worker.once("online", () => resolve({ close })));
}

async function serveControl({ connection, zeromq, shared }) {
  const { Router } = createRequire(import.meta.url)(zeromq);
  const { key, transport, ip, control_port: port } = connection;
  const state = new Int32Array(shared);
  const socket = new Router();
  const send = createSender(socket);
  const session = new Session();
  session.connectToMainThread(); // now: a thread that computes takes no new connection
  let unanswered = 0;
  parentPort.on("message", (frames) => {
    if (frames === CLOSE) return close();
    unanswered = 0;
    send(frames.map((part) => Buffer.from(part)));
  });
  const close = () => {
    session.disconnect();
    socket.close();
    parentPort.close();
  };
  await socket.bind(`${transport}://${ip}:${port}`);
  for await (const frames of socket) {
    const type = typeOf(key, frames);
    if (type === null) continue;
    parentPort.postMessage(frames);
    unanswered++;
    if (type === "interrupt_request") setTimeout(breakOff, ANSWER_MS, unanswered);
    if (type === "shutdown_request") setTimeout(() => process.kill(process.pid, "SIGKILL"), SHUTDOWN_MS).unref();
  }

  /** A loop that stops by itself is given its time: what it has done is kept. Asked twice, it is broken off as well. */
  function breakOff(asked) {
    if (unanswered === 0 || (Atomics.load(state, LOOPS) > 0 && asked < 2)) return;
    if (Atomics.load(state, IN_CELL) === 0) return void setTimeout(breakOff, ANSWER_MS, asked);
    session.post("Runtime.terminateExecution");
  }
}

function typeOf(key, frames) {
  try {
    return parseMessage(key, frames).header.msg_type;
  } catch {
    return null;
  }
}

if (!isMainThread) await serveControl(workerData);
