// JSON, JSON lines, CSV and gzip give the same rows, whatever their ends of lines, quotes and cuts.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { loadPairs } from "../../lib/pairs/read";
import { golden, scratch } from "./helpers";

const { write } = scratch();
const good = { prompt: "p", chosen: "c", rejected: "r" };
const expected = JSON.parse(readFileSync(golden("expected.json"), "utf8"));

describe("containers", () => {
  const hard = expected.plain as {
    id: string;
    prompt: string;
    chosen: string;
    rejected: string;
    margin: number | null;
  }[];
  for (const file of [
    "plain.jsonl.gz",
    "plain.csv",
    ...["none", "snappy", "gzip", "brotli", "zstd", "lz4"].map((codec) => `plain_${codec}.parquet`),
  ])
    it(`reads ${file} as Python wrote it`, async () => {
      const { pairs, report } = await loadPairs(golden(file));
      expect(report.format).toBe("plain");
      expect(
        pairs.map(({ id, prompt, chosen, rejected, margin }) => ({
          id,
          prompt,
          chosen,
          rejected,
          margin: margin ?? null,
        })),
      ).toEqual(hard.map(({ id, prompt, chosen, rejected, margin }) => ({ id, prompt, chosen, rejected, margin })));
    });

  it("reads a JSON list in chunks of any size, brackets and quotes inside strings included", async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => ({
      ...good,
      prompt: `q${i} ]}[{ \\" "quoted" ${"x".repeat(i % 300)}`,
    }));
    for (const text of [JSON.stringify(rows), JSON.stringify(rows, null, 2), `\ufeff  ${JSON.stringify(rows)}\n`]) {
      const { pairs } = await loadPairs(write("list.json", text));
      expect(pairs.map(({ prompt }) => prompt)).toEqual(rows.map(({ prompt }) => prompt));
    }
  });

  it("takes BOM, CRLF, blank lines, NUL escapes and line separators inside strings", async () => {
    const text = `\ufeff${JSON.stringify({ ...good, chosen: "a\u2028b\u0085c" })}\r\n\r\n  \n${JSON.stringify({ ...good, chosen: "x\u0000y" })}`;
    const { pairs, report } = await loadPairs(write("odd.jsonl", text));
    expect(pairs.map(({ chosen, line }) => [line, chosen])).toEqual([
      [1, "a\u2028b\u0085c"],
      [4, "x\u0000y"],
    ]);
    expect(report.rows).toBe(2);
  });

  it("recognises gzip by its bytes, whatever the name", async () => {
    const path = write("named.jsonl", gzipSync(`${JSON.stringify(good)}\n`));
    expect((await loadPairs(path)).pairs).toHaveLength(1);
  });

  it("reads nested fields that pandas flattened or wrote as JSON into CSV cells", async () => {
    const flat =
      "question_id,question_text,preferred_answer.answer_text,preferred_answer.score,rejected_answer.answer_text,rejected_answer.score\n7,Why?,Because,5,No,1\n";
    const { pairs, report } = await loadPairs(write("flat.csv", flat));
    expect(report.format).toBe("original");
    expect(pairs[0]).toMatchObject({
      questionId: "7",
      prompt: "Why?",
      chosen: "Because",
      scoreChosen: 5,
      scoreRejected: 1,
    });
    const cell = JSON.stringify([
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Yes" },
    ]).replaceAll('"', '""');
    const chat = `chosen,rejected\n"${cell}","${cell.replace("Yes", "No")}"\n`;
    expect((await loadPairs(write("chat.csv", chat))).pairs[0]).toMatchObject({
      prompt: "Hi",
      chosen: "Yes",
      rejected: "No",
    });
  });
});
