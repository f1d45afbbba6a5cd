// In: the token ids of many texts. Out: the same from disk, equal ones stored once.
import { createHash } from "node:crypto";
import { openTemporaryFile } from "../files/temporaryFile";

/** Stands for a text: sha256 of its token ids. */
export function textHash(ids: Uint32Array): string {
  return createHash("sha256")
    .update(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength))
    .digest()
    .toString("latin1");
}

/** Token ids of many texts, equal ones once, in one unlinked temporary file: memory stays flat however long they are. */
export class TokenStore {
  private readonly file = openTemporaryFile("tokens");
  /** Where each different text begins, tokens. */
  private readonly offsets: number[] = [0];
  private readonly known = new Map<string, number>(); // hash → number of the different text
  private readonly different: number[] = []; // of each text
  private readonly firsts: number[] = []; // first text of each different one
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  private readonly families = new Map<string, number>(); // name → number
  private readonly familyOf: number[] = []; // of each different text, −1 for none
  private readonly begun: { readonly first: number; shared: number; texts: number }[] = []; // of each family
  private latest: { readonly family: number; readonly ids: Uint32Array } | null = null;

  /**
   * Adds one text; ids fit 32 bits.
   *
   * @param family name of texts that may begin alike: those of one prompt
   */
  push(ids: Uint32Array, family?: string): void {
    const hash = textHash(ids);
    const known = this.known.get(hash);
    this.different.push(known ?? this.firsts.length);
    if (known !== undefined) return;
    this.familyOf.push(family === undefined ? -1 : this.join(family, ids));
    this.known.set(hash, this.firsts.length);
    this.firsts.push(this.different.length - 1);
    this.pending.push(Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength));
    this.pendingBytes += ids.byteLength;
    this.offsets.push(this.offsets[this.offsets.length - 1] + ids.length);
    if (this.pendingBytes > 1 << 20) this.flush();
  }

  /** Adds a different text to its family, whose texts begin with what all of them have in common. */
  private join(name: string, ids: Uint32Array): number {
    const family = this.families.get(name);
    if (family === undefined) {
      const fresh = this.begun.length;
      this.families.set(name, fresh);
      this.begun.push({ first: this.different.length - 1, shared: ids.length - 1, texts: 1 });
      this.latest = { family: fresh, ids };
      return fresh;
    }
    const entry = this.begun[family];
    const first = this.latest?.family === family ? this.latest.ids : this.ids(entry.first);
    let shared = Math.min(entry.shared, ids.length - 1);
    for (let i = 0; i < shared; i++) if (first[i] !== ids[i]) shared = i;
    entry.shared = shared;
    entry.texts++;
    return family;
  }

  /** Number of a text's family; −1 for none. */
  family(index: number): number {
    return this.familyOf[this.different[index]];
  }

  /** Tokens with which all texts of its family begin, fewer than any of them has; 0 where it is the only one. */
  shared(index: number): number {
    const entry = this.begun[this.family(index)];
    return entry && entry.texts > 1 ? Math.max(0, entry.shared) : 0;
  }

  private flush(): void {
    if (this.pendingBytes > 0) this.file.append(Buffer.concat(this.pending));
    this.pending = [];
    this.pendingBytes = 0;
  }

  /** Texts pushed. */
  get size(): number {
    return this.different.length;
  }

  /** The first text that is equal to this one: itself, where it is new. */
  same(index: number): number {
    return this.firsts[this.different[index]];
  }

  length(index: number): number {
    const text = this.different[index];
    return this.offsets[text + 1] - this.offsets[text];
  }

  ids(index: number): Uint32Array {
    if (this.pendingBytes > 0) this.flush();
    const ids = new Uint32Array(this.length(index));
    this.file.read(new Uint8Array(ids.buffer), this.offsets[this.different[index]] * 4);
    return ids;
  }

  close(): void {
    this.file.close();
  }
}
