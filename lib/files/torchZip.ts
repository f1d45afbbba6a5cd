// In: the bytes of a file that torch.save wrote. Out: the files of the zip archive it is, as they were stored.
import { InputError } from "../errors";

const END_OF_DIRECTORY = 0x06054b50;
const END_BYTES = 22;
const ENTRY = 0x02014b50;
/** A field that does not fit 32 bits: its value stands in the entry's extra field. */
const ELSEWHERE = 0xffffffff;

/**
 * Reads the central directory. Torch stores its files without compression.
 *
 * @throws InputError when the bytes are no such archive
 * Reference: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3
 */
export function readStoredZip(bytes: Uint8Array, where: string): Map<string, Uint8Array> {
  const refuse = (got: string): never => {
    throw new InputError(
      `${where}: expected a zip archive as torch.save writes it, got ${got}; save it as safetensors`,
    );
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - END_BYTES;
  while (end >= 0 && view.getUint32(end, true) !== END_OF_DIRECTORY) end--;
  if (end < 0) refuse("another file");
  const files = new Map<string, Uint8Array>();
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== ENTRY) refuse("a damaged directory");
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameBytes));
    if (view.getUint16(at + 10, true) !== 0) refuse(`the compressed file ${JSON.stringify(name)}`);
    const { size, header } = placeOf(view, at, 46 + nameBytes, extraBytes);
    if (header + 30 > bytes.length) refuse("a damaged directory");
    const start = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
    if (start + size > bytes.length) refuse("a file that was cut short");
    files.set(name, bytes.subarray(start, start + size));
    at += 46 + nameBytes + extraBytes + commentBytes;
  }
  return files;
}

/** Size of an entry and where its own header begins; from the 64-bit extra field (id 1) where the short ones are full. */
function placeOf(view: DataView, at: number, extraAt: number, extraBytes: number): { size: number; header: number } {
  let [size, header] = [view.getUint32(at + 24, true), view.getUint32(at + 42, true)];
  const compressed = view.getUint32(at + 20, true);
  for (let from = at + extraAt; from + 4 <= at + extraAt + extraBytes; from += 4 + view.getUint16(from + 2, true)) {
    if (view.getUint16(from, true) !== 1) continue;
    let field = from + 4;
    const next = () => Number(view.getBigUint64((field += 8) - 8, true));
    if (size === ELSEWHERE) size = next();
    if (compressed === ELSEWHERE) next();
    if (header === ELSEWHERE) header = next();
  }
  return { size, header };
}
