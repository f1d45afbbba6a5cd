import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { InputError } from "../../lib/errors";
import { createRandom } from "../../lib/random";
import { readSafetensors } from "../../lib/files/safetensors";

const goldens = join(__dirname, "..", "goldens", "storage");
const scratch = mkdtempSync(join(tmpdir(), "mutations-"));
afterAll(() => rmSync(scratch, { recursive: true }));

type Edit = [offset: number, removed: number, inserted: string];
const apply = (bytes: Buffer, edits: Edit[]) =>
  edits.reduce(
    (b, [at, removed, inserted]) =>
      Buffer.concat([b.subarray(0, at), Buffer.from(inserted, "hex"), b.subarray(at + removed)]),
    bytes,
  );

async function read(bytes: Buffer): Promise<Record<string, number[]> | string> {
  const path = join(scratch, "mutant.safetensors");
  writeFileSync(path, bytes);
  try {
    return Object.fromEntries([...(await readSafetensors(path))].map(([name, { data }]) => [name, [...data]]));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    expect(error.message.startsWith(path)).toBe(true);
    return error.message;
  }
}
const number = (text: string) =>
  Math.fround(text.endsWith("inf") ? Number(text.replace("inf", "Infinity")) : Number(text));

// Expected: what Python's safetensors does with each mutant (tests/goldens/storage.py): refused, or these numbers.
describe("4,000 mutated files", () => {
  it("are refused with the file's name, or read to Python's numbers", async () => {
    const base = readFileSync(join(goldens, "small.safetensors"));
    const cases = JSON.parse(readFileSync(join(goldens, "mutations.json"), "utf8")) as [
      Edit[],
      Record<string, string[]> | null,
    ][];
    const tooLenient: string[] = [],
      wrong: string[] = [],
      stricter: string[] = [];
    let accepted = 0;
    for (const [edits, verdict] of cases) {
      const ours = await read(apply(base, edits));
      if (typeof ours === "string") {
        if (verdict) stricter.push(ours.replace(/^.*?safetensors: /, ""));
      } else {
        accepted++;
        if (!verdict) tooLenient.push(JSON.stringify(edits));
        else {
          const expected = Object.fromEntries(
            Object.entries(verdict).map(([name, values]) => [name, values.map((v) => (v === "nan" ? NaN : number(v)))]),
          );
          if (
            !Object.keys(expected).every(
              (name) => ours[name] && expected[name].every((v, i) => Object.is(v, ours[name][i])),
            )
          )
            wrong.push(JSON.stringify([edits, ours, expected]));
        }
      }
    }
    expect({ tooLenient, wrong }).toEqual({ tooLenient: [], wrong: [] });
    // Python's reader takes dtypes that only we refuse to turn into float32, and nothing else.
    expect(stricter.filter((message) => !/expected F32, F16, BF16 or F64, got/.test(message))).toEqual([]);
    expect(accepted).toBeGreaterThan(100);
  });

  it("of random bytes never crash it", async () => {
    const random = createRandom(5);
    for (let i = 0; i < 1000; i++) {
      const body = Buffer.from(Array.from({ length: random.integer(64) }, () => random.integer(256)));
      const head = Buffer.alloc(8);
      head.writeBigUInt64LE(BigInt(random.integer(body.length + 2)));
      if (body.length) body[0] = 0x7b;
      const result = await read(i % 2 ? Buffer.concat([head, body]) : body);
      if (typeof result !== "string") expect(Object.keys(result)).toEqual([]);
    }
  });
});
