// Word differences against their definition (joining gives the texts back) and hand-made cases; lists by hand.
import { describe, expect, test } from "vitest";
import { analyseErrors } from "../../lib/evaluation/errorAnalysis";
import { inferPreferenceType, preferenceType, wordOverlap } from "../../lib/evaluation/preferenceType";
import { wordDiff } from "../../lib/evaluation/wordDiff";
import { createRandom } from "../../lib/random";
import { pairsOf, scoredPair } from "./scoredPairs";

test("the kind of a preference is what the data says, then its category, then a guess", () => {
  const guessed = { chosen: "It is 4.", rejected: "It is 5." };
  expect(preferenceType(scoredPair({ ...guessed, category: "sums", preferenceType: "calibration" }))).toBe(
    "calibration",
  );
  expect(preferenceType(scoredPair({ ...guessed, category: "sums" }))).toBe("sums");
  expect(preferenceType(scoredPair({ chosen: "It is 40 metres high.", rejected: "It is 50 metres high." }))).toBe(
    "correctness",
  );
});

describe("wordDiff", () => {
  const join = (parts: ReturnType<typeof wordDiff>, without: string) =>
    parts
      .filter(({ op }) => op !== without)
      .map(({ text }) => text)
      .join("");

  test("shows what was replaced", () => {
    expect(wordDiff("Water boils at 100 degrees at sea level.", "Water boils at 90 degrees at sea level.")).toEqual([
      { op: "same", text: "Water boils at " },
      { op: "chosen", text: "100 " },
      { op: "rejected", text: "90 " },
      { op: "same", text: "degrees at sea level." },
    ]);
    expect(wordDiff("a b", "a b")).toEqual([{ op: "same", text: "a b" }]);
    expect(wordDiff("", "new")).toEqual([{ op: "rejected", text: "new" }]);
    expect(wordDiff("", "")).toEqual([]);
  });

  // Fails if the trace back is off by one anywhere, or if white space, line ends or emoji are lost.
  test("gives both texts back", () => {
    const random = createRandom(11);
    const vocabulary = [
      "the ",
      "cat",
      " sat",
      "\n\n",
      "mat. ",
      "naïve ",
      "don't ",
      "日本語",
      "🙂",
      "x=1; ",
      "\t",
      "the ",
    ];
    const text = () => Array.from({ length: random.integer(60) }, () => random.pick(vocabulary)).join("");
    for (let i = 0; i < 300; i++) {
      const [a, b] = [text(), text()];
      const parts = wordDiff(a, b);
      expect(join(parts, "rejected")).toBe(a);
      expect(join(parts, "chosen")).toBe(b);
    }
  });

  // Of the edits a longest-common-subsequence table finds (dynamic programming, independent of Myers) none is missed.
  test("keeps the longest common run of words", () => {
    const parts = wordDiff("one two three four five six seven", "zero two three four five eight seven");
    expect(parts.find(({ op }) => op === "same")!.text).toBe("two three four five ");
  });

  test("stays fast and exact for long texts with nothing in common", () => {
    const a = Array.from({ length: 6000 }, (_, i) => `a${i}`).join(" ");
    const b = Array.from({ length: 6000 }, (_, i) => `b${i}`).join(" ");
    const started = performance.now();
    const parts = wordDiff(`same start ${a}`, `same start ${b}`);
    expect(performance.now() - started).toBeLessThan(3000);
    expect(parts.map(({ op }) => op)).toEqual(["same", "chosen", "rejected"]);
  });
});

describe("inferPreferenceType", () => {
  test.each([
    ["I'm sorry, but I can't help with that.", "Sure! First, take the lock apart.", "safety"],
    [
      "The tower is 330 metres tall and stands in Paris.",
      "The tower is 210 metres tall and stands in Paris.",
      "correctness",
    ],
    ["Use a list. It keeps order, allows repeats and grows when you append.", "Use a list.", "completeness"],
    ["Kindly close the door when you leave the room.", "Close the door when you leave the room.", "style"],
    ["Boil the pasta in salted water.", "Ask your neighbour for advice!", "helpfulness"],
  ])("%s / %s", (chosen, rejected, type) => {
    expect(inferPreferenceType({ chosen, rejected })).toBe(type);
  });

  test("wordOverlap counts repetitions", () => {
    expect(wordOverlap("a a b", "a b b")).toBeCloseTo(4 / 6, 12);
    expect(wordOverlap("", "")).toBe(1);
  });
});

describe("analyseErrors", () => {
  const pairs = [
    ...pairsOf([2, -1, 0, -3]),
    scoredPair({ id: "heavy", chosenScore: -2, weight: 4, category: "style" }),
    scoredPair({ id: "right", chosenScore: 1, category: "style" }),
  ];

  test("lists mistakes by confidence and by cost", () => {
    const analysis = analyseErrors(pairs);
    expect(analysis).toMatchObject({ n_pairs: 6, n_wrong: 3, n_ties: 1 });
    expect(analysis.most_confident).toEqual(["p3", "heavy", "p1"]);
    expect(analysis.worst[0]).toBe("heavy");
    expect(analysis.cases.map(({ id }) => id)).toEqual(["p3", "heavy", "p1"]);
    expect(analysis.cases[0].confidence).toBeCloseTo(1 / (1 + Math.exp(-3)), 12);
    expect(analysis.cases[0].diff.length).toBeGreaterThan(0);
  });

  // By hand: with ε = 0.4 and centring 1 the cost of p1 (rewards −1, 0) is 0.6·softplus(1) + 0.4·softplus(−1) + 1.
  test("weighs mistakes by the loss they were trained with", () => {
    const { cases } = analyseErrors(pairs, { loss: { labelSmoothing: 0.4, centering: 1 } });
    const softplus = (x: number) => Math.log(1 + Math.exp(x));
    expect(cases.find(({ id }) => id === "p1")!.loss).toBeCloseTo(0.6 * softplus(1) + 0.4 * softplus(-1) + 1, 12);
  });

  test("groups by the data's own category before guessing", () => {
    const types = analyseErrors(pairs).by_preference_type;
    expect(types.map(({ type, n, wrong }) => [type, n, wrong])).toEqual([
      ["helpfulness", 4, 2],
      ["style", 2, 1],
    ]);
    expect(types[1].cases).toEqual(["heavy"]);
  });

  test("keeps to its limits and to an empty list", () => {
    const many = pairsOf(Array.from({ length: 200 }, (_, i) => -1 - i));
    const analysis = analyseErrors(many, { limit: 5, perType: 3 });
    expect([analysis.worst.length, analysis.most_confident.length, analysis.cases.length]).toEqual([5, 5, 5]);
    expect(analyseErrors([])).toMatchObject({ n_wrong: 0, cases: [], by_preference_type: [] });
  });
});
