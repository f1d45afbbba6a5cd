// Formats of ratings, rankings and benchmarks in the shape of their data cards.
import { describe, expect, it } from "vitest";
import { loadPairs } from "../../lib/pairs/read";
import { scratch } from "./helpers";

const { lines } = scratch();
const read = (rows: readonly unknown[], options = {}) => loadPairs(lines("rows.jsonl", rows), options);

describe("formats of ratings", () => {
  it("UltraFeedback: the mean of the fine-grained ratings goes before the overall score", async () => {
    const completion = (response: string, fine: number | undefined, overall: number) => ({
      response,
      "fine-grained_score": fine,
      overall_score: overall,
      model: "m",
    });
    const { pairs } = await read([
      { source: "evol", instruction: "Do", completions: [completion("bad", 1, 10), completion("good", 4.5, 8)] },
    ]);
    expect(pairs).toMatchObject([
      { prompt: "Do", chosen: "good", rejected: "bad", scoreChosen: 4.5, scoreRejected: 1, category: "evol" },
    ]);
    const aspects = (rating: string) =>
      Object.fromEntries(
        ["helpfulness", "honesty", "instruction_following", "truthfulness"].map((name) => [name, { Rating: rating }]),
      );
    const annotated = {
      instruction: "Do",
      completions: [
        { response: "x", annotations: aspects("5") },
        { response: "y", annotations: aspects("2") },
      ],
    };
    expect((await read([annotated])).pairs[0]).toMatchObject({ chosen: "x", scoreChosen: 5, scoreRejected: 2 });
  });

  it("RewardBench 1 and 2", async () => {
    const one = {
      id: 7,
      prompt: "P",
      chosen: "good",
      chosen_model: "m",
      rejected: "bad",
      rejected_model: "n",
      subset: "alpacaeval-easy",
    };
    const first = await read([one]);
    expect(first.report.format).toBe("rewardbench");
    expect(first.pairs[0]).toMatchObject({ id: "7", subset: "alpacaeval-easy", chosen: "good", rejected: "bad" });
    const two = {
      id: "t1",
      prompt: "P",
      chosen: ["r1", "r2"],
      rejected: ["w1", "w2", "w3"],
      subset: "Ties",
      num_correct: 2,
    };
    const second = await read([two]);
    expect(second.report.format).toBe("rewardbench-2");
    expect(second.pairs.map(({ chosen, rejected }) => `${chosen}>${rejected}`)).toEqual([
      "r1>w1",
      "r1>w2",
      "r1>w3",
      "r2>w1",
      "r2>w2",
      "r2>w3",
    ]);
    expect(new Set(second.pairs.map(({ questionId }) => questionId))).toEqual(new Set(["t1"]));
  });

  it("Argilla: binarised sets, and records with choices or rankings", async () => {
    const binarised = {
      instruction: "P",
      chosen_response: "A",
      rejected_response: "B",
      chosen_avg_rating: 4.5,
      rejected_avg_rating: 2,
    };
    expect((await read([binarised])).pairs[0]).toMatchObject({
      prompt: "P",
      chosen: "A",
      rejected: "B",
      scoreChosen: 4.5,
      scoreRejected: 2,
    });
    const chat = (content: string) => [
      { role: "user", content: "P" },
      { role: "assistant", content },
    ];
    expect(
      (await read([{ dataset: "x", chosen: chat("A"), rejected: chat("B"), chosen_rating: 5, rejected_rating: 3 }]))
        .pairs[0],
    ).toMatchObject({ prompt: "P", chosen: "A", scoreChosen: 5 });
    const flat = {
      prompt: "P",
      "response-1": "A",
      "response-2": "B",
      "choose-best": [{ user_id: "u", value: 2, status: "submitted" }],
    };
    expect((await read([flat])).pairs[0]).toMatchObject({ chosen: "B", rejected: "A" });
    const ranked = {
      fields: { prompt: "P", "response-1": "A", "response-2": "B" },
      responses: [
        {
          status: "submitted",
          values: {
            rank: {
              value: [
                { value: "response-2", rank: 2 },
                { value: "response-1", rank: 1 },
              ],
            },
          },
        },
        {
          status: "discarded",
          values: {
            rank: {
              value: [
                { value: "response-2", rank: 1 },
                { value: "response-1", rank: 2 },
              ],
            },
          },
        },
      ],
    };
    expect((await read([ranked])).pairs[0]).toMatchObject({ prompt: "P", chosen: "A", rejected: "B" });
    const unanswered = { ...flat, "choose-best": [] };
    const { report } = await read([flat, unanswered]);
    expect(report.counts).toEqual({ unanswered: 1 });
  });
});
