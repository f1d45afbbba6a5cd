// In: records of numbers, the first a hash. Out: the records that share a hash, group by group; on disk, but for a part at a time.
import { openTemporaryFile, type TemporaryFile } from "../files/temporaryFile";

/** Parts that are read and sorted one after another, told apart by the first bits of the hash. */
const PARTS = 64;
const HASH_BITS = 52;
/** Records kept of each part before they are written. */
const BLOCK = 512;

/** Records by their hashes. */
export interface HashGroups {
  /** Adds a record: a hash below 2^52 first, as `hashText` gives it. */
  add(...record: number[]): void;
  /**
   * Hands over each group of at least so many records, in the order of the hashes.
   *
   * @param each gets the records one after another, sorted by their numbers from the first to the last; they are lost afterwards
   * @returns how many different hashes there are
   */
  forEach(least: number, each: (records: Float64Array) => void): number;
  close(): void;
}

/** @param width numbers of a record */
export function createHashGroups(width: number): HashGroups {
  const pending = Array.from({ length: PARTS }, () => ({ numbers: new Float64Array(0) as Float64Array, length: 0 }));
  /** Numbers of the blocks of each part, in the order of writing. */
  const blocks = Array.from({ length: PARTS }, (): number[] => []);
  let file: TemporaryFile | undefined;
  let written = 0;

  const add = (...record: number[]): void => {
    const part = Math.floor(record[0] / 2 ** HASH_BITS / (1 / PARTS));
    const waiting = pending[part];
    if (waiting.length === waiting.numbers.length) {
      if (waiting.length === BLOCK * width) {
        file ??= openTemporaryFile("hashes");
        file.append(new Uint8Array(waiting.numbers.buffer));
        blocks[part].push(written++);
        waiting.length = 0;
      } else waiting.numbers = grown(waiting.numbers, Math.max(8 * width, Math.min(BLOCK * width, waiting.length * 4)));
    }
    for (const number of record) waiting.numbers[waiting.length++] = number;
  };

  const readPart = (part: number): Float64Array => {
    const { numbers, length } = pending[part];
    const size = BLOCK * width;
    const all = new Float64Array(blocks[part].length * size + length);
    blocks[part].forEach((block, i) =>
      file!.read(new Uint8Array(all.buffer, i * size * 8, size * 8), block * size * 8),
    );
    all.set(numbers.subarray(0, length), blocks[part].length * size);
    return sorted(all, width);
  };

  const forEach = (least: number, each: (records: Float64Array) => void): number => {
    let groups = 0;
    for (let part = 0; part < PARTS; part++) {
      const records = readPart(part);
      for (let start = 0, end = 0; start < records.length; start = end) {
        const hash = records[start];
        for (end = start + width; end < records.length && records[end] === hash; end += width);
        if (end - start >= least * width) each(records.subarray(start, end));
        groups++;
      }
    }
    return groups;
  };
  return { add, forEach, close: () => file?.close() };
}

const grown = (from: Float64Array, length: number): Float64Array => {
  const to = new Float64Array(length);
  to.set(from);
  return to;
};

/** Records in the order of their numbers, the first before the second. */
function sorted(records: Float64Array, width: number): Float64Array {
  const order = Uint32Array.from({ length: records.length / width }, (_, i) => i * width);
  order.sort((a, b) => {
    for (let k = 0; k < width; k++) if (records[a + k] !== records[b + k]) return records[a + k] - records[b + k];
    return 0;
  });
  const out = new Float64Array(records.length);
  order.forEach((from, i) => {
    for (let k = 0; k < width; k++) out[i * width + k] = records[from + k];
  });
  return out;
}
