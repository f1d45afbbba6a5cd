// What makes two prompts the same question: equal after case, width and white space are levelled.
import { createHash } from "node:crypto";

/** NFKC, lower case (of no locale), white space collapsed. */
export function normaliseText(text: string): string {
  return text.normalize("NFKC").toLowerCase().replace(/\s+/g, " ").trim();
}

/** A short name of the normalised prompt: first 64 bits of its SHA-256. */
export function promptKey(prompt: string): string {
  return `p${createHash("sha256").update(normaliseText(prompt)).digest("hex").slice(0, 16)}`;
}
