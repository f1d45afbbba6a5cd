// The generator's promises, checked from outside: schema, answers recomputed from the questions, noise, lengths, seeds.
import { describe, expect, it } from "vitest";
import { normaliseText } from "../../lib/pairs/normalise";
import { loadPairs } from "../../lib/pairs/read";
import { DOMAINS, type SyntheticPair, generatePairs } from "../../synthetic/synthesise";
import { NEAR, jaccard, shingles } from "../../lib/pairs/duplicates";
import { splitPairs } from "../../lib/split";
import { createNearPrompts } from "../../synthetic/nearPrompts";
import { createRandom } from "../../lib/random";
import { scratch } from "../pairs/helpers";

const { lines } = scratch();
const made = generatePairs({ questions: 1200, seed: 42 });
const clean = made.pairs.filter((pair) => !pair.label_flipped);

describe("generatePairs", () => {
  it("gives the same for the same seed and something else for another", () => {
    expect(generatePairs({ questions: 40, seed: 5 })).toEqual(generatePairs({ questions: 40, seed: 5 }));
    expect(generatePairs({ questions: 40, seed: 5 }).pairs).not.toEqual(
      generatePairs({ questions: 40, seed: 6 }).pairs,
    );
  });

  it("covers at least eight domains and three risks, two to four candidates each, no prompt twice", () => {
    expect(new Set(made.pairs.map(({ category }) => category)).size).toBe(DOMAINS.length);
    expect(DOMAINS.length).toBeGreaterThanOrEqual(8);
    expect(new Set(made.pairs.map(({ risk_level }) => risk_level))).toEqual(new Set(["Low", "Medium", "High"]));
    expect(new Set(made.candidates.map(({ prompt }) => normaliseText(prompt))).size).toBe(1200);
    expect(new Set(made.candidates.map(({ candidates }) => candidates.length))).toEqual(new Set([2, 3, 4]));
  });

  it("has the original's schema and is read back whole", async () => {
    const { pairs, report } = await loadPairs(lines("synthetic.jsonl", made.pairs));
    expect(report).toMatchObject({
      format: "original",
      rows: made.pairs.length,
      used: made.pairs.length,
      rejected: [],
    });
    expect(pairs[0]).toMatchObject({
      questionId: "q00001",
      riskLevel: made.pairs[0].risk_level,
      scoreChosen: made.pairs[0].preferred_answer.score,
    });
    for (const { preferred_answer: a, rejected_answer: b, score_difference: difference } of made.pairs) {
      expect(difference).toBe(a.score - b.score);
      expect(difference).toBeGreaterThan(0);
      expect([a.rating[0], b.rating[0]]).toEqual([String(a.score), String(b.score)]);
    }
  });

  it("flips the stated share of labels: the texts change places, and the better text is then the rejected one", () => {
    const flipped = made.pairs.filter(({ label_flipped }) => label_flipped);
    expect(flipped.length).toBe(Math.round(0.07 * made.pairs.length));
    expect(made.ceiling).toBeCloseTo(1 - flipped.length / made.pairs.length, 12);
    const quality = new Map(
      made.candidates.flatMap(({ question_id, candidates }) =>
        candidates.map(({ text, quality: grade }) => [question_id + text, grade] as const),
      ),
    );
    const gap = (pair: SyntheticPair) =>
      quality.get(pair.question_id + pair.preferred_answer.answer_text)! -
      quality.get(pair.question_id + pair.rejected_answer.answer_text)!;
    for (const pair of made.pairs) expect(Math.sign(gap(pair))).toBe(pair.label_flipped ? -1 : 1);
    expect(generatePairs({ questions: 50, seed: 1, noise: 0 }).ceiling).toBe(1);
  });

  it("leaks nothing into another split: nearly equal prompts share their question", async () => {
    for (const synthesis of [made, generatePairs({ questions: 1800, seed: 7 })]) {
      const { pairs } = await loadPairs(lines("leaks.jsonl", synthesis.pairs));
      const split = splitPairs(pairs, { train_ratio: 0.8, val_ratio: 0.1, test_ratio: 0.1, seed: 42 });
      expect(split.nearDuplicates).toEqual([]);
      // Few prompts have to share: nearly as many questions as were asked for.
      const asked = new Set(pairs.map(({ prompt }) => normaliseText(prompt))).size;
      expect(new Set(pairs.map(({ questionId }) => questionId)).size).toBeGreaterThan(0.95 * asked);
    }
  });

  it("finds near-duplicates as comparing every two prompts does", () => {
    const prompts = made.candidates.slice(0, 300).flatMap(({ prompt }) => [prompt, `${prompt} Please.`]);
    const index = createNearPrompts();
    prompts.forEach((prompt, i) => {
      const all = prompts
        .slice(0, i)
        .map((other, id) => ({ id: String(id), similarity: jaccard(shingles(other), shingles(prompt)) }));
      const near = all.filter(({ similarity }) => similarity >= NEAR).map(({ id }) => id);
      const found = index.questionsLike(prompt);
      if (all.some(({ similarity }) => similarity === 1)) expect(found).toBeNull();
      else expect([...found!].sort()).toEqual(near.sort());
      index.add(prompt, String(i));
    });
  });

  it("length alone tells next to nothing", () => {
    const right = clean.reduce(
      (sum, { preferred_answer: a, rejected_answer: b }) =>
        sum +
        (a.answer_text.length > b.answer_text.length ? 1 : a.answer_text.length === b.answer_text.length ? 0.5 : 0),
      0,
    );
    expect(right / clean.length).toBeGreaterThan(0.46);
    expect(right / clean.length).toBeLessThan(0.6);
  });

  it("penalises only confidently worded wrong answers, most where most is at stake", () => {
    const penalties = (risk: string) => clean.filter((pair) => pair.risk_level === risk && pair.confidence_penalty > 0);
    for (const pair of clean)
      if (pair.confidence_penalty > 0) expect(pair.rejected_answer.score).toBeLessThanOrEqual(2);
    expect(Math.max(...penalties("High").map((pair) => pair.confidence_penalty))).toBe(1);
    expect(Math.max(...penalties("Low").map((pair) => pair.confidence_penalty))).toBeLessThan(0.5);
    expect(penalties("High").length).toBeGreaterThan(20);
  });

  it("marks the best candidate", () => {
    for (const { candidates, best } of made.candidates)
      expect(Math.max(...candidates.map(({ quality }) => quality))).toBe(candidates[best].quality);
  });

  it("refuses numbers out of range", () => {
    expect(() => generatePairs({ questions: 0, seed: 1 })).toThrow(/whole number/);
    expect(() => generatePairs({ questions: 5, seed: 1, noise: 0.5 })).toThrow(/below 0.5/);
  });
});

describe("answers of the domains, recomputed from the question", () => {
  const of = (name: string) => {
    const random = createRandom(11);
    const domain = DOMAINS.find((candidate) => candidate.name === name)!;
    return Array.from({ length: 400 }, () => domain.make(random)).map((problem) => ({
      ...problem,
      question: problem.ask[0],
    }));
  };
  const number = (text: string) => Number(text.replaceAll(",", "").match(/-?\d+(\.\d+)?/)![0]);
  const numbers = (text: string) => (text.replaceAll(",", "").match(/\d+(\.\d+)?/g) ?? []).map(Number);

  it("percentages", () => {
    for (const { question, value } of of("arithmetic").filter((problem) => problem.question.includes("%"))) {
      const [rate, base] = numbers(question);
      expect(number(value)).toBeCloseTo((rate / 100) * base, 2);
    }
  });

  it("weekdays, by Sakamoto's formula", () => {
    const months = [
      "January",
      "February",
      "March",
      "April",
      "May",
      "June",
      "July",
      "August",
      "September",
      "October",
      "November",
      "December",
    ];
    const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
    let seen = 0;
    for (const { question, value } of of("calendar")) {
      const found = /(\d+) (\w+) (\d{4})\?/.exec(question);
      if (!found) continue;
      const [day, month] = [Number(found[1]), months.indexOf(found[2])];
      const year = Number(found[3]) - (month < 2 ? 1 : 0);
      const at =
        (year +
          Math.floor(year / 4) -
          Math.floor(year / 100) +
          Math.floor(year / 400) +
          [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4][month] +
          day) %
        7;
      expect(value).toBe(days[at]);
      seen++;
    }
    expect(seen).toBeGreaterThan(100);
  });

  it("doses by weight never exceed the label's maximum", () => {
    for (const { question, value } of of("medication").filter((problem) => problem.question.includes("label"))) {
      const [perKg, most, weight] = numbers(question);
      expect(number(value)).toBe(Math.min(perKg * weight, most));
    }
  });

  it("compound interest", () => {
    for (const { question, value } of of("finance").filter((problem) => problem.question.includes("compound"))) {
      const [principal, years, rate] = numbers(question);
      let balance = principal;
      for (let year = 0; year < years; year++) balance += (balance * rate) / 100;
      expect(number(value)).toBeCloseTo(balance, 1);
    }
  });

  it("Python's slices, remainders and range sums", () => {
    for (const { question, value } of of("programming")) {
      const slice = /"(\w+)"\[(\d):(\d+)\]/.exec(question);
      const division = /\((\d+) (%|\/\/) (\d+)\)/.exec(question);
      const range = /range\((\d+), (\d+), (\d+)\)/.exec(question);
      if (slice)
        expect(value).toBe(
          `"${[...slice[1]].filter((_, i) => i >= Number(slice[2]) && i < Number(slice[3])).join("")}"`,
        );
      if (division)
        expect(Number(value)).toBe(
          division[2] === "%"
            ? Number(division[1]) % Number(division[3])
            : Math.floor(Number(division[1]) / Number(division[3])),
        );
      if (range) {
        let sum = 0;
        for (let i = Number(range[1]); i < Number(range[2]); i += Number(range[3])) sum += i;
        expect(Number(value)).toBe(sum);
      }
      expect(slice ?? division ?? range).not.toBeNull();
    }
  });

  it("every problem of every domain has a mistake that is one", () => {
    const random = createRandom(2);
    for (const domain of DOMAINS)
      for (let i = 0; i < 300; i++) {
        const problem = domain.make(random);
        expect(problem.mistakes.some(({ value }) => value !== problem.value)).toBe(true);
        expect(`${problem.ask.join()}${problem.value}${problem.because.join()}${problem.check.join()}`).not.toMatch(
          /undefined|NaN|\{who\}|\{\}/,
        );
      }
  });
});
