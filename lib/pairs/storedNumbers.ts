// In: numbers one after another. Out: the same by their place, on disk but for the last ones and those looked at lately.
import { openTemporaryFile, type TemporaryFile } from "../files/temporaryFile";

const BLOCK = 8192;
/** Blocks read lately that stay, by the last bits of their number. */
const KEPT = 16;

/** Numbers on disk; few of them touch no disk. */
export interface StoredNumbers {
  readonly length: number;
  push(value: number): void;
  get(index: number): number;
  close(): void;
}

export function createStoredNumbers(): StoredNumbers {
  const last = new Float64Array(BLOCK);
  const kept = Array.from({ length: KEPT }, () => ({ block: -1, numbers: new Float64Array(0) }));
  let file: TemporaryFile | undefined;
  let length = 0;

  const blockOf = (block: number): Float64Array => {
    const slot = kept[block % KEPT];
    if (slot.block !== block) {
      if (slot.numbers.length === 0) slot.numbers = new Float64Array(BLOCK);
      file!.read(new Uint8Array(slot.numbers.buffer), block * BLOCK * 8);
      slot.block = block;
    }
    return slot.numbers;
  };
  return {
    get length() {
      return length;
    },
    push(value) {
      last[length++ % BLOCK] = value;
      if (length % BLOCK > 0) return;
      file ??= openTemporaryFile("numbers");
      file.append(new Uint8Array(last.buffer));
    },
    get(index) {
      const block = Math.floor(index / BLOCK);
      const numbers = block * BLOCK >= length - (length % BLOCK) ? last : blockOf(block);
      return numbers[index % BLOCK];
    },
    close: () => file?.close(),
  };
}
