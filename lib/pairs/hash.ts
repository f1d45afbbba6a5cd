// In: a text. Out: a number that stands for it.

/**
 * 52 bits of two interleaved 32-bit hashes: among a million texts two share one with probability 0.0001.
 *
 * Reference: cyrb53 (bryc, public domain).
 */
export function hashText(text: string): number {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 2654435761);
    b = Math.imul(b ^ unit, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return (b & 0xfffff) * 4294967296 + (a >>> 0);
}

/** One hash of several. */
export const joinHashes = (...hashes: readonly number[]): number => hashText(hashes.join(" "));
