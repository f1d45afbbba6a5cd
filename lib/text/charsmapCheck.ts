// In: SentencePiece's table of character normalisation, as tokenizer.json holds it. Out: null, or what is wrong with it.
// The engine follows the table without looking whether it leads out of it.
// Format: a double-array trie (Darts), its size before it, and the texts that it points to, each ended by a zero byte.
// Reference: https://github.com/huggingface/spm_precompiled/blob/main/src/lib.rs

/** Units that share a block: a byte changes a position within it only. */
const BLOCK = 256;

export function charsmapFault(base64: unknown): string | null {
  if (typeof base64 !== "string") return "no precompiled_charsmap";
  const bytes = Buffer.from(base64, "base64");
  if (bytes.toString("base64").replace(/=+$/, "") !== base64.replace(/=+$/, "")) return "other text than base64";
  const size = bytes.length >= 4 ? bytes.readUInt32LE(0) : -1;
  if (size < 4 || 4 + size > bytes.length) return `${bytes.length} bytes, where a trie of ${size} should be`;
  const units = Uint32Array.from({ length: Math.floor(size / 4) }, (_, i) => bytes.readUInt32LE(4 + 4 * i));
  return trieFault(units, bytes.subarray(4 + 4 * units.length));
}

/** Where the children of a node begin, relative to it. */
const offset = (unit: number): number => (unit >>> 10) << ((unit & (1 << 9)) >>> 6);

/** Walks all paths from the root. */
function trieFault(units: Uint32Array, texts: Buffer): string | null {
  const seen = new Set<number>();
  const open = [offset(units[0])];
  while (open.length > 0) {
    const base = open.pop()!;
    if (seen.has(base)) continue;
    seen.add(base);
    if (base < 0 || (base | (BLOCK - 1)) >= units.length) return `a trie that leads out of its ${units.length} units`;
    for (let byte = 1; byte < BLOCK; byte++) {
      const unit = units[base ^ byte];
      if ((unit & 0x800000ff) !== byte) continue;
      const next = base ^ byte ^ offset(unit);
      open.push(next);
      if (((unit >>> 8) & 1) === 0) continue;
      if (next >= units.length) return `a trie that leads out of its ${units.length} units`;
      const place = units[next] & 0x7fffffff;
      if (place > texts.length || (texts[place] & 0xc0) === 0x80) return `a text at byte ${place} of ${texts.length}`;
    }
  }
  return null;
}
