// In: tslab's Jupyter server. Out: the same, sending what the protocol asks for: numbered cells, error outputs, aborted replies.

const STREAM_INTERVAL = 20; // ms; writes closer than this go out as one message
const RESET_DELAY = 10; // ms

/**
 * Replaces the handling of execute requests.
 *
 * tslab sends no `execute_input` (cells stay unnumbered) and no `error` (a failing notebook looks sound), and keeps the
 * queue broken for 200 ms after an error, in which the next cell is skipped without a word.
 */
export function mendReplies({ server, handler, errors, buildError }) {
  const reset = handler.execQueue.reset.bind(handler.execQueue);
  handler.execQueue.reset = (delay) => reset(delay == null ? delay : RESET_DELAY);
  const original = server.prototype.handleExecute;

  server.prototype.handleExecute = function (socket, message) {
    const publish = (type, content) => {
      const reply = message.createReply();
      reply.header.msg_type = type;
      reply.content = content;
      reply.signAndSend(this.connInfo.key, this.iopub);
    };
    const mended = Object.create(this);
    mended.handler = { handleExecute: (request, stream, display) => execute({ request, stream, display, publish }) };
    return original.call(mended, socket, message);
  };

  async function execute({ request, stream, display, publish }) {
    if (buildError) {
      const lines = ["The library does not compile; mend it and restart the kernel.", ...buildError.trim().split("\n")];
      const content = { ename: "BuildError", evalue: lines[1], traceback: lines };
      publish("error", content);
      return { status: "error", execution_count: 0, ...content };
    }
    const output = joinWrites(stream);
    let announced = false;
    const announce = () => {
      if (announced) return;
      announced = true;
      publish("execute_input", { code: request.code, execution_count: handler.execCount });
    };
    const running = handler.handleExecute(
      request,
      (name, text) => (announce(), output.write(name, text)),
      (data, update) => (announce(), output.flush(), display(data, update)),
    );
    const content = await running;
    announce();
    output.flush();
    if (content.status === "abort") content.status = "aborted";
    if (content.status === "error") {
      Object.assign(content, errors.take());
      publish("error", { ename: content.ename, evalue: content.evalue, traceback: content.traceback });
      // The queue must be open again before the client sends the next cell.
      await new Promise((resolve) => setTimeout(resolve, 4 * RESET_DELAY));
    } else errors.take();
    return content;
  }
}

/** Joins writes to one stream that follow closely: fewer messages, tidier notebooks, nothing lost. */
function joinWrites(stream) {
  let pending = null;
  let timer = null;
  const flush = () => {
    clearTimeout(timer);
    timer = null;
    if (pending) stream(pending.name, pending.text);
    pending = null;
  };
  const write = (name, text) => {
    if (pending && pending.name !== name) flush();
    pending = { name, text: (pending?.text ?? "") + text };
    timer ??= setTimeout(flush, STREAM_INTERVAL);
  };
  return { write, flush };
}
