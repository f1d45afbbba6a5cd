import { describe, expect, test } from "vitest";
import { presetNames, resolveConfig } from "../lib/config";
import { UsageError } from "../lib/errors";

describe("resolveConfig", () => {
  // Source 000: MAX_LEN, BETA, BATCH_SIZE, EPOCHS, GRAD_CLIP, LR, WEIGHT_DECAY, SEED, ratios, patience.
  test("the original preset holds the original notebook's numbers", () => {
    expect(resolveConfig({ preset: "original" })).toMatchObject({
      model: "meta-llama/Llama-3.2-3B-Instruct",
      max_length: 1024,
      beta: 3,
      batch_size: 2,
      epochs: 5,
      grad_clip: 1,
      learning_rate: 2e-5,
      weight_decay: 0,
      seed: 42,
      train_ratio: 0.9,
      val_ratio: 0.1,
      test_ratio: 0,
      patience: 2,
    });
  });

  test("what the caller gives beats the preset, the preset beats the default", () => {
    const config = resolveConfig({ preset: "bert-pairwise", epochs: 1, batch_size: undefined });
    expect([config.epochs, config.batch_size, config.max_length]).toEqual([1, 8, 256]);
  });

  test("every preset resolves", () => {
    expect(presetNames()).toEqual(["bert-pairwise", "distilbert-course", "margin-teaching", "original", "stage3"]);
    for (const preset of presetNames()) expect(resolveConfig({ preset }).preset).toBe(preset);
  });

  test.each([
    [{ epochs: 0 }, /epochs: .*got 0/],
    [{ run: "../escape" }, /run: /],
    [{ template: "{prompt} only" }, /template: needs \{response\}/],
    [{ train_ratio: 0.9, val_ratio: 0.2 }, /= 1, got 1\.1/],
    [{ preset: "nope" }, /expected one of bert-pairwise/],
    [{ learning_rte: 1 } as object, /learning_rte/],
  ])("refuses %j", (input, message) => {
    expect(() => resolveConfig(input)).toThrow(message);
    expect(() => resolveConfig(input)).toThrow(UsageError);
  });
});
