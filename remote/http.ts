// In: a connection and one request. Out: the head's answer; a connection that breaks is tried again, a dead head is one clear error.
import { createReadStream, statSync } from "node:fs";
import { request as plain, type IncomingMessage } from "node:http";
import { request as secure } from "node:https";
import { setTimeout as wait } from "node:timers/promises";
import { InputError } from "../lib/errors";
import type { Connection } from "./connection";

/** One request. Node's `fetch` is refused by the head (405): it looks like a browser. */
export interface HeadRequest {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** Below the address, with its question mark. */
  readonly path: string;
  readonly json?: unknown;
  /** A file to send. */
  readonly file?: string;
  readonly signal?: AbortSignal;
}

/** What the head answered. */
export interface HeadAnswer {
  readonly status: number;
  readonly text: string;
}

/** How long a head may be away before it counts as dead. */
export interface Patience {
  readonly tries: number;
  /** Wait before the second try; it doubles with every further one, up to ten seconds. */
  readonly firstWaitMs: number;
  /** Longest silence on a connection. */
  readonly silenceMs: number;
}

export const PATIENCE: Patience = { tries: 10, firstWaitMs: 250, silenceMs: 60_000 };
const LONGEST_WAIT_MS = 10_000;

/** An answer that is still being received. */
export type HeadStream = IncomingMessage & { readonly statusCode: number };

/**
 * The answer to a request that may be repeated without harm, as all of ours may.
 *
 * @throws InputError when the head does not answer, or refuses the token
 */
export async function ask(connection: Connection, what: HeadRequest, patience = PATIENCE): Promise<HeadAnswer> {
  for (let attempt = 1; ; attempt++) {
    try {
      const stream = await send(connection, what, patience.silenceMs);
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      const answer = { status: stream.statusCode, text: Buffer.concat(chunks).toString("utf8") };
      refuseWithoutToken(connection, answer);
      if (!isBusy(answer) || attempt >= patience.tries) return answer;
    } catch (error) {
      if (error instanceof InputError || what.signal?.aborted) throw error;
      if (attempt >= patience.tries || isFinal(error)) throw deadHead(connection, error);
    }
    await wait(Math.min(patience.firstWaitMs * 2 ** (attempt - 1), LONGEST_WAIT_MS), null, { signal: what.signal });
  }
}

/** Sends a request. @returns the answer as its head has come; the body is still on its way */
export function send(
  { address, headers, ca }: Connection,
  { method, path, json, file, signal }: HeadRequest,
  silenceMs = PATIENCE.silenceMs,
): Promise<HeadStream> {
  const body = json === undefined ? null : Buffer.from(JSON.stringify(json));
  const length = file === undefined ? body?.length : statSync(file).size;
  const about = {
    ...(body && { "content-type": "application/json" }),
    ...(length !== undefined && { "content-length": String(length) }),
  };
  const call = address.startsWith("https:") ? secure : plain;
  return new Promise((resolve, reject) => {
    const request = call(address + path, { method, headers: { ...headers, ...about }, ca, signal, agent: false });
    request.setTimeout(silenceMs, () => request.destroy(new Error(`no answer in ${silenceMs / 1000} s`)));
    request.on("response", (answer) => resolve(answer as HeadStream)).on("error", reject);
    if (file === undefined) request.end(body ?? undefined);
    else
      createReadStream(file)
        .on("error", (error) => request.destroy(error))
        .pipe(request);
  });
}

/** A head that is starting, or has much to do: "No available agent to submit job, please try again later." */
const isBusy = ({ status, text }: HeadAnswer): boolean =>
  [502, 503, 504].includes(status) || (status === 500 && /try again later/i.test(text.slice(0, 500)));

/** What no second try mends: a certificate or a name. */
function isFinal(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return code === "ENOTFOUND" || /CERT|SIGNATURE|TLS|SSL|EPROTO/.test(code);
}

function deadHead({ address }: Connection, error: unknown): InputError {
  const { code = "", message } = error as NodeJS.ErrnoException;
  const remedy = /CERT|SIGNATURE/.test(code)
    ? "name the certificate to trust with --ca FILE"
    : /TLS|SSL|EPROTO/.test(code)
      ? "the head may speak http://, not https://"
      : "check the address and that the cluster is up, then give the same command with --resume";
  return new InputError(`${address}: expected a Ray head that answers, got ${message || code}; ${remedy}`);
}

function refuseWithoutToken({ address, headers }: Connection, { status }: HeadAnswer): void {
  if (status !== 401 && status !== 403) return;
  const sent = "authorization" in headers ? "another token than the cluster's" : "none";
  throw new InputError(
    `${address}: expected a token that this cluster takes, got ${sent}; put it into RAY_AUTH_TOKEN (ray get-auth-token shows it)`,
  );
}
