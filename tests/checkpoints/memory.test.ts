import { mkdtempSync, openSync, closeSync, ftruncateSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { iterateSafetensors, readSafetensors } from "../../lib/files/safetensors";

const scratch = mkdtempSync(join(tmpdir(), "memory-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A file whose tensors are holes on disk, but for the last number of each. */
function sparse(sizes: Record<string, [dtype: string, elements: number, width: number, last: Buffer]>): string {
  let end = 0;
  const ends: [number, Buffer][] = [];
  const places = Object.entries(sizes).map(([name, [dtype, elements, width, last]]) => {
    const start = end;
    ends.push([(end += elements * width), last]);
    return [name, { dtype, shape: [elements], data_offsets: [start, end] }];
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(places)));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(header.length));
  const path = join(scratch, "big.safetensors"),
    file = openSync(path, "w");
  writeSync(file, Buffer.concat([size, header]));
  ftruncateSync(file, 8 + header.length + end);
  for (const [stop, last] of ends) writeSync(file, last, 0, last.length, 8 + header.length + stop - last.length);
  closeSync(file);
  return path;
}
const peak = () => process.resourceUsage().maxRSS * 1024;

it("holds one tensor at a time when iterating", async () => {
  const one = Buffer.from(Float32Array.of(1).buffer),
    elements = 2 ** 22;
  const path = sparse(Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`t${i}`, ["F32", elements, 4, one]])));
  let count = 0,
    largest = 0;
  for await (const [, { data }] of iterateSafetensors(path)) {
    count += data.at(-1)!;
    largest = Math.max(largest, process.memoryUsage().arrayBuffers);
  }
  expect(count).toBe(64);
  expect(largest).toBeLessThan(64 * 4 * elements);
});

// Limit: Node reads at most 2 GiB at once; peak memory at most 1.2 times the tensors.
it("reads a tensor beyond 2 GiB and one of bfloat16 within 1.2 times their memory", async () => {
  const three = Buffer.from(Float32Array.of(3).buffer),
    elements = 2 ** 29 + 1024,
    brains = 2 ** 26;
  const path = sparse({ big: ["F32", elements, 4, three], brain: ["BF16", brains, 2, three.subarray(2)] });
  const before = process.memoryUsage.rss();
  const tensors = await readSafetensors(path);
  expect([tensors.get("big")!.data.at(-1), tensors.get("brain")!.data.at(-1), tensors.get("big")!.data[5]]).toEqual([
    3, 3, 0,
  ]);
  expect(peak() - before).toBeLessThan(1.2 * 4 * (elements + brains));
});
