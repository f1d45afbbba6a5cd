// In: many small writes of a cell. Out: fewer stream messages, in the same order, nothing lost.

const STREAM_INTERVAL_MS = 20; // writes closer than this go out as one message

/** Joins writes to one stream that follow closely. */
export function joinWrites(send) {
  let pending = null;
  let timer = null;
  const flush = () => {
    clearTimeout(timer);
    timer = null;
    if (pending) send(pending.name, pending.text);
    pending = null;
  };
  const write = (name, text) => {
    if (pending && pending.name !== name) flush();
    pending = { name, text: (pending?.text ?? "") + text };
    timer ??= setTimeout(flush, STREAM_INTERVAL_MS);
  };
  return { write, flush };
}
