import { describe, expect, test } from "vitest";
import { layOutLines, pairArrays, type PairDataset } from "../../lib/batching/pairArrays";
import { TokenStore } from "../../lib/batching/tokenStore";

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

// Literal tensors, as the doc comment of pairArrays describes them: two texts in the first row, one that both pairs share, a filler row and pair.
test("pairArrays lays out a batch with a shared text, a filler row and a filler pair", () => {
  const tokens = store([
    [101, 5, 102],
    [101, 6, 7, 102],
    [101, 5, 102],
    [101, 102],
  ]);
  const dataset: PairDataset = {
    size: 2,
    tokens,
    weights: Float32Array.of(1, 2.5),
    margins: Float32Array.of(0, 0.5),
    truncation: { pairs: 0, texts: 0, tokens_cut: 0, tokens: 12 },
    cuts: new Map(),
  };
  const shape = { height: 3, width: 6, slots: 2, pairs: 3 };
  const arrays = pairArrays(dataset, { pairs: [1, 0], rowTexts: [[1, 3], [0]], shape }, 4, 9);
  expect(Array.from(arrays.ids)).toEqual([101, 6, 7, 102, 101, 102, 101, 5, 102, 9, 9, 9, 9, 9, 9, 9, 9, 9]);
  expect(Array.from(arrays.segmentIds)).toEqual([1, 1, 1, 1, 2, 2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(Array.from(arrays.at)).toEqual([2, 2, 0, 1, 0, 0]);
  expect(Array.from(arrays.share)).toEqual([0.25, 0.25, 0]);
  expect(Array.from(arrays.weights)).toEqual([2.5, 1, 1]);
  expect(Array.from(arrays.margins)).toEqual([0.5, 0, 0]);
  expect(arrays.tokens).toBe(9);
  tokens.close();
});

test("equal texts are stored once", () => {
  const tokens = store([[1, 2], [3], [1, 2], [], []]);
  expect([0, 1, 2, 3, 4].map((text) => tokens.same(text))).toEqual([0, 1, 0, 3, 3]);
  expect(tokens.ids(2)).toEqual(Uint32Array.of(1, 2));
  expect(tokens.length(4)).toBe(0);
  tokens.close();
});

test("layOutLines puts texts side by side, numbered, and pads with the tokenizer's own padding id", () => {
  const tokens = store([[1, 2], [3]]);
  const { ids, segmentIds } = layOutLines(tokens, [[0, 1]], { rows: 2, width: 4, padId: 9 });
  expect(Array.from(ids)).toEqual([1, 2, 3, 9, 9, 9, 9, 9]);
  expect(Array.from(segmentIds)).toEqual([1, 1, 2, 0, 0, 0, 0, 0]);
  tokens.close();
});
