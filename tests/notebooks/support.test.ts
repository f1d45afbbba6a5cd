// What the notebooks share, against hand-made values.
import { afterEach, describe, expect, test, vi } from "vitest";
import { presetNames, readPreset } from "../../lib/config";
import { expectedSeconds, inWords } from "../../lib/notebooks/expectedTime";
import {
  notebookConfig,
  notebookFlags,
  resolveNotebookConfig,
  runChecks,
  withInterval,
} from "../../lib/notebooks/support";
import { frameTable } from "../../lib/notebooks/display";
import { createProgressBar } from "../../lib/notebooks/progressBar";

afterEach(() => vi.restoreAllMocks());

describe("resolveNotebookConfig", () => {
  test("generates pairs under the name default, and tests on a split that nothing else sees", () => {
    const config = resolveNotebookConfig();
    expect(config).toMatchObject({
      synthetic: true,
      paths: { pairs: "data/default/preference_pairs.jsonl", checkpoint: "checkpoints/default/best" },
    });
    expect(config.training).toMatchObject({
      pairs: "data/default/preference_pairs.jsonl",
      train_ratio: 0.8,
      val_ratio: 0.1,
      test_ratio: 0.1,
    });
  });

  test("runs again over what it wrote, unless it is to go on", () => {
    expect(resolveNotebookConfig().training).toMatchObject({ resume: false, overwrite: true });
    expect(resolveNotebookConfig({ resume: true }).training).toMatchObject({ resume: true, overwrite: false });
  });

  test("names a run after the user's file", () => {
    const config = resolveNotebookConfig({ pairs: "/some/where/My pairs (v2).jsonl.gz", epochs: 3 });
    expect(config).toMatchObject({
      synthetic: false,
      training: { run: "My-pairs-v2-", epochs: 3 },
      paths: { pairs: "/some/where/My pairs (v2).jsonl.gz" },
    });
    expect(resolveNotebookConfig({ pairs: "x.jsonl", run: "mine" }).paths.metrics).toBe("metrics/mine");
  });

  test("one epoch of synthetic pairs, and the same run again without asking", () => {
    expect(resolveNotebookConfig().training).toMatchObject({ epochs: 1, overwrite: true });
    expect(resolveNotebookConfig({ pairs: "x.jsonl" }).training).toMatchObject({ epochs: 2, overwrite: true });
    expect(resolveNotebookConfig({ resume: true }).training.overwrite).toBe(false);
  });

  // Would fail if a preset's model that is not here stopped the notebooks, or one that is asked for by name did not.
  test.each(presetNames())(
    "preset %s keeps its template and its settings, whether or not its model is here",
    (preset) => {
      const { training, missingModel } = resolveNotebookConfig({ preset });
      const { model, ...fields } = readPreset(preset);
      // original asks for 1024 tokens, the encoder that takes its model's place reads 512
      const read = missingModel === undefined ? {} : { max_length: Math.min(512, fields.max_length ?? 512) };
      expect(training).toMatchObject({ ...fields, ...read });
      expect(missingModel ?? training.model).toBe(model);
      expect(resolveNotebookConfig({ preset, model: "no/such-model" }).missingModel).toBeUndefined();
    },
  );

  test("a longer text than the model reads is said and not asked for", () => {
    const { training, lengthNote } = resolveNotebookConfig({ max_length: 600 });
    expect(training.max_length).toBe(512);
    expect(lengthNote).toBe("max_length: 600 is more than the model's 512 positions; using 512");
    expect(resolveNotebookConfig({ max_length: 500 }).lengthNote).toBeUndefined();
  });

  // A validation file or ratios of the user's must not be mixed with our three-way split.
  test("leaves the user's own split alone", () => {
    expect(resolveNotebookConfig({ train_ratio: 0.5, val_ratio: 0.5 }).training.test_ratio).toBe(0);
    expect(resolveNotebookConfig({ pairs: "a.jsonl", val: "b.jsonl" }).training.train_ratio).toBe(0.9);
  });

  test("names the field at fault", () => {
    expect(() => resolveNotebookConfig({ questions: 3 })).toThrow(/questions: .*got 3/);
    expect(() => resolveNotebookConfig({ noise: 0.6 })).toThrow(/noise/);
    expect(() => resolveNotebookConfig({ epochs: "two" })).toThrow(/epochs/);
    expect(() => resolveNotebookConfig({ epoch: 2 })).toThrow(/epoch/);
  });
});

describe("expectedSeconds", () => {
  const total = (input: object, gflops = 200) =>
    Object.values(expectedSeconds(resolveNotebookConfig(input as never), gflops)!).reduce((a, b) => a + b, 0);

  test("grows with pairs and epochs and shrinks with speed, never below what does not depend on it", () => {
    const training = (input: object, gflops: number) =>
      expectedSeconds(resolveNotebookConfig(input as never), gflops)!["03_train_reward_model"];
    expect(total({ questions: 1200 })).toBeGreaterThan(total({ questions: 600 }));
    const fixed = training({ epochs: 1 }, 1e9);
    const once = training({ epochs: 1 }, 100) - fixed;
    expect((training({ epochs: 1 }, 200) - fixed) / once).toBeCloseTo(0.5, 5);
    const epoch = training({ epochs: 2 }, 100) - training({ epochs: 1 }, 100);
    expect(training({ epochs: 3 }, 100) - training({ epochs: 2 }, 100)).toBeCloseTo(epoch, 5);
    expect(training({ epochs: 1, max_steps: 5 }, 100) - fixed).toBeLessThan(once);
  });

  // 6 operations a weight and token, 10.6 M weights of MiniLM, 110 tokens a pair, half the speed of a product
  test("is the arithmetic of a training step", () => {
    const config = resolveNotebookConfig({ questions: 1000, epochs: 1, train_ratio: 1, val_ratio: 0, test_ratio: 0 });
    const seconds = expectedSeconds(config, 100)!["03_train_reward_model"];
    const layer = 4 * 384 * 384 + 2 * 384 * 1536;
    const byHand = 2 * 6 * 6 * layer * 110 * 5 * 16;
    expect(seconds).toBeCloseTo(20 + (6 * 6 * layer * 110 * 3400 + byHand) / (0.5 * 100e9), 0);
  });

  test("is told in words", () => {
    expect([3, 42, 130, 9000].map(inWords)).toEqual(["5 seconds", "40 seconds", "2.2 minutes", "2.5 hours"]);
  });
});

test("notebookConfig says what is wrong with its file", () => {
  expect(notebookConfig({}, "").synthetic).toBe(true);
  expect(() => notebookConfig({}, "/no/such.json")).toThrow(
    /RB_NOTEBOOK_CONFIG: expected a JSON file, found none at \/no\/such\.json/,
  );
  expect(() => notebookConfig({}, __filename)).toThrow(/expected JSON/);
});

test("every flag of the notebooks has its meaning and default", () => {
  expect(notebookFlags.map(([flag]) => flag)).toEqual([
    "--questions <n>",
    "--noise <n>",
    "--policy <dir>",
    "--policy-steps <n>",
    "--remote <url>",
    "--workers <n>",
    "--policy-samples <n>",
  ]);
  expect(notebookFlags.filter(([, meaning]) => !/^[a-z]{3,} \w+/.test(meaning) || /undefined/.test(meaning))).toEqual(
    [],
  );
  const numbers = notebookFlags.filter(([flag]) => flag.endsWith("<n>"));
  expect(numbers.every(([, meaning]) => /\(default: [\d.]+\)/.test(meaning))).toBe(true);
});

test("the time left follows the last seconds, not the slow start", () => {
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line) => void lines.push(line));
  let time = 0;
  const bar = createProgressBar("training", "steps", { now: () => time });
  time = 60_000; // compiling
  bar.update(1, 101);
  for (let step = 2; step <= 41; step++) {
    time += 1000;
    bar.update(step, 101);
  }
  bar.end("interrupted");
  expect(lines.at(-1)).toBe("training 41/101 steps · 1.00/s · 1:00 left · interrupted");
  bar.update(101, 101);
  bar.end();
  expect(lines.at(-1)).toBe("training 101/101 steps · 1.01/s · in 1:40");
  // work that goes on after a stop: what was there before says nothing about its rate
  const again = createProgressBar("scoring", "texts", { since: { at: time, done: 400 }, now: () => time });
  time += 10_000;
  again.update(420, 500);
  again.end();
  expect(lines.at(-1)).toBe("scoring 420/500 texts · 2.00/s · 0:40 left");
  const unknown = createProgressBar("check", "pairs", { now: () => time });
  time += 2000;
  unknown.update(500, Infinity);
  unknown.end("stopped");
  expect(lines.at(-1)).toBe("check 500 pairs · 250/s · in 0:02 · stopped");
});

test("a data frame becomes an escaped table", () => {
  const { html, text } = frameTable(
    {
      columns: ["risk", "mean"],
      values: [
        ["<b>High</b>", 0.25],
        ["Low", 3],
      ],
    },
    "By risk",
  );
  expect(html).not.toContain("<b>");
  expect(text).toMatch(/By risk\n.*risk.*mean[\s\S]*0\.25/);
});

test("runChecks prints every check and fails by name", () => {
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line) => void lines.push(line));
  expect(() => runChecks({ sound: true, broken: false })).toThrow("checks failed: broken");
  expect(lines).toEqual(["✓ sound", "✗ broken"]);
});

test("a share with its interval", () => {
  expect(withInterval(0.8123, [0.78, 0.84])).toBe("81.2%, 95% interval 78.0% to 84.0%");
});
