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

  // Sources 001 to 004: their own numbers and, where they give none, the defaults of AdamW (decay 0.01) and of the
  // Trainer (clip 1, no decay).
  test.each([
    [
      "bert-pairwise",
      { model: "bert-base-uncased", max_length: 256, weight_decay: 0.01, grad_clip: 0, schedule: "constant", beta: 0 },
    ],
    [
      "distilbert-course",
      { batch_size: 32, learning_rate: 1e-4, epochs: 3, warmup_steps: 100, schedule: "linear", freeze: "head-only" },
    ],
    [
      "margin-teaching",
      { batch_size: 4, gradient_accumulation: 4, learning_rate: 1e-5, epochs: 1, warmup_steps: 100, grad_clip: 1 },
    ],
    ["stage3", { eval_steps: 100, save_steps: 100, gate_train_accuracy: 0.7, gate_val_accuracy: 0.7, gate_gap: 0.1 }],
  ])("the preset %s holds its source's numbers", (preset, numbers) => {
    expect(resolveConfig({ preset })).toMatchObject(numbers);
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
    [{ learning_rte: 1 } as object, /expected a field of the configuration, got "learning_rte";/],
    [{ trainRatio: 0.8 } as object, /got "trainRatio", which is written train_ratio;/],
    [
      { "max-length": 8, epoch: 1 } as object,
      /"max-length", which is written max_length; .*"epoch", which is written epochs/,
    ],
    [{ epochs: "1" } as object, /configuration: epochs: expected number, got "1"; see/],
  ])("refuses %j", (input, message) => {
    expect(() => resolveConfig(input)).toThrow(message);
    expect(() => resolveConfig(input)).toThrow(UsageError);
  });
});
