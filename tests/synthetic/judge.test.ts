// The gold judge against the grades that the generator wrote by, and against hand-made answers.
import { describe, expect, test } from "vitest";
import { judgeAnswer } from "../../synthetic/judge";
import type { Problem } from "../../synthetic/problem";
import { generatePairs, syntheticProblems } from "../../synthetic/synthesise";

describe("judgeAnswer", () => {
  // Would fail if the problems were not those of the pairs, or a rule of the generator were read another way.
  test("finds the generator's own grade in nearly every text", () => {
    const made = generatePairs({ questions: 600, seed: 5, noise: 0.2 });
    const problems = syntheticProblems({ questions: 600, seed: 5 });
    const graded = made.candidates.flatMap(({ prompt, candidates }) =>
      candidates.map(({ text, quality }) => ({ quality, found: judgeAnswer(problems.get(prompt)!, text) })),
    );
    const same = graded.filter(({ quality, found }) => quality === found).length;
    expect(graded.length).toBeGreaterThan(1500);
    expect(same / graded.length).toBeGreaterThan(0.97);
    for (const grade of [1, 2, 3, 4, 5]) {
      const own = graded.filter(({ quality }) => quality === grade);
      expect(own.filter(({ found }) => found === grade).length / own.length).toBeGreaterThan(0.9);
    }
  });

  const sum: Problem = {
    ask: ["What is 10% of 50?"],
    frames: ["The result is {}.", "That comes to {}."],
    value: "5",
    because: ["Percent means per hundred."],
    check: ["Half would be 25."],
    mistakes: [{ value: "40", because: "A percentage is subtracted.", kind: "wrong cause" }],
  };

  test.each([
    ["The result is 5. Percent means per hundred. Half would be 25.", 5],
    ["Percent means per hundred. That comes to 5.", 4],
    ["That comes to 5.", 3],
    ["Percent means per hundred.", 3],
    ["The result is 55.", 2],
    ["The result is 5. That comes to 40.", 2],
    ["The result is 40. There is no doubt about it whatsoever. Details do not matter here.", 1],
    ["The result is 5. Percent means per hundred. Half would be 25. Half would be 25.", 4],
    ["The result is 5. Percent means per hundred. Everybody knows that, it is a plain fact.", 3],
    ["What a pointless question.", 1],
    ["", 1],
  ])("%s → %i", (answer, grade) => expect(judgeAnswer(sum, answer)).toBe(grade));
});
