// In: --address, a certificate file and the environment. Out: where the Ray head is and how it is talked to; the token stays in here.
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { InputError, UsageError } from "../lib/errors";

/** A Ray head's address with what is needed to talk to it. */
export interface Connection {
  /** `http://HEAD:8265`, without a slash at its end. */
  readonly address: string;
  /** `Authorization` where the cluster asks for a token. It is written nowhere. */
  readonly headers: Readonly<Record<string, string>>;
  /** Certificates to trust beside the system's. */
  readonly ca?: string;
}

/** The address that means this machine, without a cluster. */
export const LOCAL = "local";

/**
 * The token is Ray's own: `RAY_AUTH_TOKEN`, else the file of `RAY_AUTH_TOKEN_PATH`, else `~/.ray/auth_token`.
 *
 * @param caFile certificates (PEM) to trust
 * @throws UsageError for what is no address, InputError for a file that cannot be read
 */
export function connectTo(
  address: string,
  caFile?: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Connection {
  const url = parseAddress(address);
  const token = readToken(env);
  if (token !== null && url.protocol === "http:" && !isLoopback(url.hostname)) {
    throw new UsageError(
      `--address: expected https:// where a token is sent, got ${url.origin}, which would send it in the clear; ` +
        "use https:// (with --ca FILE for a certificate of your own), or a tunnel to this machine",
    );
  }
  return {
    address: url.origin + url.pathname.replace(/\/+$/, ""),
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    ca: caFile === undefined ? undefined : readText(caFile, "--ca"),
  };
}

function parseAddress(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new UsageError(
      `--address: expected http://HEAD:8265, https://HEAD or ${LOCAL}, got ${JSON.stringify(address)}; it is the address of Ray's dashboard`,
    );
  }
  if (url.username || url.password || url.search) {
    throw new UsageError(
      "--address: expected an address without name, password or question mark, got one with them; a token goes into RAY_AUTH_TOKEN",
    );
  }
  return url;
}

const isLoopback = (host: string): boolean => host === "localhost" || host === "[::1]" || /^127\./.test(host);

function readToken(env: Readonly<Record<string, string | undefined>>): string | null {
  const { RAY_AUTH_TOKEN: given, RAY_AUTH_TOKEN_PATH: path } = env;
  const usual = join(homedir(), ".ray", "auth_token");
  const file = path ?? (existsSync(usual) ? usual : null);
  const token = given?.trim() || (file === null ? "" : readText(file, "RAY_AUTH_TOKEN_PATH").trim());
  if (token === "") return null;
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new InputError("RAY_AUTH_TOKEN: expected letters, digits and signs, got others; copy the token again");
  return token;
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new InputError(`${what}: expected a file that can be read, got ${(error as Error).message}; check the path`);
  }
}
