import { DataFrame } from "danfojs-node";
import { describe, expect, test } from "vitest";
import { evaluateScores } from "../../lib/evaluation/evaluate";
import { groupName } from "../../lib/notebooks/support";
import type { PreferencePair } from "../../lib/pairs/pair";
import { riskFigure } from "../../lib/report/figures";
import { toScoredPair } from "../../lib/scoring/score";
import { splitPairs } from "../../lib/split";
import { escapeHtml, scriptJson } from "../../lib/report/escape";
import { printableLine } from "../../lib/terminal";
import { html, tableOf } from "../../lib/report/markup";
import { createTable, formatNumber, type Rows } from "../../lib/report/tables";
import { HOSTILE } from "./fixture";

describe("createTable", () => {
  test("numbers stand on the right in both forms, missing ones as a dash", () => {
    const { text, html: markup } = createTable(
      [
        { risk: "LOW", pairs: 27775, accuracy: 0.812345 },
        { risk: "HIGH", pairs: 12, accuracy: null },
      ],
      { headings: { risk: "risk level" } },
    );
    expect(text.split("\n")).toEqual([
      "risk level   pairs  accuracy",
      "──────────  ──────  ────────",
      "LOW         27,775    0.8123",
      "HIGH            12         –",
    ]);
    expect(markup).toContain(
      '<td style="text-align:right;font-variant-numeric:tabular-nums;padding:.3em .8em">27,775</td>',
    );
  });

  test("formats and columns are the caller's", () => {
    const { text } = createTable([{ a: 0.5, b: "x", c: true }], {
      columns: ["c", "a"],
      formats: { a: (value) => `${100 * value}%` },
    });
    expect(text.split("\n")[2]).toBe("true  50%");
  });

  test("no rows: the headings alone", () => {
    expect(createTable([], { columns: ["a"], caption: "Nothing" }).text).toBe("Nothing\na\n─");
  });

  // A cell that clears the screen, sets the title or turns the writing direction.
  test("texts are inert in HTML and on a terminal", () => {
    const table = createTable([{ "<th>": "<img src=x onerror=alert(1)>", b: "\u001b[2Jx\u202ey" }], { caption: "<i>" });
    expect(table.html).not.toMatch(/<img|<i>|<th>(?!<)/);
    expect(table.text).toContain("\\x1b[2Jx\\u202ey");
    expect(table.text).not.toMatch(/[\u001b\u202e]/);
    expect(Object.keys(table.toMimeBundle())).toEqual(["text/html", "text/plain"]);
  });

  test.each([
    [0.0001234, "1.23e-4"],
    [1234.5678, "1,235"],
    [NaN, "NaN"],
    [-3, "-3"],
  ])("formatNumber(%d)", (value, text) => expect(formatNumber(value)).toBe(text));
});

describe("escaping", () => {
  test.each(HOSTILE)("no tag, quote or script end survives: %s", (text) => {
    expect(escapeHtml(text)).not.toMatch(/[<>"'`]/);
    const json = scriptJson({ text });
    expect(json).not.toMatch(/[<>&\u2028\u2029]/);
    expect(JSON.parse(json).text.replace("[U+202E]", "\u202e")).toBe(text);
    expect(printableLine(text)).not.toMatch(/[\u0000-\u001f\u2028\u202e]/);
  });

  test("the template tag escapes text and leaves its own markup", () => {
    expect(html`<p title="${'"'}">${"<b>"}${html`<i>${1}</i>`}${[null, false, "&"]}</p>`.markup).toBe(
      '<p title="&#34;">&#60;b&#62;<i>1</i>&#38;</p>',
    );
    expect(tableOf("<c>", [{ head: "<h>" }], [["<x>"]]).markup).not.toMatch(/<[chx]>/);
  });
});

// Group names of hostile data: each is a key of every object that inherits from Object.
describe("names that objects inherit", () => {
  const risks = { constructor: 3, ["__proto__"]: 2, toString: 1 };
  test("are columns like others, also where a row lacks them", () => {
    const rows = [{ split: "train", ...risks }, { split: "val" }];
    const { text } = createTable(rows);
    expect(text.split("\n")[0].split(/ {2,}/)).toEqual(["split", "constructor", "__proto__", "toString"]);
    expect(text).not.toMatch(/function|native code|Object/);
  });
  test("group a data frame under names of their own", () => {
    expect(Object.keys(risks).map(groupName)).toEqual(["“constructor”", "“__proto__”", "“toString”"]);
    expect(groupName("High")).toBe("High");
  });
  test("come through the split, the evaluation and the page", () => {
    const names = Object.keys(risks);
    const pairs = names.flatMap((risk, r) =>
      Array.from({ length: 6 }, (_, i): PreferencePair => ({
        id: `${r} ${i}`,
        questionId: `${r} ${i}`,
        prompt: `question ${r} number ${i} about ${risk}`,
        chosen: "a",
        rejected: "b",
        riskLevel: risk,
        category: risk,
        subset: risk,
        confidencePenalty: 0,
        line: 1,
        raw: {},
      })),
    );
    const { stats, train, val } = splitPairs(pairs, { train_ratio: 0.5, val_ratio: 0.5, test_ratio: 0, seed: 1 });
    expect(Object.entries(JSON.parse(JSON.stringify(stats.risk_dist.val)))).toEqual(
      expect.arrayContaining(names.map((name) => [name, 3])),
    );
    expect([train.length, val.length]).toEqual([9, 9]);
    const scored = val.map((pair) => toScoredPair(pair, 1, 0, 0));
    const evaluation = evaluateScores(scored);
    expect(Object.keys(JSON.parse(JSON.stringify(evaluation.by_risk))).sort()).toEqual([...names].sort());
    expect(Object.keys(evaluation.by_category).sort()).toEqual([...names].sort());
    const figure = riskFigure(evaluation.by_risk);
    expect(JSON.stringify(figure.data)).toContain("__proto__");
  });
});

describe("whatever has rows", () => {
  const lines = (given: Rows) => createTable(given).text.split("\n");
  test("maps, records, sets, typed arrays, lists and single values of any kind", () => {
    expect(lines(new Map([["a", 1]]))).toEqual(["name  value", "────  ─────", "a         1"]);
    expect(lines({ accuracy: 0.81234 })[2]).toBe("accuracy  0.8123");
    expect(lines({ Low: { n: 3 }, High: { n: 4n } }).slice(2)).toEqual(["Low   3", "High  4"]);
    expect(lines(new Set(["x"]))[2]).toBe("x");
    expect(lines(new Float32Array([0.5, 2])).slice(2)).toEqual(["  0.5", "    2"]);
    expect(lines([10n, Symbol("s"), null, new Date(0)]).slice(2)).toEqual([
      "10",
      "Symbol(s)",
      "–",
      "1970-01-01T00:00:00.000Z",
    ]);
    expect(lines([{ a: { big: 10n } }])[2]).toBe('{"big":"10"}');
    expect(lines([])[0]).toBe("(no rows)");
  });

  test("columns by their names, of one length; lists of several lengths are values", () => {
    expect(lines({ epoch: [1, 2], loss: Float32Array.of(0.5, 0.25) })).toEqual([
      "epoch  loss",
      "─────  ────",
      "    1   0.5",
      "    2  0.25",
    ]);
    expect(lines({ a: [1, 2], b: [3] }).slice(2)).toEqual(["a     1, 2", "b     3"]);
  });

  test.each([[null], [undefined], [5], ["text"]])("%s has no rows, and is told so", (given) => {
    expect(() => createTable(given as never)).toThrow(
      /createTable: expected rows, got .*put a single value into a list/,
    );
  });

  test("a data frame of danfo.js and one of its columns", () => {
    const frame = new DataFrame({ risk: ["High", "Low"], pairs: [3, 4] }, { index: ["x", "y"] });
    expect(lines(frame)).toEqual([
      "index  risk  pairs",
      "─────  ────  ─────",
      "x      High      3",
      "y      Low       4",
    ]);
    expect(createTable(frame, { columns: ["pairs"] }).text.split("\n")[0]).toBe("pairs");
    expect(lines(frame["pairs"]).slice(2)).toEqual(["x          3", "y          4"]);
  });
});
