import { describe, expect, it, test } from "vitest";
import { clusterCost, decoderParameters, DECODER_SHAPES } from "../../lib/training/clusterCost";

const oneGpu = { shape: DECODER_SHAPES["1B"], pairs: 1000, gpus: 1 };

describe("against what was measured on one H200 (docs/scaling.md)", () => {
  // Expected: peak bytes of torch's allocator, with the largest batch of each run in padded tokens.
  test.each([
    ["full", { batchTokens: 8192 }, 39.19e9],
    ["full", { batchTokens: 13_312 }, 50.51e9],
    ["full", { batchTokens: 16_384 }, 58.61e9],
    ["full, checkpointing", { batchTokens: 16_384, checkpointing: true }, 25.0e9],
    ["full, checkpointing", { batchTokens: 32_768, checkpointing: true }, 29.83e9],
    ["full, checkpointing", { batchTokens: 34_560, checkpointing: true }, 30.31e9],
    ["LoRA", { batchTokens: 13_312, method: "lora" as const }, 22.73e9],
    ["LoRA", { batchTokens: 16_384, method: "lora" as const }, 27.5e9],
  ])("memory of %s, %o", (_name, plan, measured) => {
    expect(clusterCost({ ...oneGpu, ...plan }).memory / measured).toBeCloseTo(1, 1);
  });

  // Expected: tokens a second of the job's own events; texts of HH's lengths (39% padding) and of 512 tokens.
  test.each([
    [{ tokens: 206, spread: 1.48, padding: 1.62 }, 25_017],
    [{ tokens: 512, spread: 1, padding: 1 }, 57_679],
  ])("speed of full training with texts of %o", (texts, measured) => {
    const { seconds, tokensPerSecond } = clusterCost({ ...oneGpu, ...texts });
    const [worst, best] = [0, 2].map((i) => (tokensPerSecond * seconds[1]) / seconds[i]);
    expect(measured).toBeGreaterThan(0.98 * worst);
    expect(measured).toBeLessThan(best);
  });
});

// Expected: torchtitan, benchmarks/llama3_h100_202412_torchtitan.md, tables 1 and 3: eager and compiled.
test.each([
  [8, 5762, 6667],
  [128, 5605, 6514],
])("Llama 3.1 8B on %d GPUs is as fast as torchtitan published", (gpus, eager, compiled) => {
  const texts = { tokens: 8192, spread: 1, padding: 1 };
  const cost = clusterCost({
    shape: DECODER_SHAPES["8B"],
    pairs: 1e5,
    gpus,
    updatePairs: gpus,
    sharded: true,
    ...texts,
  });
  expect(cost.tokensPerSecond / gpus).toBeGreaterThan(0.9 * eager);
  expect(cost.tokensPerSecond / gpus).toBeLessThan(1.1 * compiled);
});

describe("clusterCost", () => {
  it("counts the weights of published models", () => {
    // Llama 3.2 1B: 1,235,814,400 with tied tables, 67,584 of them in norms; Llama 3.1 8B: 8,030,261,248 with two tables.
    const one = decoderParameters(DECODER_SHAPES["1B"]);
    expect(one.matrices + one.embeddings).toBe(1_235_814_400 - 67_584);
    const eight = decoderParameters(DECODER_SHAPES["8B"]);
    expect(eight.matrices + 2 * eight.embeddings).toBe(8_030_261_248 - 65 * 4096);
  });

  it("is arithmetic that can be followed by hand", () => {
    // Query and output 2·2·2, key and value 2·2·2, MLP 3·2·3: N = 34; forward a token: 2·34 + 2·2·1·10 = 108.
    const shape = { hidden: 2, layers: 1, intermediate: 3, heads: 1, keyValueHeads: 1, vocabulary: 5 };
    const plan = {
      shape,
      pairs: 4,
      tokens: 10,
      spread: 1,
      padding: 1,
      peak: 1000,
      utilisation: [0.25, 0.5, 1] as const,
    };
    const cost = clusterCost({ ...plan, gpus: 1 });
    expect(cost.flops).toBe(2 * 4 * 10 * 3 * 108);
    expect(cost.seconds).toEqual([103.68, 51.84, 25.92]);
    expect(cost.price[1]).toBeCloseTo((51.84 / 3600) * 3, 9);
    expect(clusterCost({ ...plan, gpus: 1, checkpointing: true }).seconds[1]).toBeCloseTo((51.84 * 4) / 3, 9);
  });

  it("says what does not fit, and shards it where there are GPUs to share it", () => {
    const large = { shape: DECODER_SHAPES["8B"], pairs: 1e6, checkpointing: true };
    expect(clusterCost({ ...large, gpus: 1 })).toMatchObject({ fits: false, sharded: false });
    expect(clusterCost({ ...large, gpus: 8 })).toMatchObject({ fits: true, sharded: true });
    expect(clusterCost({ ...large, shape: DECODER_SHAPES["0.4B"], gpus: 8 })).toMatchObject({ sharded: false });
  });

  it("takes a field that is undefined as left out", () => {
    expect(clusterCost({ ...oneGpu, epochs: undefined }).seconds).toEqual(clusterCost(oneGpu).seconds);
  });
});
