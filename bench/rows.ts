// In: a job. Out: the comparisons of the benchmark, each with its sides and the rows it gives to the table.
import { join } from "node:path";
import { DEFAULT_TEMPLATE } from "../lib/text/template";
import type { Measured, Side } from "./compare";
import type { Comparison, Row } from "./comparison";
import { CONVERSATIONS } from "./conversationRows";
import { headEpoch } from "./headRows";
import type { Size } from "./models";
import { onnx } from "./onnxComparison";
import { precisionIn, torchPrecision, type Precision } from "./precision";

const LEARNING_RATE = 5e-5;
const best = (sides: Iterable<Measured>): number => Math.min(...[...sides].map(({ medianMs }) => medianMs));
const others = (measured: ReadonlyMap<string, Measured>, prefix = ""): Measured[] =>
  [...measured.values()].filter(({ label }) => !label.startsWith("ours") && label.startsWith(prefix));
const perSecond = (count: number, ms: number): number => (count / ms) * 1000;

function step(
  name: string,
  size: Size,
  [B, T]: [number, number],
  targets: { ratio: number; full?: number },
): Comparison {
  const work = `${name}: training step ${B}×${T}`;
  return {
    name,
    tolerance: 0.02,
    sides: async (job, quick) => {
      const settings = {
        model: await job.randomModel(size),
        batch: job.fixedBatch(B, T),
        learning_rate: LEARNING_RATE,
      };
      const ours = (label: string, full: boolean): Side => ({
        label,
        program: "step.js",
        settings: { ...settings, full_last_layer: full },
      });
      const torch = (attention: string, precision: Precision): Side => ({
        label: `torch ${precision} ${attention}`,
        program: "python/step.py",
        settings: { ...settings, attention, bf16: precision === "bf16" },
      });
      const best = torchPrecision();
      const exact = quick || best === "f32" ? [] : [torch("eager", "f32")];
      const full = targets.full === undefined ? [] : [ours("ours, last layer in full", true)];
      return [ours("ours", false), ...full, torch("eager", best), torch("sdpa", best), ...exact];
    },
    rows: (measured) => {
      const ours = measured.get("ours")!;
      const full = measured.get("ours, last layer in full");
      const theirs = best(others(measured));
      const precision = precisionIn(measured.keys());
      const eager = `torch ${precision} eager`;
      const steps = (ms: number) => perSecond(1, ms);
      const ratio = (label: string, side: Measured, target: number): Row => ({
        work: label,
        against: `torch ${precision}${precision === "bf16" ? " autocast" : ""}`,
        target,
        unit: "steps/s",
        ours: steps(side.medianMs),
        theirs: steps(theirs),
        bound: "ratio at least",
      });
      const rows = [ratio(work, ours, targets.ratio)];
      if (!full || targets.full === undefined) return rows;
      const { flops, gemm } = full.last;
      return [
        ratio(`${work}, last layer in full`, full, targets.full),
        ...rows,
        {
          work: `${work}: peak memory`,
          against: eager,
          target: 1,
          unit: "MB",
          ours: ours.peakMb,
          theirs: measured.get(eager)!.peakMb,
          bound: "ratio at most",
        },
        {
          work: `${work}: model FLOPs utilisation`,
          against: "GEMM peak of the same run",
          target: 0.6,
          unit: "",
          ours: flops / (full.medianMs / 1000) / gemm,
          theirs: null,
          bound: "at least",
        },
        {
          work: `${work}: first step after start`,
          against: "–",
          target: 8,
          unit: "s",
          ours: ((ours.first.since_start_ms ?? NaN) - ours.first.gemm_ms) / 1000,
          theirs: null,
          bound: "at most",
        },
      ];
    },
  };
}

/** The mean loss of an epoch in which the sides meet the pairs in different orders; the comparison loss-curve has them in one order. */
const EPOCH = { tolerance: 0.1, judged: "first" } as const;

const trl: Comparison = {
  name: "trl",
  ...EPOCH,
  sides: async (job, quick) => {
    const { pairs, tokens } = await job.pairs(quick ? 96 : 256, 512);
    const common = { model: await job.model(), batch_size: 16, max_length: 512, learning_rate: LEARNING_RATE };
    const precision = torchPrecision();
    const other = (attention: string): Side => ({
      label: `TRL ${precision} ${attention}`,
      program: "python/trl_side.py",
      settings: { ...common, tokens, attention, bf16: precision === "bf16", what: "train" },
    });
    return [{ label: "ours", program: "epoch.js", settings: { ...common, pairs } }, other("sdpa")]; // eager attention takes twice as long at this length
  },
  rows: (measured) => {
    const ours = measured.get("ours")!;
    const { pairs, flops, gemm } = ours.last;
    return [
      {
        work: "fine-tuning all weights, MiniLM, maximum length 512",
        against: `TRL RewardTrainer ${precisionIn(measured.keys())}`,
        target: 3.5,
        unit: "pairs/s",
        ours: perSecond(pairs, ours.medianMs),
        theirs: perSecond(pairs, best(others(measured))),
        bound: "ratio at least",
      },
      {
        work: "epoch of real pairs: model FLOPs utilisation",
        against: "GEMM peak of the same run",
        target: 0.5,
        unit: "",
        ours: flops / (ours.medianMs / 1000) / gemm,
        theirs: null,
        bound: "at least",
      },
    ];
  },
};

/** The same batches in the same order: what is left is our bf16 against torch's f32. */
const lossCurve: Comparison = {
  name: "loss-curve",
  tolerance: 0.01,
  judged: "first",
  sides: async (job, quick) => {
    const { pairs, tokens } = await job.pairs(quick ? 64 : 256, 512);
    const common = { model: await job.model(), learning_rate: LEARNING_RATE, updates: join(job.dir, "updates.json") };
    return [
      { label: "ours", program: "epoch.js", settings: { ...common, pairs, batch_size: 16, max_length: 512 } },
      { label: "torch f32", program: "python/loss_curve.py", settings: { ...common, tokens } },
    ];
  },
  rows: (measured) => {
    const [ours, theirs] = ["ours", "torch f32"].map((label) => measured.get(label)!.first);
    const curve = (side: typeof ours) => Array.from({ length: side.updates! }, (_, k) => side[`loss_${k + 1}`]);
    const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
    const apart = sum(curve(ours).map((loss, k) => Math.abs(loss - curve(theirs)[k]))) / sum(curve(theirs));
    return [
      {
        work: `loss curve over ${ours.updates} updates: mean distance`,
        against: "torch f32, same batches",
        target: 0.01,
        unit: "",
        ours: apart,
        theirs: null,
        bound: "at most",
      },
    ];
  },
};

const notebook: Comparison = {
  name: "notebook",
  ...EPOCH,
  sides: async (job, quick) => {
    const { pairs, tokens } = await job.pairs(quick ? 64 : 128, 256);
    const common = { model: await job.model(), batch_size: 8, max_length: 256, learning_rate: LEARNING_RATE };
    return [
      { label: "ours", program: "epoch.js", settings: { ...common, pairs } },
      { label: "notebook loop f32", program: "python/notebook_loop.py", settings: { ...common, tokens } },
    ];
  },
  rows: (measured) => {
    const ours = measured.get("ours")!;
    const rate = (ms: number) => perSecond(ours.last.pairs, ms);
    return [
      {
        work: "fine-tuning all weights, MiniLM, maximum length 256",
        against: "the usual notebook loop (two forwards, batch 8, all padded, f32)",
        target: 5,
        unit: "pairs/s",
        ours: rate(ours.medianMs),
        theirs: rate(best(others(measured))),
        bound: "ratio at least",
      },
    ];
  },
};

const scoring: Comparison = {
  name: "scoring",
  tolerance: 0.05,
  sides: async (job, quick) => {
    const { tokens } = await job.pairs(quick ? 128 : 384, 512);
    const common = { model: await job.model(), tokens, max_length: 512 };
    const precision = torchPrecision();
    const other = { ...common, learning_rate: LEARNING_RATE, attention: "sdpa", bf16: precision === "bf16" };
    const eager: Side = {
      label: `transformers ${precision} sorted eager`,
      program: "python/scoring.py",
      settings: { ...other, attention: "eager", batch_size: 32 },
    };
    return [
      { label: "ours", program: "scoring.js", settings: common },
      {
        label: `TRL ${precision} evaluate`,
        program: "python/trl_side.py",
        settings: { ...other, batch_size: 8, what: "evaluate" },
      },
      {
        label: `transformers ${precision} sorted`,
        program: "python/scoring.py",
        settings: { ...other, batch_size: 32 },
      },
      ...(quick ? [] : [eager]),
    ];
  },
  rows: (measured) => {
    const ours = measured.get("ours")!;
    const row = (against: string, target: number, prefix: string): Row => ({
      work: "scoring pairs of mixed length",
      against,
      target,
      unit: "pairs/s",
      ours: perSecond(ours.last.pairs, ours.medianMs),
      theirs: perSecond(ours.last.pairs, best(others(measured, prefix))),
      bound: "ratio at least",
    });
    return [
      row(`TRL's evaluate, ${precisionIn(measured.keys())}`, 4, "TRL"),
      row(`transformers, batch 32 ${precisionIn(measured.keys())}, length-sorted`, 1.5, "transformers"),
    ];
  },
};

const tokenising: Comparison = {
  name: "tokenising",
  tolerance: 0,
  sides: async (job, quick) => {
    const { items } = await job.pairs(quick ? 300 : 1000, 512);
    const settings = { model: await job.model(), items, max_length: 512, template: DEFAULT_TEMPLATE };
    return [
      { label: "ours", program: "tokenising.js", settings },
      { label: "Python tokenizers", program: "python/tokenising.py", settings },
    ];
  },
  rows: (measured) => {
    const ours = measured.get("ours")!;
    const rate = (ms: number) => perSecond(ours.last.tokens, ms);
    return [
      {
        work: "tokenising",
        against: "Python tokenizers",
        target: 1,
        unit: "tokens/s",
        ours: rate(ours.medianMs),
        theirs: rate(best(others(measured))),
        bound: "ratio at least",
      },
    ];
  },
};

export const COMPARISONS: readonly Comparison[] = [
  step("minilm", "minilm", [32, 128], { ratio: 1.35, full: 1.15 }),
  trl,
  lossCurve,
  notebook,
  scoring,
  onnx,
  step("bert-base", "bert-base", [16, 128], { ratio: 1.3 }),
  step("smollm2", "smollm2-135m", [8, 256], { ratio: 1.1 }),
  tokenising,
  headEpoch,
  ...CONVERSATIONS,
];
