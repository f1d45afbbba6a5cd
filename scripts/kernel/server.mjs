// In: a connection file's content and a kernel's functions. Out: the kernel on its five sockets, cell after cell, busy and idle told as they are.
import { createRequire } from "node:module";
import { openControl } from "./control.mjs";
import { log } from "./log.mjs";
import { joinWrites } from "./writes.mjs";
import { createSender, parseMessage, replyFrames } from "./wire.mjs";

/** Cells of one "Run All" may still lie in the socket when one of them fails; these, too, are not run. */
const GATHER_MS = 40;

/** Time for the last answers to leave. */
const SHUTDOWN_MS = 50;

/**
 * Serves a kernel.
 *
 * @param kernel `{info(), execute(cell, io), complete(code, position), inspect(code, position), isComplete(code), interrupt(), shutdown()}`
 * @param zeromq path of the module
 * @param stops the loops that an interrupt stops
 * @returns `interrupted()`: the cells that wait behind the running one are given back unrun; `close()` ends the process
 */
export async function serve({ connection, zeromq: file, kernel, stops }) {
  const zeromq = createRequire(import.meta.url)(file);
  const { key, transport, ip } = connection;
  const sockets = {
    shell: new zeromq.Router(),
    stdin: new zeromq.Router(),
    iopub: new zeromq.Publisher({ sendHighWaterMark: 0 }), // no limit: a slow front end loses nothing
    hb: new zeromq.Reply(),
  };
  for (const [name, socket] of Object.entries(sockets))
    await socket.bind(`${transport}://${ip}:${connection[`${name}_port`]}`);
  const publishFrames = createSender(sockets.iopub);
  const publish = (request, type, content) => publishFrames(replyFrames(key, request, type, content));
  const status = (request, state) => publish(request, "status", { execution_state: state });
  const cells = createCells({ kernel, publish, status });

  const take = (frames, send) => {
    const inCell = stops.setInCell(false);
    try {
      const request = parseMessage(key, frames);
      const reply = (type, content) => send(replyFrames(key, request, type, content));
      if (request.header.msg_type === "execute_request") cells.add(request, reply);
      else answer({ request, reply, status, kernel, cells });
    } catch (error) {
      log(`a message was left out: ${error.stack}`);
    }
    stops.setInCell(inCell);
  };
  const sendShell = createSender(sockets.shell);
  const listen = async () => {
    for await (const frames of sockets.shell) take(frames, sendShell);
  };
  const echo = async () => {
    for await (const frames of sockets.hb) await sockets.hb.send(frames);
  };
  const control = await openControl({ connection, zeromq: file, stops, onFrames: take });
  for (const serving of [listen(), echo()]) serving.catch((error) => log(`a socket ended: ${error.stack}`));
  return {
    close: control.close,
    interrupted() {
      publishFrames.goOn();
      sendShell.goOn();
      cells.abortWaiting();
    },
  };
}

/** Everything but cells is answered at once, while a cell waits for something as well. */
function answer({ request, reply, status, kernel, cells }) {
  const { msg_type: type } = request.header;
  const { content } = request;
  const answers = {
    kernel_info_request: () => kernel.info(),
    complete_request: () => kernel.complete(content.code, content.cursor_pos),
    inspect_request: () => kernel.inspect(content.code, content.cursor_pos),
    is_complete_request: () => kernel.isComplete(content.code),
    comm_info_request: () => ({ status: "ok", comms: {} }),
    history_request: () => ({ status: "ok", history: [] }),
    interrupt_request: () => (kernel.interrupt(), { status: "ok" }),
    shutdown_request: () => ({ status: "ok", restart: Boolean(content.restart) }),
  };
  if (!Object.hasOwn(answers, type)) return; // comm messages and whatever comes later: nothing to say
  status(request, "busy");
  let answered;
  try {
    answered = answers[type]();
  } catch (error) {
    answered = { status: "error", ename: error.name, evalue: error.message, traceback: [] };
    log(`${type} failed: ${error.stack}`);
  }
  reply(type.replace("_request", "_reply"), answered);
  status(request, "idle");
  cells.tellBusy(); // a running cell is what the kernel is busy with, whatever was answered meanwhile
  if (type === "shutdown_request") setTimeout(kernel.shutdown, SHUTDOWN_MS);
}

/** The queue of cells. A cell that fails takes those behind it with it, as a notebook expects. */
function createCells({ kernel, publish, status }) {
  const waiting = [];
  let running = null;

  const giveBack = (cells) => {
    for (const { request, reply } of cells) {
      status(request, "busy");
      reply("execute_reply", { status: "aborted" });
      status(request, "idle");
    }
  };
  const run = async ({ request, reply }) => {
    running = request;
    status(request, "busy");
    const output = joinWrites((name, text) => publish(request, "stream", { name, text }));
    const content = await kernel.execute(request.content, {
      write: output.write,
      announce: (code, count) => publish(request, "execute_input", { code, execution_count: count }),
      display: (data, update) => {
        output.flush();
        publish(request, update ? "update_display_data" : "display_data", data);
      },
    });
    output.flush();
    let behind = [];
    if (content.status === "error") {
      const { ename, evalue, traceback } = content;
      publish(request, "error", { ename, evalue, traceback });
      if (request.content.stop_on_error !== false) {
        await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
        behind = waiting.splice(0);
      }
    }
    running = null;
    reply("execute_reply", { payload: [], user_expressions: {}, ...content });
    status(request, "idle");
    giveBack(behind);
  };
  const runAll = async () => {
    while (waiting.length) await run(waiting.shift());
  };
  return {
    add(request, reply) {
      waiting.push({ request, reply });
      if (!running && waiting.length === 1) runAll();
    },
    abortWaiting: () => giveBack(waiting.splice(0)),
    tellBusy: () => {
      if (running) status(running, "busy");
    },
  };
}
