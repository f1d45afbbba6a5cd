// In: frames of a ZeroMQ socket. Out: messages of the Jupyter protocol, checked and signed, and sends that never collide.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { log } from "./log.mjs";

const DELIMITER = Buffer.from("<IDS|MSG>");
const PROTOCOL = "5.3";

const sign = (key, parts) => {
  const hash = createHmac("sha256", key);
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

/**
 * Frames `[identity…, delimiter, signature, header, parent, metadata, content, …]` as a message.
 *
 * @throws Error for frames without delimiter or with another key's signature
 */
export function parseMessage(key, frames) {
  const at = frames.findIndex((frame) => DELIMITER.equals(frame));
  if (at < 0) throw new Error("expected a delimiter among the frames, got none");
  const [signature, ...parts] = frames.slice(at + 1);
  const expected = key ? Buffer.from(sign(key, parts)) : signature;
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected))
    throw new Error("expected a message signed with the connection's key, got another signature");
  const [header, , metadata, content] = parts.slice(0, 4).map((part) => JSON.parse(part.toString()));
  return { identity: frames.slice(0, at), header, metadata, content };
}

/** A message of type `type` in answer to `request`, as frames. */
export function replyFrames(key, request, type, content) {
  const { session, username } = request.header;
  const header = {
    version: PROTOCOL,
    date: new Date().toISOString(),
    session,
    username,
    msg_type: type,
    msg_id: randomBytes(16).toString("hex"),
  };
  const parts = [header, request.header, {}, content].map((part) => JSON.stringify(part));
  return [...request.identity, DELIMITER, key ? sign(key, parts) : "", ...parts];
}

/**
 * Sends over one socket, in order: zeromq.js takes one send at a time (EBUSY else) and of a burst of messages only about
 * the first 500 would arrive.
 *
 * @returns `send(frames)`, and `send.goOn()` for when a computation was broken off and took the news of a send with it
 */
export function createSender(socket) {
  const waiting = [];
  let turn = 0;
  let sending = false;
  const sendAll = async () => {
    const mine = ++turn;
    sending = true;
    while (waiting.length && mine === turn) {
      try {
        await socket.send(waiting.shift());
      } catch (error) {
        if (!socket.closed) log(`a message was not sent: ${error.message}`);
      }
    }
    if (mine === turn) sending = false;
  };
  const send = (frames) => {
    waiting.push(frames);
    if (!sending) sendAll();
  };
  send.goOn = () => void sendAll();
  return send;
}
