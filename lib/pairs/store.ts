// In: pairs one by one. Out: the same pairs, their texts on disk: each is read again when it is looked at.
import type { PreferencePair } from "./pair";
import { TextStore } from "./textStore";

/** Takes pairs and gives each back as an object of a few bytes. */
export interface PairStore {
  add(pair: PreferencePair): PreferencePair;
}

/** Where the records lie: one JSON text each. The record looked at last is kept as it is. */
class Records {
  private readonly texts = new TextStore("pairs");
  private last = -1;
  private record: PreferencePair | null = null;

  add(pair: PreferencePair): number {
    return this.texts.add(JSON.stringify(pair));
  }

  get(index: number): PreferencePair {
    if (index === this.last && this.record) return this.record;
    this.record = JSON.parse(this.texts.get(index)) as PreferencePair;
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
