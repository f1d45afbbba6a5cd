// In: texts one after another. Out: the same by their place, from disk; neighbours are read together.
import { openTemporaryFile, type TemporaryFile } from "../files/temporaryFile";
import { createStoredNumbers, type StoredNumbers } from "./storedNumbers";

/** Bytes kept before they are written, and read at once. */
const BLOCK = 1 << 18;

/** Texts on disk; the first quarter of a megabyte touches none. */
export class TextStore {
  private file: TemporaryFile | undefined;
  private readonly ends: StoredNumbers = createStoredNumbers();
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  private written = 0;
  private block = Buffer.alloc(0);
  private blockStart = 0;
  private last = -1;

  /** @param name of the temporary file */
  constructor(private readonly name: string) {}

  /** @returns the place of the text */
  add(text: string): number {
    const bytes = Buffer.from(text);
    this.pending.push(bytes);
    this.pendingBytes += bytes.length;
    this.ends.push(this.written + this.pendingBytes);
    if (this.pendingBytes >= BLOCK) this.flush();
    return this.ends.length - 1;
  }

  private flush(): void {
    this.file ??= openTemporaryFile(this.name);
    this.file.append(Buffer.concat(this.pending));
    this.written += this.pendingBytes;
    this.pending = [];
    this.pendingBytes = 0;
  }

  get(index: number): string {
    const [start, end] = [index === 0 ? 0 : this.ends.get(index - 1), this.ends.get(index)];
    if (start < this.blockStart || end > this.blockStart + this.block.length) {
      if (this.pendingBytes > 0) this.flush();
      // after the one before comes the next: then it pays to read on
      const length =
        index === this.last + 1 ? Math.max(end - start, Math.min(BLOCK, this.written - start)) : end - start;
      this.block = Buffer.alloc(length);
      this.blockStart = start;
      if (length > 0) this.file!.read(this.block, start);
    }
    this.last = index;
    return this.block.toString("utf8", start - this.blockStart, end - this.blockStart);
  }
}
