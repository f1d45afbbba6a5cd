// Damaged Parquet files: each is refused by one error that names the file, or read; none ends the process, none goes on for ever.
import { readFileSync, readdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { InputError } from "../../lib/errors";
import { readPairs } from "../../lib/pairs/read";
import { createRandom } from "../../lib/random";

const goldens = join(__dirname, "..", "goldens", "pairs");
const scratch = mkdtempSync(join(tmpdir(), "parquet-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Some bytes changed, most of them in the description at the end of the file; sometimes cut short. */
function mutant(file: string, seed: number): Buffer {
  const random = createRandom(seed);
  const bytes = readFileSync(join(goldens, file));
  const description = bytes.readUInt32LE(bytes.length - 8) + 8;
  for (let n = 1 + random.integer(3); n > 0; n--) {
    const at = random.integer(4)
      ? bytes.length - description + random.integer(description)
      : random.integer(bytes.length);
    bytes[at] = random.integer(2) ? bytes[at] ^ (1 << random.integer(8)) : [0, 255, 127, 128][random.integer(4)];
  }
  return random.integer(12) ? bytes : bytes.subarray(0, random.integer(bytes.length));
}

describe.each(readdirSync(goldens).filter((name) => name.endsWith(".parquet")))("150 mutants of %s", (file) => {
  test("are refused by the file's name or read", async () => {
    const path = join(scratch, file);
    let refused = 0;
    for (let seed = 0; seed < 150; seed++) {
      writeFileSync(path, mutant(file, seed));
      try {
        for await (const pair of readPairs(path, { skip_bad_rows: true, allow_none: true }))
          expect(pair.line).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        const { message } = error as Error;
        expect(message.startsWith(`${path}: `)).toBe(true);
        // words of JavaScript tell the user nothing
        expect(message).not.toMatch(
          /undefined \(reading|is not iterable|DataView|Invalid (typed )?array|BigInt|not a function/,
        );
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(20);
  });
});

test("a count that the columns do not have is refused before its rows are asked for", async () => {
  // num_rows of the file's description, 3 in the golden, as a variable-length number in zigzag form
  const bytes = readFileSync(join(goldens, "plain_none.parquet"));
  const path = join(scratch, "rows.parquet");
  const start = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
  let refused = 0;
  for (let at = start; at < bytes.length - 8; at++) {
    const changed = Buffer.from(bytes);
    if (changed[at] !== 6) continue; // 3 rows
    changed[at] = 126; // 63 rows
    writeFileSync(path, changed);
    try {
      for await (const pair of readPairs(path)) expect(pair.line).toBeLessThan(4);
    } catch (error) {
      if (/row group|row groups/.test((error as Error).message)) refused++;
    }
  }
  expect(refused).toBeGreaterThan(0);
});
