// When the compilation of a graph is worth its time, judged by measured batches and by hand.
import { describe, expect, it } from "vitest";
import { xlaPays } from "../../lib/engine/xlaPays";

/** MiniLM's six layers of 384 and its pooler. */
const MINILM = 10.8e6;

/** Batches of so many tokens after which compiling pays. */
function breakEven(work: { parameters: number; training: boolean; batchTokens: number }): number {
  let batches = 0;
  while (!xlaPays({ ...work, tokens: batches * work.batchTokens })) if (++batches > 1e5) return Infinity;
  return batches;
}

// Processor time of a batch without and with XLA, ms on two cores, and seconds to compile: as measured (the comments in
// lib/engine/xlaPays.ts). The rule counts products at a nominal speed: it must be right within a factor of two.
describe("against measured batches", () => {
  it.each([
    { work: "32×128 trained", training: true, batchTokens: 32 * 128, plain: 1783, fused: 1539, compileSeconds: 2.5 },
    { work: "16×512 scored", training: false, batchTokens: 16 * 512, plain: 1652, fused: 1199, compileSeconds: 0.8 },
  ])("$work", ({ training, batchTokens, plain, fused, compileSeconds }) => {
    const savedSeconds = (plain - fused) / 1000 / 2;
    const measured = compileSeconds / savedSeconds;
    const judged = breakEven({ parameters: MINILM, training, batchTokens });
    expect(judged / measured).toBeGreaterThan(0.5);
    expect(judged / measured).toBeLessThan(2);
  });
});

// By hand, for ten million weights. Training: 6e7 operations a token at 4e11 a second are 6,667 tokens/s; saving 14% of
// the time brings 2.5 s in after 17.86 s: 119,048 tokens. Scoring: 20,000 tokens/s, 0.8 s / 27% = 2.963 s: 59,259 tokens.
describe("by hand", () => {
  it.each([
    ["training", true, 119_047, 119_049],
    ["scoring", false, 59_259, 59_260],
  ] as const)("%s", (_, training, tooFew, enough) => {
    const pays = (tokens: number) => xlaPays({ parameters: 1e7, tokens, training });
    expect([0, 1, tooFew, enough, 1e12].map(pays)).toEqual([false, false, false, true, true]);
  });

  it("a model ten times as large needs a tenth of the tokens", () => {
    const of = (parameters: number) => breakEven({ parameters, training: true, batchTokens: 1 });
    expect(Math.abs(of(1e9) * 10 - of(1e8))).toBeLessThanOrEqual(10); // each rounded up to a token
  });
});
