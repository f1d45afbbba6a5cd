import { describe, expect, test } from "vitest";
import { resolveConfig } from "../../lib/config";
import { learningRateAt } from "../../lib/training/schedule";

const rates = (config: Parameters<typeof resolveConfig>[0], total: number) =>
  Array.from({ length: total }, (_, i) => learningRateAt(i + 1, total, resolveConfig(config)));

describe("learningRateAt", () => {
  test("warms up linearly, then falls linearly", () => {
    expect(rates({ learning_rate: 1, warmup_steps: 4, schedule: "linear" }, 8)).toEqual([
      0.25, 0.5, 0.75, 1, 1, 0.75, 0.5, 0.25,
    ]);
  });

  // transformers 5: get_cosine_schedule_with_warmup, factor 0.5·(1 + cos(π·k/n)) at k = 0…3 of n = 4.
  test("falls along a cosine", () => {
    const got = rates({ learning_rate: 2, warmup_steps: 0, schedule: "cosine" }, 4);
    [2, 1.7071068, 1, 0.2928932].forEach((wanted, i) => expect(got[i]).toBeCloseTo(wanted, 6));
  });

  test("stays constant, with a warm-up by share", () => {
    expect(rates({ learning_rate: 1, warmup_ratio: 0.5, schedule: "constant" }, 4)).toEqual([0.5, 1, 1, 1]);
  });
});
