// In: pairs one by one. Out: the same pairs, their texts on disk: each is read again when it is looked at.
import { openTemporaryFile, type TemporaryFile } from "../files/temporaryFile";
import type { PreferencePair } from "./pair";
import { createNumberList } from "./hash";

/** Bytes kept before they are written, and read at once. */
const BLOCK = 1 << 18;

/** Takes pairs and gives each back as an object of a few bytes. */
export interface PairStore {
  add(pair: PreferencePair): PreferencePair;
}

/** Where the records lie: one JSON text each, one after another, in a file without a name. */
class Records {
  private readonly file: TemporaryFile = openTemporaryFile("pairs");
  private readonly ends = createNumberList();
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  private written = 0;
  private block = Buffer.alloc(0);
  private blockStart = 0;
  private last = -1;
  private record: PreferencePair | null = null;

  add(pair: PreferencePair): number {
    const bytes = Buffer.from(JSON.stringify(pair));
    this.pending.push(bytes);
    this.pendingBytes += bytes.length;
    this.ends.push(this.written + this.pendingBytes);
    if (this.pendingBytes >= BLOCK) this.flush();
    return this.ends.length - 1;
  }

  private flush(): void {
    this.file.append(Buffer.concat(this.pending));
    this.written += this.pendingBytes;
    this.pending = [];
    this.pendingBytes = 0;
  }

  /** Neighbours come from one block; the record looked at last is kept as it is. */
  get(index: number): PreferencePair {
    if (index === this.last && this.record) return this.record;
    if (this.pendingBytes > 0) this.flush();
    const ends = this.ends.values();
    const [start, end] = [index === 0 ? 0 : ends[index - 1], ends[index]];
    if (start < this.blockStart || end > this.blockStart + this.block.length) {
      // after the one before comes the next: then it pays to read on
      const length =
        index === this.last + 1 ? Math.max(end - start, Math.min(BLOCK, this.written - start)) : end - start;
      this.block = Buffer.alloc(length);
      this.blockStart = start;
      this.file.read(this.block, start);
    }
    this.record = JSON.parse(
      this.block.toString("utf8", start - this.blockStart, end - this.blockStart),
    ) as PreferencePair;
    this.last = index;
    return this.record;
  }
}

/** Every field of a pair; the type asks for each. */
const FIELDS: Record<keyof PreferencePair, true> = {
  id: true,
  questionId: true,
  prompt: true,
  chosen: true,
  rejected: true,
  promptMessages: true,
  chosenMessages: true,
  rejectedMessages: true,
  margin: true,
  scoreChosen: true,
  scoreRejected: true,
  riskLevel: true,
  confidencePenalty: true,
  category: true,
  preferenceType: true,
  subset: true,
  line: true,
  raw: true,
};

/** A pair of a store: what it holds is where to look. Its fields are its own, so that a copy `{ ...pair }` has them all. */
class StoredPair {
  readonly #records: Records;
  readonly #index: number;
  constructor(records: Records, index: number) {
    this.#records = records;
    this.#index = index;
    Object.defineProperties(this, READERS);
  }
  look(): PreferencePair {
    return this.#records.get(this.#index);
  }
  toJSON(): PreferencePair {
    return this.look();
  }
}

/** One getter a field for all pairs: objects of one shape, with nothing but two references each. */
const READERS: PropertyDescriptorMap = Object.fromEntries(
  (Object.keys(FIELDS) as (keyof PreferencePair)[]).map((field) => [
    field,
    {
      get(this: StoredPair) {
        return this.look()[field];
      },
      enumerable: true,
    },
  ]),
);

export function createPairStore(): PairStore {
  const records = new Records();
  return { add: (pair) => new StoredPair(records, records.add(pair)) as unknown as PreferencePair };
}
