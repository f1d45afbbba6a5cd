import { describe, expect, test } from "vitest";
import { TokenStore, layOut, pairArrays, type PairDataset } from "../lib/dataset";

const store = (texts: number[][]): TokenStore => {
  const tokens = new TokenStore();
  for (const text of texts) tokens.push(Uint32Array.from(text));
  return tokens;
};

describe("TokenStore", () => {
  test("gives back each text, in any order, also beyond its write buffer", () => {
    const tokens = new TokenStore();
    const text = (i: number) => Uint32Array.from({ length: 1 + (i % 700) }, (_, k) => i * 1000 + k);
    for (let i = 0; i < 3000; i++) tokens.push(text(i));
    for (const i of [2999, 0, 1500, 42]) expect(tokens.ids(i)).toEqual(text(i));
    tokens.push(Uint32Array.of(7));
    expect(tokens.ids(3000)).toEqual(Uint32Array.of(7));
    expect(tokens.size).toBe(3001);
    tokens.close();
  });
});

// Literal tensors, as the doc comment of pairArrays describes them: chosen half first, right padding, a filler pair at the end of each half.
test("pairArrays lays out a batch with one filler", () => {
  const tokens = store([[101, 5, 102], [101, 6, 7, 102], [101, 8, 102], [101, 102]]);
  const dataset: PairDataset = {
    size: 2,
    tokens,
    lengths: Int32Array.of(4, 3),
    weights: Float32Array.of(1, 2.5),
    margins: Float32Array.of(0, 0.5),
    truncation: { pairs: 0, texts: 0, tokens_cut: 0, tokens: 12 },
  };
  const arrays = pairArrays(dataset, { rows: [1, 0], width: 5, capacity: 3 }, 4, 0);
  expect(Array.from(arrays.ids)).toEqual([
    101, 8, 102, 0, 0,
    101, 5, 102, 0, 0,
    0, 0, 0, 0, 0,
    101, 102, 0, 0, 0,
    101, 6, 7, 102, 0,
    0, 0, 0, 0, 0,
  ]);
  expect(Array.from(arrays.mask)).toEqual([
    1, 1, 1, 0, 0,
    1, 1, 1, 0, 0,
    1, 0, 0, 0, 0,
    1, 1, 0, 0, 0,
    1, 1, 1, 1, 0,
    1, 0, 0, 0, 0,
  ]);
  expect(Array.from(arrays.share)).toEqual([0.25, 0.25, 0]);
  expect(Array.from(arrays.weights)).toEqual([2.5, 1, 1]);
  expect(Array.from(arrays.margins)).toEqual([0.5, 0, 0]);
  expect(arrays.tokens).toBe(12);
  tokens.close();
});

test("layOut pads with the tokenizer's own padding id", () => {
  expect(Array.from(layOut([Uint32Array.of(1, 2)], 1, 4, 9).ids)).toEqual([1, 2, 9, 9]);
});
