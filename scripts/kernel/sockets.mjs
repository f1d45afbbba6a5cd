// In: zeromq's sockets. Out: the same, taking any number of sends at a time.

/**
 * Queues the sends of a socket.
 *
 * zeromq.js allows one send at a time for a socket (EBUSY else) and tslab does not wait for it: of a burst of messages
 * only about the first 500 would arrive.
 */
export function queueSends({ server, Publisher, Router }) {
  const bind = server.prototype.bindSocket;
  server.prototype.bindSocket = function (socket, port) {
    if (socket instanceof Publisher) socket.sendHighWaterMark = 0; // no limit: a slow front end loses nothing
    return bind.call(this, socket, port);
  };
  const lastSends = new WeakMap();
  for (const Socket of [Publisher, Router]) {
    const send = Socket.prototype.send;
    const value = function (frames) {
      const previous = lastSends.get(this) ?? Promise.resolve();
      const sent = previous
        .then(() => send.call(this, frames))
        .catch((error) => {
          if (!this.closed) /** @type {any} */ (process)._rawDebug(`[kernel] a message was not sent: ${error.message}`);
        });
      lastSends.set(this, sent);
      return sent;
    };
    Object.defineProperty(Socket.prototype, "send", { configurable: true, writable: true, value });
  }
}
