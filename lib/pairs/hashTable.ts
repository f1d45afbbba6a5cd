// In: hashes. Out: the number under which each was put down, without a hash twice; 18 to 36 bytes a hash.

/** Whole numbers from 0 under hashes. */
export interface HashTable {
  readonly size: number;
  /** The number of a hash; −1 where it has none. */
  get(hash: number): number;
  /** Puts a number down for a hash that has none yet. */
  set(hash: number, value: number): void;
}

const FIRST_SLOTS = 1024;
/** Share of slots that may be taken: above it searches grow long. */
const FULL = 2 / 3;

/** Open addressing with linear probing; the hashes must be well mixed, as those of `hashText` are. */
export function createHashTable(): HashTable {
  let keys = new Float64Array(FIRST_SLOTS);
  let values = new Int32Array(FIRST_SLOTS).fill(-1);
  let size = 0;

  /** The slot that holds a hash, or the empty one where it belongs. */
  const slotOf = (hash: number): number => {
    let slot = hash % values.length;
    while (values[slot] >= 0 && keys[slot] !== hash) slot = slot + 1 === values.length ? 0 : slot + 1;
    return slot;
  };
  const put = (hash: number, value: number): void => {
    const slot = slotOf(hash);
    keys[slot] = hash;
    values[slot] = value;
  };
  const grow = (): void => {
    const [oldKeys, oldValues] = [keys, values];
    keys = new Float64Array(oldKeys.length * 2);
    values = new Int32Array(oldValues.length * 2).fill(-1);
    oldValues.forEach((value, i) => value >= 0 && put(oldKeys[i], value));
  };
  return {
    get size() {
      return size;
    },
    get: (hash) => values[slotOf(hash)],
    set: (hash, value) => {
      if (size >= FULL * values.length) grow();
      put(hash, value);
      size++;
    },
  };
}
