// In: the token ids of many texts. Out: the same from disk, equal ones stored once.
import { createHash } from "node:crypto";
import { openTemporaryFile } from "../files/temporaryFile";
import { hashText } from "../pairs/hash";
import { createHashTable } from "../pairs/hashTable";
import { createStoredNumbers } from "../pairs/storedNumbers";
import { createWholeNumbers } from "../pairs/wholeNumbers";

const sha256 = (ids: Uint32Array): Buffer =>
  createHash("sha256")
    .update(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength))
    .digest();

/** Stands for a text: sha256 of its token ids. */
export const textHash = (ids: Uint32Array): string => sha256(ids).toString("latin1");

/** Token ids of many texts, equal ones once, in one unlinked temporary file: memory stays flat however long they are. */
export class TokenStore {
  private readonly file = openTemporaryFile("tokens");
  private readonly different = createWholeNumbers(); // of each text, the number of its token ids among all different ones
  private readonly known = createHashTable(); // 52 bits of the hash → number of the different text
  /** Of each different text: its first place, 32 more bits of its hash, its tokens, the bytes before it, its family or −1. */
  private readonly firsts = createWholeNumbers();
  private readonly checks = createWholeNumbers();
  private readonly lengths = createWholeNumbers();
  private readonly starts = createStoredNumbers();
  private readonly familyOf = createWholeNumbers();
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  private bytes = 0;
  private readonly families = createHashTable(); // hash of the name → number
  /** Of each family: its first text, tokens that all share, its different texts. */
  private readonly familyFirsts = createWholeNumbers();
  private readonly familyShared = createWholeNumbers();
  private readonly familyTexts = createWholeNumbers();
  private latest: { readonly family: number; readonly ids: Uint32Array } | null = null;

  /**
   * Adds one text; ids fit 32 bits.
   *
   * @param family name of texts that may begin alike: those of one prompt
   */
  push(ids: Uint32Array, family?: string): void {
    const digest = sha256(ids);
    const hash = digest.readUIntBE(0, 6) * 16 + (digest[6] >> 4);
    const check = digest.readInt32BE(8);
    const known = this.known.get(hash);
    const same = known >= 0 && this.checks.get(known) === check && this.lengths.get(known) === ids.length;
    this.different.push(same ? known : this.firsts.length);
    if (same) return;
    this.familyOf.push(family === undefined ? -1 : this.join(hashText(family), ids));
    if (known < 0) this.known.set(hash, this.firsts.length);
    this.firsts.push(this.different.length - 1);
    this.checks.push(check);
    this.lengths.push(ids.length);
    this.starts.push(this.bytes);
    this.bytes += ids.byteLength;
    this.pending.push(Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength));
    this.pendingBytes += ids.byteLength;
    if (this.pendingBytes > 1 << 20) this.flush();
  }

  /** Adds a different text to its family, whose texts begin with what all of them have in common. */
  private join(name: number, ids: Uint32Array): number {
    const family = this.families.get(name);
    if (family < 0) {
      const fresh = this.familyFirsts.push(this.different.length - 1);
      this.families.set(name, fresh);
      this.familyShared.push(ids.length - 1);
      this.familyTexts.push(1);
      this.latest = { family: fresh, ids };
      return fresh;
    }
    const first = this.latest?.family === family ? this.latest.ids : this.ids(this.familyFirsts.get(family));
    let shared = Math.min(this.familyShared.get(family), ids.length - 1);
    for (let i = 0; i < shared; i++) if (first[i] !== ids[i]) shared = i;
    this.familyShared.set(family, shared);
    this.familyTexts.set(family, this.familyTexts.get(family) + 1);
    return family;
  }

  /** Number of a text's family; −1 for none. */
  family(index: number): number {
    return this.familyOf.get(this.different.get(index));
  }

  /** Tokens with which all texts of its family begin, fewer than any of them has; 0 where it is the only one. */
  shared(index: number): number {
    const family = this.family(index);
    return family >= 0 && this.familyTexts.get(family) > 1 ? Math.max(0, this.familyShared.get(family)) : 0;
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
    return this.firsts.get(this.different.get(index));
  }

  length(index: number): number {
    return this.lengths.get(this.different.get(index));
  }

  ids(index: number): Uint32Array {
    if (this.pendingBytes > 0) this.flush();
    const ids = new Uint32Array(this.length(index));
    this.file.read(new Uint8Array(ids.buffer), this.starts.get(this.different.get(index)));
    return ids;
  }

  close(): void {
    this.file.close();
    this.starts.close();
  }
}
