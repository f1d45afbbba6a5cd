// In: MinHash values of texts. Out: the keys of their bands and a byte of each value, on disk but for a block at a time.
import { openTemporaryFile, type TemporaryFile } from "../files/temporaryFile";

/** Rows of a band × bands = length of a signature; finds similarity 0.8 with probability 0.998. */
const ROWS = 6;
export const BANDS = 20;
export const SIGNATURE = ROWS * BANDS;
/** Items that are written at once: the keys band by band, then the bytes item by item. */
const BLOCK = 4096;
const BLOCK_BYTES = BLOCK * (4 * BANDS + SIGNATURE);
/** Neighbours whose bytes are read together, and how many such pieces stay. */
const PIECE = 64;
const PIECES_KEPT = 128;

/** Signatures by the number of their item. */
export interface Signatures {
  readonly size: number;
  /** @param values least hash of each permutation, Uint32[SIGNATURE] */
  add(values: Uint32Array): void;
  /** Hands over the keys of one band in the order of the items; each list is overwritten by the next. */
  forEachKeys(band: number, each: (keys: Uint32Array, firstItem: number) => void): void;
  /** Share of the values in which two items agree, by one byte of each. */
  agreement(a: number, b: number): number;
}

/** Finaliser of MurmurHash3: spreads the bits of a 32-bit number. */
export function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export function createSignatures(): Signatures {
  let keys = new Uint32Array(BANDS * 64);
  let bytes = new Uint8Array(SIGNATURE * 64);
  /** Items that the block in memory has room for; it grows up to BLOCK. */
  let room = 64;
  let file: TemporaryFile | undefined;
  let size = 0;
  const written = () => size - (size % BLOCK);
  const bandKeys = new Uint32Array(BLOCK);
  const pieces = createPieces((block, from) => ({
    file: file!,
    position: block * BLOCK_BYTES + 4 * BANDS * BLOCK + from,
  }));

  const makeRoom = (): void => {
    const [oldKeys, oldRoom] = [keys, room];
    room = Math.min(BLOCK, room * 4);
    keys = new Uint32Array(BANDS * room);
    for (let band = 0; band < BANDS; band++)
      keys.set(oldKeys.subarray(band * oldRoom, (band + 1) * oldRoom), band * room);
    const more = new Uint8Array(SIGNATURE * room);
    more.set(bytes);
    bytes = more;
  };

  const add = (values: Uint32Array): void => {
    const at = size % BLOCK;
    if (at >= room) makeRoom();
    for (let band = 0; band < BANDS; band++) {
      let key = band;
      for (let row = 0; row < ROWS; row++) key = mix(Math.imul(key, 31) ^ values[band * ROWS + row]);
      keys[band * room + at] = key;
    }
    for (let k = 0; k < SIGNATURE; k++) bytes[at * SIGNATURE + k] = values[k] & 255;
    size++;
    if (size % BLOCK > 0) return;
    file ??= openTemporaryFile("signatures");
    file.append(new Uint8Array(keys.buffer));
    file.append(bytes);
  };

  const forEachKeys = (band: number, each: (keys: Uint32Array, firstItem: number) => void): void => {
    for (let item = 0; item < written(); item += BLOCK) {
      file!.read(new Uint8Array(bandKeys.buffer), (item / BLOCK) * BLOCK_BYTES + band * BLOCK * 4);
      each(bandKeys, item);
    }
    if (size > written()) each(keys.subarray(band * room, band * room + (size % BLOCK)), written());
  };

  const agreement = (a: number, b: number): number => {
    const [one, two] = [a, b].map((item) =>
      item < written() ? pieces.of(item) : { bytes, at: (item % BLOCK) * SIGNATURE },
    );
    let same = 0;
    for (let k = 0; k < SIGNATURE; k++) if (one.bytes[one.at + k] === two.bytes[two.at + k]) same++;
    return same / SIGNATURE;
  };
  return {
    get size() {
      return size;
    },
    add,
    forEachKeys,
    agreement,
  };
}

/** Bytes of items read lately, in pieces of neighbours. */
function createPieces(place: (block: number, from: number) => { file: TemporaryFile; position: number }) {
  const kept = Array.from({ length: PIECES_KEPT }, () => ({ piece: -1, bytes: new Uint8Array(0) }));
  /** Two items that meet in one slot must not overwrite each other: a piece that is replaced gets bytes of its own. */
  const of = (item: number): { bytes: Uint8Array; at: number } => {
    const piece = Math.floor(item / PIECE);
    const slot = kept[piece % PIECES_KEPT];
    if (slot.piece !== piece) {
      slot.bytes = new Uint8Array(PIECE * SIGNATURE);
      const { file, position } = place(Math.floor(item / BLOCK), (piece % (BLOCK / PIECE)) * PIECE * SIGNATURE);
      file.read(slot.bytes, position);
      slot.piece = piece;
    }
    return { bytes: slot.bytes, at: (item % PIECE) * SIGNATURE };
  };
  return { of };
}
