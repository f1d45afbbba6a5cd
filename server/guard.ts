// In: a request's headers. Out: nothing, or why it is not let in.
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { RequestFault } from "./faults";
import { isLoopback } from "./settings";

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** The time of the comparison tells nothing about the key, its length included. */
export function checkKey(headers: IncomingHttpHeaders, key: string): void {
  if (key === "") return;
  const given = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1] ?? "";
  if (!timingSafeEqual(digest(given), digest(key)))
    throw new RequestFault("unauthorized", "expected the server's key as Authorization: Bearer KEY");
}

const hostnameOf = (authority: string): string => {
  try {
    return new URL(`http://${authority}`).hostname;
  } catch {
    return "";
  }
};

/**
 * Without a key, only this machine may ask: a page of another site that the user has open, or whose name was made to
 * point here, is turned away.
 */
export function checkOrigin(headers: IncomingHttpHeaders): void {
  const host = headers.host ?? "";
  if (!isLoopback(hostnameOf(host)))
    throw new RequestFault(
      "forbidden",
      "expected a Host of this machine; give the server a key (RB_API_KEY) to reach it by name",
    );
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${host}`)
    throw new RequestFault("forbidden", "expected no request from another site");
  if (headers["sec-fetch-site"] === "cross-site")
    throw new RequestFault("forbidden", "expected no request from another site");
}
