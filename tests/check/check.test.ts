// The check's findings on files whose faults were put there, and the label noise on labels flipped by a known share.
import { describe, expect, it } from "vitest";
import { checkPairs } from "../../lib/check/check";
import { estimateLabelNoise } from "../../lib/check/noise";
import type { PreferencePair } from "../../lib/pairs/pair";
import { createRandom } from "../../lib/random";
import { checkHtml } from "../../lib/report/pages/check";
import { failure, scratch } from "../pairs/helpers";

const { write, lines } = scratch();
const row = (i: number, more = {}) => ({
  prompt: `unique${i} prompt${i * 3} text${i * 7}`,
  chosen: `good answer ${i}`,
  rejected: `${i % 2 ? "" : "quite a "}bad reply ${i}`,
  ...more,
});

describe("checkPairs", () => {
  it("counts each kind of fault once, and nothing in a sound file", async () => {
    const sound = await checkPairs(
      lines(
        "sound.jsonl",
        Array.from({ length: 30 }, (_, i) => row(i)),
      ),
    );
    expect(sound.report).toMatchObject({
      ok: true,
      pairs: 30,
      questions: 30,
      errors: 0,
      left_out: 0,
      warnings: [],
      duplicates: { count: 0 },
      contradictions: { count: 0 },
      near_duplicate_prompts: { count: 0 },
      one_sided_answers: { pairs: 0 },
    });
    const rows = [
      row(0),
      row(0),
      row(0, { prompt: " UNIQUE0  prompt0 text0" }),
      row(1),
      row(1, { chosen: "bad reply 1", rejected: "good answer 1" }),
      row(2, { rejected: "good answer 2" }),
      row(3, { chosen: "" }),
      row(4, { chosen: "", rejected: " " }),
      row(5, { score_chosen: 1, score_rejected: 1 }),
      row(6, { score_chosen: 1, score_rejected: 2 }),
      { prompt: "x", chosen: 1, rejected: "r" },
    ];
    const { report } = await checkPairs(lines("faulty.jsonl", rows));
    expect(report).toMatchObject({
      ok: false,
      rows: 11,
      pairs: 6,
      errors: 1,
      errors_by_reason: { wrong_type: 1 },
      left_out: 4,
      identical: 1,
      ties: 1,
      empty: 1,
      one_sided: 1,
      left_out_by_reason: { identical_answers: 1, empty_answer: 2, tie: 1 },
      duplicates: { count: 2 },
      contradictions: { count: 1 },
      inverted_scores: { count: 1 },
    });
    expect(report.contradictions.examples[0].map(({ line }) => line)).toEqual([4, 5]);
    expect(report.duplicates.examples[0].map(({ line }) => line)).toEqual([1, 2]);
    expect(report.inverted_scores.examples[0].line).toBe(10);
    expect(report.warnings[0]).toContain("1 row is at fault");
  });

  it("finds near-duplicate prompts, and answers that are only ever on one side of different prompts", async () => {
    const long =
      "Explain in a few plain words how the tides come about and why there are two of them on most days of the year";
    const rows = [
      row(0, { prompt: long }),
      row(1),
      row(2, { prompt: `${long} please` }),
      ...Array.from({ length: 6 }, (_, i) => row(10 + i, { rejected: "I cannot help with that." })),
      row(20, { chosen: "I cannot help with that.", rejected: "Yes" }),
      ...Array.from({ length: 9 }, (_, i) => row(40 + i, { rejected: "I cannot help with that." })),
      ...Array.from({ length: 6 }, (_, i) => row(30, { chosen: "the same answer", rejected: `another ${i}` })),
    ];
    const { report } = await checkPairs(lines("near.jsonl", rows));
    expect(report.near_duplicate_prompts).toMatchObject({ count: 1, examples: [{ pair: [{ line: 1 }, { line: 3 }] }] });
    // pairs of one question never part: nothing is to be kept together
    const named = rows.slice(0, 3).map((one) => ({ ...one, question_id: "tides" }));
    expect((await checkPairs(lines("named.jsonl", named))).report.near_duplicate_prompts.count).toBe(0);
    expect(report.one_sided_answers).toMatchObject({
      pairs: 16,
      examples: [{ side: "rejected", chosen: 1, rejected: 15, prompts: 16 }],
    });
  });

  it("finds prompts shared with another split and with an evaluation file of any shape", async () => {
    const long =
      "Write a poem about a lighthouse keeper who collects the names of the ships that pass by in the fog at night";
    const own = lines("own.jsonl", [row(0), row(1), row(2, { prompt: long })]);
    const split = lines("split.jsonl", [row(7), row(1, { prompt: "Unique1 PROMPT3 text7" })]);
    const evaluation = lines("evaluation.jsonl", [
      { instruction: `${long} today` },
      { instruction: "unique0 prompt0 text0" },
      { instruction: "new" },
      { instruction: "new" },
    ]);
    const { report } = await checkPairs(own, { splits: [split], against: [evaluation] });
    expect(report.splits).toMatchObject([
      { path: split, prompts: 2, exact: 1, near: 0, examples: [{ own: { line: 2 }, similarity: 1 }] },
    ]);
    expect(report.contamination).toMatchObject([{ path: evaluation, prompts: 3, exact: 1, near: 1 }]);
    expect(report.contamination[0].examples.map(({ prompt, own: { line } }) => [prompt, line])).toEqual([
      ["unique0 prompt0 text0", 1],
      [`${long} today`, 3],
    ]);
    expect(report.warnings.some((warning) => warning.includes(evaluation))).toBe(true);
  });

  it("profiles lengths and words: literal values", async () => {
    const rows = Array.from({ length: 40 }, (_, i) =>
      row(i, {
        chosen: `indeed ${"x".repeat(i % 4)} a${i}`,
        rejected: i < 10 ? `much longer text than the other b${i} indeed` : `b${i}`,
      }),
    );
    const { report } = await checkPairs(lines("profile.jsonl", rows));
    expect(report.lengths.length_only_accuracy).toBe(0.75);
    expect(report.lengths.words.chosen).toMatchObject({ min: 2, max: 3 });
    const indeed = report.vocabulary.telling_chosen.find(({ word }) => word === "indeed")!;
    // 40 of 40 against 10 of 40, one half added to each cell.
    const z = Math.log((40.5 * 30.5) / (0.5 * 10.5)) / Math.sqrt(1 / 40.5 + 1 / 0.5 + 1 / 10.5 + 1 / 30.5);
    expect(indeed).toEqual({ word: "indeed", chosen: 40, rejected: 10, z: Math.round(z * 10) / 10 });
  });

  it("throws only where the file cannot be read at all; no usable pair is a verdict", async () => {
    expect((await failure(checkPairs(write("empty.jsonl", "")))).name).toBe("InputError");
    const { report } = await checkPairs(lines("none.jsonl", [row(0, { chosen: "" })]));
    expect(report).toMatchObject({ ok: false, errors: 0, pairs: 0 });
    const broken = await checkPairs(write("broken.jsonl", "{\n{\n"));
    expect(broken.report).toMatchObject({ ok: false, errors: 2, errors_by_reason: { malformed_json: 2 } });
  });

  it("the HTML holds hostile texts as text, no script, and asks for nothing", async () => {
    const evil = `<script>alert(1)</script><img src=x onerror="alert(2)">`;
    const rows = [
      row(0, { prompt: evil, category: evil, risk_level: evil }),
      row(0, { prompt: evil }),
      { [evil]: 1, prompt: 5, chosen: "c", rejected: evil, id: evil },
    ];
    const page = checkHtml((await checkPairs(lines("evil.jsonl", rows))).report);
    expect(page).toContain("&#60;script&#62;alert(1)");
    expect(page).not.toMatch(/<script|<img|<link rel="stylesheet"|https?:/);
    expect(page).toContain("default-src 'none'");
  });
});

describe("estimateLabelNoise", () => {
  /** Answers are vectors; the better one has the larger first coordinate, labels are flipped by a known share. */
  function noisy(share: number, count = 1500) {
    const random = createRandom(9);
    const vectors = new Map<string, number[]>();
    const flipped = new Set<number>();
    const pairs = Array.from({ length: count }, (_, i): PreferencePair => {
      const [low, high] = [0, 1].map((side) =>
        Array.from({ length: 16 }, (_, k) => random.normal() + (k === 0 ? 4 * side : 0)),
      );
      const flip = random.next() < share;
      if (flip) flipped.add(i + 1);
      vectors.set(`c${i}`, flip ? low : high);
      vectors.set(`r${i}`, flip ? high : low);
      return {
        id: `p${i}`,
        questionId: `q${i >> 1}`,
        prompt: "p",
        chosen: `c${i}`,
        rejected: `r${i}`,
        riskLevel: "Low",
        confidencePenalty: 0,
        line: i + 1,
        raw: {},
      };
    });
    return {
      pairs,
      flipped,
      embed: async (items: readonly { response: string }[]) => items.map(({ response }) => vectors.get(response)!),
    };
  }

  it("finds the share and the flipped pairs among the most suspicious", async () => {
    for (const share of [0.05, 0.2]) {
      const { pairs, flipped, embed } = noisy(share);
      const found = await estimateLabelNoise(pairs, embed, { listed: 40 });
      expect(Math.abs(found.estimate - flipped.size / pairs.length)).toBeLessThan(0.04);
      expect(found.suspicious).toHaveLength(40);
      expect(found.suspicious.filter(({ line }) => flipped.has(line)).length).toBeGreaterThanOrEqual(38);
    }
  });

  it("claims no skill where labels are coin tosses", async () => {
    const { pairs, embed } = noisy(0.5);
    const { judge_accuracy: accuracy } = await estimateLabelNoise(pairs, embed);
    expect(Math.abs(accuracy - 0.5)).toBeLessThan(0.06);
  });

  it("swapping chosen and rejected everywhere changes nothing but the sign", async () => {
    const { pairs, embed } = noisy(0.1, 300);
    const plain = await estimateLabelNoise(pairs, embed);
    const mirrored = await estimateLabelNoise(pairs, async (items) =>
      (await embed(items)).map((vector) => vector.map((value) => -value)),
    );
    expect(mirrored.estimate).toBeCloseTo(plain.estimate, 12);
    expect(mirrored.judge_accuracy).toBeCloseTo(plain.judge_accuracy, 12);
  });
});
