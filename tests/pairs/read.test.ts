// Containers and bad input. Expected pairs are what Python wrote (tests/goldens/pairs.py) or stand in the test.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { loadPairs, readPairs } from "../../lib/pairs/read";
import { readCsv } from "../../lib/pairs/containers/csv";
import { writeRejectedRows } from "../../lib/pairs/rejectedRows";
import { failure, golden, scratch } from "./helpers";

const { directory, write, lines } = scratch();
const good = { prompt: "p", chosen: "c", rejected: "r" };

describe("bad input", () => {
  it("names file and line of the first ten rows at fault and how many there are", async () => {
    const path = write(
      "bad.jsonl",
      [JSON.stringify(good), ...Array.from({ length: 12 }, () => "{oops"), '{"prompt":"p","chosen":"c"}'].join("\n"),
    );
    const { name, message } = await failure(loadPairs(path));
    expect(name).toBe("InputError");
    expect(message).toContain(`${path}: 13 of 14 rows are at fault`);
    expect(message).toContain(`${path}:2: `);
    expect(message).toContain(`${path}:11: `);
    expect(message).not.toContain(`${path}:12: `);
    expect(message).toContain("and 3 more");
  });

  const faults: [string, string, string][] = [
    ["malformed_json", "{bad}", "malformed JSON"],
    ["not_an_object", "[1]", "got a list"],
    ["missing_field", '{"prompt":"p","chosen":"c"}', 'expected field "rejected"'],
    ["wrong_type", '{"prompt":"p","chosen":3,"rejected":"r"}', "chosen: expected a string, got a number"],
    ["wrong_type", '{"prompt":"p","chosen":"c","rejected":"r","margin":"wide"}', "margin: expected a finite number"],
    ["wrong_type", '{"prompt":null,"chosen":"c","rejected":"r"}', "prompt: expected a string, got null"],
    ["invalid_value", '{"prompt":"p","chosen":"c","rejected":"r","confidence_penalty":-1}', "expected 0 or more"],
    ["duplicate_key", '{"prompt":"p","prompt":"q","chosen":"c","rejected":"r"}', '"prompt" twice'],
    [
      "nested_too_deep",
      `{"prompt":"p","chosen":"c","rejected":"r","x":${"[".repeat(9000)}${"]".repeat(9000)}}`,
      "levels of nesting",
    ],
  ];
  for (const [reason, line, words] of faults)
    it(`${reason}: ${words}`, async () => {
      const path = write("fault.jsonl", `${JSON.stringify(good)}\n${line}\n${JSON.stringify(good)}\n`);
      expect((await failure(loadPairs(path))).message).toContain(words);
      const { pairs, report } = await loadPairs(path, { skip_bad_rows: true });
      expect(pairs.map(({ line: at }) => at)).toEqual([1, 3]);
      expect(report.rejected).toMatchObject([{ line: 2, reason }]);
      expect(report.counts).toEqual({ [reason]: 1 });
    });

  it("a key that only looks repeated (in a nested object, in a value) is none", async () => {
    const { pairs } = await loadPairs(
      lines("nested.jsonl", [{ ...good, meta: { prompt: 1, chosen: 2 }, category: "prompt" }]),
    );
    expect(pairs).toHaveLength(1);
  });

  it("reports bytes that are no UTF-8 by line", async () => {
    const path = write(
      "latin.jsonl",
      Buffer.concat([
        Buffer.from(`${JSON.stringify(good)}\n`),
        Buffer.from('{"prompt":"caf\xe9","chosen":"c","rejected":"r"}\n', "latin1"),
      ]),
    );
    expect((await failure(loadPairs(path))).message).toContain(":2: expected UTF-8");
    const csv = write("latin.csv", Buffer.from("prompt,chosen,rejected\np,c,r\ncaf\xe9,c,r\n", "latin1"));
    expect((await failure(loadPairs(csv))).message).toContain(`${csv}:3: prompt: expected UTF-8`);
  });

  it("harmless names: __proto__, constructor and toString as fields and values", async () => {
    const path = write(
      "proto.jsonl",
      '{"__proto__":{"rejected":"evil"},"constructor":"x","prompt":"p","chosen":"c","rejected":"r","category":"__proto__","id":"toString"}\n',
    );
    const { pairs } = await loadPairs(path);
    expect(pairs[0]).toMatchObject({ id: "toString", category: "__proto__", rejected: "r" });
    expect(({} as Record<string, unknown>).rejected).toBeUndefined();
    const inherited = write("inherited.jsonl", '{"__proto__":{"rejected":"evil"},"prompt":"p","chosen":"c"}\n');
    expect((await failure(loadPairs(inherited))).message).toContain('expected field "rejected"');
  });

  it("a missing file, a directory, an empty file, only blank lines, UTF-16, an unknown name", async () => {
    const folder = join(directory, "folder");
    mkdirSync(folder);
    const cases: [string, string][] = [
      [join(directory, "absent.jsonl"), "no such file"],
      [folder, "got a directory"],
      [write("empty.jsonl", ""), "empty file"],
      [write("blank.jsonl", "\n \n"), "without rows"],
      [write("none.json", "[]"), "without rows"],
      [write("header.csv", "prompt,chosen,rejected\n"), "without rows"],
      [write("wide.jsonl", Buffer.from("\ufeff{}", "utf16le")), "UTF-16"],
      [write("what.bin", "hello"), "expected a .jsonl"],
      [write("fake.parquet", "hello, world"), "Parquet"],
      [write("torn.parquet", readFileSync(golden("plain_zstd.parquet")).subarray(0, 900)), "Parquet"],
      [write("torn.jsonl.gz", gzipSync(JSON.stringify(good)).subarray(0, 20)), "gzip"],
    ];
    for (const [path, words] of cases) {
      const { name, message } = await failure(loadPairs(path));
      expect([name, message]).toEqual(["InputError", expect.stringContaining(words)]);
      expect(message.startsWith(path)).toBe(true);
    }
  });

  it("an unknown column set names the columns and the formats", async () => {
    const { message } = await failure(loadPairs(lines("unknown.jsonl", [{ text: "a", label: 1 }])));
    expect(message).toMatch(/got text, label; rename the fields/);
    expect(message).toContain("original: question_text");
  });

  it("a torn JSON list names the line where the torn row begins", async () => {
    const text = JSON.stringify([good, good], null, 1);
    const path = write("torn.json", text.slice(0, text.lastIndexOf("}")));
    expect((await failure(loadPairs(path))).message).toContain(`${path}:7: expected the end of row 2`);
    expect((await failure(loadPairs(write("open.json", text.slice(0, text.lastIndexOf("]")))))).message).toContain(
      'expected "]"',
    );
    expect((await failure(loadPairs(write("tail.json", `${text} x`)))).message).toContain(
      "expected the end of the file",
    );
  });

  it("a malformed element of a JSON list is one fault with its row and line", async () => {
    const path = write("element.json", `[\n${JSON.stringify(good)},\n{"prompt": oops}\n]`);
    expect((await failure(loadPairs(path))).message).toContain(`${path}:3 (row 2): `);
    expect((await loadPairs(path, { skip_bad_rows: true })).pairs).toHaveLength(1);
  });

  it("CSV: ragged rows by line, unmatched quotes as one error", async () => {
    const ragged = write("ragged.csv", 'prompt,chosen,rejected\n"two\nlines",c,r\np,c\n');
    expect((await failure(loadPairs(ragged))).message).toContain(`${ragged}:4: expected 3 columns, got 2`);
    const quotes = write("quotes.csv", 'prompt,chosen,rejected\np,"c,r\n');
    expect((await failure(loadPairs(quotes))).message).toContain("malformed CSV");
  });

  it("CSV: JSON-like answers stay text; a record with stray quotes is one fault, the rows around it are read", async () => {
    const json = write("json.csv", 'prompt,chosen,rejected\n"Give JSON","{""a"": 1}","[1, 2]"\nList,"[""x""]",no\n');
    expect((await loadPairs(json)).pairs.map(({ chosen, rejected }) => [chosen, rejected])).toEqual([
      ['{"a": 1}', "[1, 2]"],
      ['["x"]', "no"],
    ]);
    const broken = ["p1,c,r", 'p2,say "hi" now,no', 'p3,"c"x,r', "p4,c,r", 'p5,"never closed,r', "p6,c,r"];
    for (const end of ["\n", "\r\n", "\r"]) {
      const path = write("quotes.csv", ["prompt,chosen,rejected", ...broken].join(end));
      const { name, message } = await failure(loadPairs(path));
      expect([name, message]).toEqual([
        "InputError",
        expect.stringContaining(`${path}:3: malformed CSV: a quote stands`),
      ]);
      expect(message).toContain(`${path}:4: malformed CSV: text follows a closing quote`);
      expect(message).toContain(`${path}:6: malformed CSV: a quote is opened and never closed`);
      const { pairs, report } = await loadPairs(path, { skip_bad_rows: true });
      expect(pairs.map(({ line }) => line)).toEqual([2, 5, 7]);
      expect(report.counts).toEqual({ malformed_csv: 3 });
    }
  });

  it("CSV: lines are the file's, whatever ends them and wherever they stand", async () => {
    const cell = (end: string) => `"multi${end}line${end}q"`;
    for (const end of ["\n", "\r\n", "\r"])
      for (const inside of ["\n", "\r\n", "\r"]) {
        const text = ["prompt,chosen,rejected", `${cell(inside)},a,b`, "", "Q2,only two", "Q3,c,d", ""].join(end);
        const path = write("lines.csv", text);
        expect((await failure(loadPairs(path))).message).toContain(`${path}:6: expected 3 columns, got 2`);
        expect((await loadPairs(path, { skip_bad_rows: true })).pairs[0].prompt).toBe(cell(inside).slice(1, -1));
      }
  });

  it("CSV: every cut of the text into chunks gives the same records", async () => {
    const text = 'a,b\r\n"x ""y"" z","1\r\n2"\r\n\r\n"",plain\r\nq,"open\r\nlast,"end"';
    const rows = async (size: number) => {
      const out: unknown[] = [];
      const chunks = (async function* () {
        for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size));
      })();
      for await (const batch of readCsv(chunks, "f", ",")) out.push(...batch.map(({ fileLine: _, ...row }) => row));
      return out;
    };
    const whole = await rows(text.length);
    expect(whole).toMatchObject([
      { line: 2, value: { a: 'x "y" z', b: "1\r\n2" } },
      { line: 5, value: { a: "", b: "plain" } },
      { line: 6, fault: { reason: "malformed_csv" } },
      { line: 7, value: { a: "last", b: "end" } },
    ]);
    for (let size = 1; size < 12; size++) expect(await rows(size)).toEqual(whole);
  });

  it("a key that stands twice is refused at every depth, also inside the JSON of a cell", async () => {
    const twice = (text: string) => failure(loadPairs(write("twice.jsonl", text)));
    const nested =
      '{"question_text":"Q","preferred_answer":{"answer_text":"y","answer_text":"z"},"rejected_answer":{"answer_text":"n"}}';
    const listed = '{"prompt":"p","chosen":"c","rejected":"r","meta":[{"a":[{"k":1,"\\u006b":2}]}]}';
    expect((await twice(nested)).message).toContain(':1: expected each field once, got "answer_text" twice');
    expect((await twice(listed)).message).toContain('got "k" twice');
    const cell = '"{""answer_text"":""a"",""answer_text"":""b""}"';
    const path = write("twice.csv", `question_text,preferred_answer,rejected_answer\nQ,${cell},${cell}\n`);
    expect((await failure(loadPairs(path))).message).toContain(`${path}:2: expected each field once`);
    const sound =
      '{"prompt":"{\\"a\\":1,\\"a\\":2}","chosen":"c","rejected":"r","meta":[{"a":1},{"a":2}],"a":{"a":{"a":1}}}';
    expect((await loadPairs(write("sound.jsonl", sound))).pairs).toHaveLength(1);
  });

  it("hands out no pair after the first fault, but counts to the end", async () => {
    const stream = readPairs(lines("late.jsonl", [good, { ...good, chosen: 1 }, good, { ...good, chosen: 2 }]));
    const seen: number[] = [];
    const { message } = await failure(
      (async () => {
        for await (const pair of stream) seen.push(pair.line);
      })(),
    );
    expect(seen).toEqual([1]);
    expect(message).toContain("2 of 4 rows");
  });
});

describe("left out by rule", () => {
  const path = () =>
    lines("rules.jsonl", [
      { ...good, id: "ok" },
      { ...good, chosen: " " },
      { ...good, chosen: "", rejected: "\t" },
      { ...good, rejected: "c " },
      { ...good, prompt: "" },
      { ...good, score_chosen: 3, score_rejected: 3, id: "even" },
      { ...good, score_chosen: 1, score_rejected: 3 },
    ]);

  it("counts and lists empty, identical and tied answers without an error", async () => {
    const { pairs, report } = await loadPairs(path());
    expect(pairs.map(({ line }) => line)).toEqual([1, 7]);
    expect(report.counts).toEqual({ empty_answer: 2, identical_answers: 1, empty_prompt: 1, tie: 1 });
    expect(report.errors).toBe(0);
    const list = await writeRejectedRows(report, directory);
    expect(list).toBe(join(directory, "rules_rejected_rows.jsonl"));
    expect(
      readFileSync(list!, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { line: 2, id: null, reason: "empty_answer", message: "the chosen answer is empty" },
      { line: 3, id: null, reason: "empty_answer", message: "both answers are empty" },
      { line: 4, id: null, reason: "identical_answers", message: "chosen and rejected are the same text" },
      { line: 5, id: null, reason: "empty_prompt", message: "the prompt is empty" },
      { line: 6, id: "even", reason: "tie", message: "both answers have the score 3" },
    ]);
  });

  it("keeps ties where a split asks for them", async () => {
    expect((await loadPairs(path(), { keep_ties: true })).pairs.map(({ line }) => line)).toEqual([1, 6, 7]);
  });

  it("is an error when nothing is left", async () => {
    const { name, message } = await failure(loadPairs(lines("even.jsonl", [{ ...good, rejected: "c" }])));
    expect([name, message]).toEqual([
      "InputError",
      expect.stringContaining("got none of 1 rows (identical_answers 1)"),
    ]);
  });
});
