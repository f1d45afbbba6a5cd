import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { encodeBfloat16 } from "../../lib/files/dtypes";
import { openSafetensors, readSafetensors, writeSafetensors } from "../../lib/files/safetensors";

const goldens = join(__dirname, "..", "goldens", "storage");
const scratch = mkdtempSync(join(tmpdir(), "safetensors-"));
afterAll(() => rmSync(scratch, { recursive: true }));
const file = (name: string) => join(scratch, name);

/** A file made of a header as text and data bytes. */
function fileOf(header: string | Buffer, data = Buffer.alloc(0), length?: bigint): string {
  const bytes = Buffer.from(header),
    size = Buffer.alloc(8);
  size.writeBigUInt64LE(length ?? BigInt(bytes.length));
  writeFileSync(file("made.safetensors"), Buffer.concat([size, bytes, data]));
  return file("made.safetensors");
}
const float = (text: string): number => {
  const match = /^(-?)0x(\d)\.([0-9a-f]+)p([+-]\d+)$/.exec(text);
  return match
    ? (match[1] ? -1 : 1) * (Number(match[2]) + parseInt(match[3], 16) / 16 ** match[3].length) * 2 ** Number(match[4])
    : Number(text.replace("inf", "Infinity"));
};

// Expected: Python's safetensors and torch (tests/goldens/storage.py).
describe("against Python's safetensors", () => {
  it("reads every floating dtype to the same numbers and leaves integers out", async () => {
    const { tensors: expected } = JSON.parse(readFileSync(join(goldens, "mixed.json"), "utf8"));
    const tensors = await readSafetensors(join(goldens, "mixed.safetensors"));
    expect([...tensors.keys()].sort()).toEqual(Object.keys(expected).sort());
    for (const [name, { shape, values }] of Object.entries<{ shape: number[]; values: string[] }>(expected)) {
      expect(tensors.get(name)!.shape).toEqual(shape);
      expect([...tensors.get(name)!.data]).toEqual(values.map(float));
    }
  });

  it("knows the metadata and the tensors it does not read", async () => {
    const opened = await openSafetensors(join(goldens, "mixed.safetensors"));
    expect(opened.metadata.get("note")).toBe("hé");
    expect(opened.tensors.get("position_ids")).toMatchObject({ dtype: "I64", shape: [1, 6] });
    await expect(opened.read("flags")).rejects.toThrow(
      /mixed\.safetensors: tensor "flags": expected F32, F16, BF16 or F64, got BOOL/,
    );
    await opened.close();
  });

  it("rounds to bfloat16 as torch does", async () => {
    const tensors = await readSafetensors(join(goldens, "rounding.safetensors"));
    const { f32, bf16 } = Object.fromEntries([...tensors].map(([name, { data }]) => [name, data]));
    const ours = [...encodeBfloat16(f32)],
      theirs = [...new Uint32Array(bf16.buffer)].map((word) => word >>> 16);
    expect(ours).toEqual(theirs);
    expect(
      [...encodeBfloat16(new Float32Array(new Uint32Array([0x7f800001, 0xffffffff]).buffer))].map(
        (bits) => (bits & 0x7f80) === 0x7f80 && (bits & 0x7f) !== 0,
      ),
    ).toEqual([true, true]);
  });

  it("writes back what it read, byte for byte", async () => {
    // Python orders by dtype, then name: with one dtype, by name.
    const tensors = await readSafetensors(join(goldens, "mixed.safetensors"));
    await writeSafetensors(file("a.safetensors"), tensors);
    await writeSafetensors(
      file("b.safetensors"),
      [...(await readSafetensors(file("a.safetensors")))].map(
        ([name, t]) => [name, { shape: t.shape, pieces: () => [t.data] }] as const,
      ),
    );
    expect(readFileSync(file("a.safetensors")).equals(readFileSync(file("b.safetensors")))).toBe(true);
    expect(readFileSync(file("a.safetensors")).readBigUInt64LE() % 8n).toBe(0n);
  });
});

describe("sharded", () => {
  const index = (map: Record<string, string>) =>
    writeFileSync(file("model.safetensors.index.json"), JSON.stringify({ metadata: {}, weight_map: map }));
  const one = (...names: string[]) =>
    names.map((name) => [name, { shape: [1], data: Float32Array.of(names.length) }] as const);
  it("reads all shards of a directory", async () => {
    await writeSafetensors(file("one.safetensors"), one("a", "b"));
    await writeSafetensors(file("two.safetensors"), one("c"));
    index({ a: "one.safetensors", b: "one.safetensors", c: "two.safetensors" });
    expect([...(await readSafetensors(scratch)).keys()].sort()).toEqual(["a", "b", "c"]);
  });
  it.each([
    [{ a: "../outside.safetensors" }, /"a": expected a \.safetensors file of the same directory/],
    [{ a: "/etc/passwd" }, /"a": expected a \.safetensors file of the same directory/],
    [{ a: "one.safetensors\0.safetensors" }, /"a": expected a \.safetensors file/],
    [{ a: "pytorch_model.bin" }, /"a": expected a \.safetensors file/],
    [{ a: "one.safetensors", d: "two.safetensors" }, /"d": expected it in two\.safetensors, got no such tensor/],
    [{ a: "two.safetensors" }, /"a": expected it in two\.safetensors, got no such tensor/],
    [{ a: "missing.safetensors" }, /missing\.safetensors: expected a readable safetensors file, got ENOENT/],
  ])("refuses %j", async (map, message) => {
    index(map as unknown as Record<string, string>);
    await expect(readSafetensors(scratch)).rejects.toThrow(message);
  });
  it("refuses a tensor that lies in two shards", async () => {
    await writeSafetensors(file("three.safetensors"), one("a"));
    index({ a: "one.safetensors", x: "three.safetensors" });
    await expect(readSafetensors(scratch)).rejects.toThrow(
      /"a": expected it in one file, got one\.safetensors and three\.safetensors/,
    );
  });
});

// Rules: safetensors' own `Metadata::validate` and its format document.
describe("hostile headers", () => {
  const f32 = (start: number, end: number, shape = `[${(end - start) / 4}]`) =>
    `{"dtype":"F32","shape":${shape},"data_offsets":[${start},${end}]}`;
  const eight = Buffer.alloc(8);
  it.each([
    [
      "a hole",
      `{"a":${f32(0, 4)},"b":${f32(8, 12)}}`,
      Buffer.alloc(12),
      /tensor "b": expected its data to start at byte 4, got 8/,
    ],
    [
      "an overlap",
      `{"a":${f32(0, 8)},"b":${f32(4, 8)}}`,
      eight,
      /tensor "b": expected its data to start at byte 8, got 4/,
    ],
    ["a start after 0", `{"a":${f32(4, 8)}}`, eight, /tensor "a": expected its data to start at byte 0, got 4/],
    [
      "trailing bytes",
      `{"a":${f32(0, 4)}}`,
      eight,
      /expected 4 bytes of data \(tensor "a" ends there\), got 8; the file is longer/,
    ],
    ["a cut file", `{"a":${f32(0, 8)}}`, Buffer.alloc(7), /expected 8 bytes of data .*got 7; the file is cut short/],
    ["a name twice", `{"a":${f32(0, 4)},"a":${f32(4, 8)}}`, eight, /"a": expected each name once, got it twice/],
    ["a name twice, escaped", `{"a":${f32(0, 4)},"\\u0061":${f32(4, 8)}}`, eight, /"a": expected each name once/],
    [
      "a key twice inside",
      `{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}`,
      eight,
      /"dtype": expected each name once/,
    ],
    [
      "a size beyond 2^53",
      `{"a":${f32(0, 8, "[9007199254740993,0]")}}`,
      eight,
      /tensor "a": shape: expected a list of sizes below 2\^53/,
    ],
    [
      "an overflowing product",
      `{"a":${f32(0, 8, "[4294967296,4294967296,4294967296,4294967296]")}}`,
      eight,
      /tensor "a": expected a whole number below 2\^50 of bytes/,
    ],
    [
      "a product that wraps to the right size in 64 bits",
      `{"a":${f32(0, 8, "[4611686018427387904,2]")}}`,
      eight,
      /tensor "a": shape/,
    ],
    ["a negative size", `{"a":${f32(0, 8, "[-2]")}}`, eight, /header: expected whole numbers, got -2/],
    ["a fractional size", `{"a":${f32(0, 8, "[2.0]")}}`, eight, /header: expected whole numbers, got 2\.0/],
    ["an exponent", `{"a":${f32(0, 8, "[2e0]")}}`, eight, /header: expected whole numbers, got 2e0/],
    ["a size as text", `{"a":${f32(0, 8, '["2"]')}}`, eight, /tensor "a": shape: expected a list of sizes/],
    [
      "another number of bytes",
      `{"a":${f32(0, 8, "[3]")}}`,
      eight,
      /tensor "a": expected 12 bytes \(F32 \[3\]\), got 8/,
    ],
    [
      "offsets backwards",
      `{"a":{"dtype":"F32","shape":[0],"data_offsets":[8,0]}}`,
      eight,
      /tensor "a": data_offsets: expected \[start, end\]/,
    ],
    [
      "an unknown dtype",
      `{"a":{"dtype":"toString","shape":[2],"data_offsets":[0,8]}}`,
      eight,
      /tensor "a": dtype: expected one of .*got "toString"/,
    ],
    [
      "metadata that are no strings",
      `{"__metadata__":{"n":1},"a":${f32(0, 8)}}`,
      eight,
      /__metadata__\.n: expected a string, got 1/,
    ],
    ["an array", `[]`, eight, /header: expected a JSON object/],
    ["leading space", ` {}`, Buffer.alloc(0), /header: expected a JSON object/],
    ["a tensor that is null", `{"a":null}`, Buffer.alloc(0), /tensor "a": expected an object, got null/],
    ["broken JSON", `{"a":`, eight, /header: expected JSON/],
    ["JSON that nests too deep", `{"a":${"[".repeat(200_000)}`, eight, /header: expected JSON/],
    ["a lone surrogate", `{"\\ud800":${f32(0, 8)}}`, eight, /got a lone surrogate/],
    [
      "bytes that are no UTF-8",
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      eight,
      /header: expected UTF-8/,
    ],
  ])("%s", async (_, header, data, message) => {
    await expect(readSafetensors(fileOf(header, data))).rejects.toThrow(message);
    await expect(readSafetensors(fileOf(header, data))).rejects.toThrow("made.safetensors: ");
  });

  it.each([
    ["longer than the file", 1000n, /header: expected at most 2 bytes, got 1000/],
    ["beyond 2^63", 0xffffffffffffffffn, /header: expected at most 2 bytes, got 18446744073709551615/],
  ])("a header length %s", async (_, length, message) => {
    await expect(readSafetensors(fileOf("{}", Buffer.alloc(0), length))).rejects.toThrow(message);
  });

  it("accepts names that are keys of every object, zero sizes, padding and no tensors", async () => {
    const header = `{"__proto__":${f32(0, 4)},"constructor":${f32(4, 8)},"hasOwnProperty":{"dtype":"F64","shape":[0,9007199254740991],"data_offsets":[8,8]}}   `;
    const tensors = await readSafetensors(fileOf(header, Buffer.from(Float32Array.of(1, 2).buffer)));
    expect([...tensors].map(([name, { data }]) => [name, ...data])).toEqual([
      ["__proto__", 1],
      ["constructor", 2],
      ["hasOwnProperty"],
    ]);
    expect((await readSafetensors(fileOf("{}"))).size).toBe(0);
  });

  it("reads a header with a name of four million characters", async () => {
    const name = "x".repeat(4e6);
    expect([...(await readSafetensors(fileOf(`{"${name}":${f32(0, 8)}}`, eight))).keys()]).toEqual([name]);
  });
});
