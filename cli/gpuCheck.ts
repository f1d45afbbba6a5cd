// In: a machine with a GPU. Out: whether the training graph gives the processor's loss and gradients there, and how fast a step is.
import { elementCount } from "../lib/files/pieces";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { resolveConfig } from "../lib/config";
import { initBackend, type BackendInfo } from "../lib/engine/backend";
import { compile } from "../lib/engine/compile";
import { InputError } from "../lib/errors";
import { parseModelConfig } from "../lib/models/config";
import { createRewardModel } from "../lib/models/createModel";
import { parameterShapes, scoreInputs, type RewardModel } from "../lib/models/rewardModel";
import { projectPath } from "../lib/files/paths";
import { createRandom } from "../lib/random";
import { createOptimizer, lossAndGradients } from "../lib/training/lossGradients";

type Precision = "f32" | "bf16";

/** A BERT of random weights and the batch it sees. */
export interface CheckShape {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly vocabulary: number;
  /** Texts of a batch, chosen half first. */
  readonly rows: number;
  readonly tokens: number;
}

/** Small, yet its products are large enough to run in bf16. */
const COMPARED: CheckShape = { layers: 2, width: 128, heads: 4, vocabulary: 64, rows: 16, tokens: 32 };
/** The default encoder's shape, so that times compare with the README's. */
const TIMED: CheckShape = { layers: 6, width: 384, heads: 12, vocabulary: 30522, rows: 32, tokens: 128 };

/**
 * Largest relative L2 distance of all gradients from the processor's in f32, and of the loss. On Ampere and newer GPUs
 * TensorFlow multiplies f32 in TF32 (10 bits of mantissa); bf16 has 7.
 */
export const TOLERANCE: Readonly<Record<Precision, { readonly gradients: number; readonly loss: number }>> = {
  f32: { gradients: 2e-3, loss: 1e-3 },
  bf16: { gradients: 2e-2, loss: 1e-2 },
};

/** What one device computes. */
export interface Computed {
  readonly loss: number;
  /** All gradients, one after another. */
  readonly gradients: Float32Array;
}

export interface Comparison {
  readonly precision: Precision;
  readonly loss: number;
  readonly cpu_loss: number;
  /** Relative L2 distance of all gradients. */
  readonly distance: number;
  readonly ok: boolean;
}

export interface GpuReport {
  readonly rewardbook: string;
  readonly node: string;
  readonly tensorflow: string;
  readonly driver: string;
  readonly device: string;
  readonly memory_growth: string;
  readonly comparisons: readonly Comparison[];
  readonly step: {
    readonly precision: Precision;
    readonly first_ms: number;
    readonly best_ms: number;
    readonly tokens_per_second: number;
  };
  readonly ok: boolean;
}

function makeModel({ layers, width, heads, vocabulary, tokens }: CheckShape): RewardModel {
  const config = parseModelConfig(
    {
      model_type: "bert",
      vocab_size: vocabulary,
      hidden_size: width,
      num_hidden_layers: layers,
      num_attention_heads: heads,
      intermediate_size: 4 * width,
      max_position_embeddings: tokens,
      num_labels: 1,
    },
    "GPU check",
  );
  const random = createRandom(17);
  const tensors = [...parameterShapes(config)].map(([name, shape]) => {
    const centre = /LayerNorm.weight$/.test(name) ? 1 : 0;
    const data = new Float32Array(elementCount(shape)).map(() => centre + 0.05 * random.normal());
    return [name, { shape, data }] as const;
  });
  return createRewardModel(config, tensors);
}

/** The training gradient of a model as one graph, and its batch: texts of different lengths. */
function gradientOf(model: RewardModel, { rows, tokens, vocabulary }: CheckShape, precision: Precision) {
  const random = createRandom(5),
    P = rows / 2;
  const config = resolveConfig({ precision });
  const trained = { model, trainable: [...model.parameters.keys()], config };
  const lengths = Array.from({ length: rows }, (_, row) => tokens - (row % (tokens / 2)));
  const inputs = [
    tf.tensor2d(
      Array.from({ length: rows }, () => Array.from({ length: tokens }, () => random.integer(vocabulary))),
      [rows, tokens],
      "int32",
    ),
    tf.tensor2d(lengths.map((length) => Array.from({ length: tokens }, (_, t) => Number(t < length)))),
    tf.fill([P], 1 / P),
    tf.ones([P]),
    tf.zeros([P]),
    tf.tensor1d([1, 2], "int32"),
  ];
  const run = compile(
    (ids, mask, share, weights, margins, seed) =>
      lossAndGradients(
        trained,
        () => scoreInputs(model, { ids: ids as tf.Tensor2D, segmentIds: mask as tf.Tensor2D }),
        {
          share: share as tf.Tensor1D,
          weights: weights as tf.Tensor1D,
          margins: margins as tf.Tensor1D,
          seed: seed as tf.Tensor1D,
        },
      ),
    { precision, name: "GPU check", xla: false },
  );
  const dispose = () => {
    tf.dispose(inputs);
    run.dispose();
  };
  return { trained, gradients: () => run(...inputs), dispose };
}

/** Loss and gradients of the small model on the device in use. */
export function compute(precision: Precision, shape = COMPARED): Computed {
  const model = makeModel(shape);
  const { gradients, dispose } = gradientOf(model, shape, precision);
  const [values, ...grads] = gradients();
  const loss = (values.dataSync() as Float32Array).subarray(0, shape.rows / 2).reduce((sum, value) => sum + value, 0);
  const all = Float32Array.from(grads.flatMap((gradient) => [...gradient.dataSync()]));
  tf.dispose([values, ...grads]);
  dispose();
  model.dispose();
  return { loss, gradients: all };
}

/** @param cpu what the processor computes in f32 */
export function compareWith(cpu: Computed, here: Computed, precision: Precision): Comparison {
  const length = (of: (i: number) => number) => Math.sqrt(cpu.gradients.reduce((sum, _, i) => sum + of(i) ** 2, 0));
  const distance = length((i) => cpu.gradients[i] - here.gradients[i]) / length((i) => cpu.gradients[i]);
  const { gradients, loss } = TOLERANCE[precision];
  const ok = distance <= gradients && Math.abs(here.loss - cpu.loss) <= loss * Math.abs(cpu.loss);
  return { precision, loss: here.loss, cpu_loss: cpu.loss, distance, ok };
}

/** Whole optimizer steps, forward to updated weights: the first with compilation, and the best of ten. */
export function timeStep(precision: Precision, shape = TIMED): GpuReport["step"] {
  const model = makeModel(shape);
  const { trained, gradients, dispose } = gradientOf(model, shape, precision);
  const optimizer = createOptimizer(trained, false);
  const times = Array.from({ length: 11 }, () => {
    const started = performance.now();
    const [values, ...grads] = gradients();
    const { gradNorm, skipped } = optimizer.step(grads, 1e-5);
    gradNorm.dataSync();
    tf.dispose([values, ...grads, gradNorm, skipped]);
    return performance.now() - started;
  });
  dispose();
  optimizer.dispose();
  model.dispose();
  const best = Math.min(...times.slice(1));
  return { precision, first_ms: times[0], best_ms: best, tokens_per_second: (1000 * shape.rows * shape.tokens) / best };
}

/** What `doctor --gpu-reference` prints: the processor's side, in a process of its own that sees no GPU. */
export const printReference = (): string => {
  const { loss, gradients } = compute("f32");
  return JSON.stringify({ loss, gradients: Buffer.from(gradients.buffer).toString("base64") });
};

function processorSide(): Computed {
  const env = { ...process.env, CUDA_VISIBLE_DEVICES: "-1" };
  const run = spawnSync(process.execPath, [process.argv[1], "doctor", "--gpu-reference"], {
    encoding: "utf8",
    env,
    maxBuffer: 2 ** 28,
  });
  if (run.status !== 0)
    throw new Error(
      `doctor --gpu: expected the processor's side to run, got ${run.error?.message ?? run.stderr.slice(-1000)}; please report this`,
    );
  const { loss, gradients } = JSON.parse(run.stdout);
  return { loss, gradients: new Float32Array(Uint8Array.from(Buffer.from(gradients, "base64")).buffer) };
}

/** @throws InputError where no GPU is in use, with the reason */
export function requireGpu({ gpu, gpuReason }: Pick<BackendInfo, "gpu" | "gpuReason">): string {
  if (gpu !== null) return gpu;
  throw new InputError(`doctor --gpu: expected an NVIDIA GPU in use, got none: ${gpuReason}`);
}

const driverVersion = (): string => {
  try {
    return /\b\d{3,}\.\d+(\.\d+)?\b/.exec(readFileSync("/proc/driver/nvidia/version", "utf8"))?.[0] ?? "unreadable";
  } catch {
    return "hidden"; // in some containers
  }
};

/** Compares and times; about a minute. */
export async function checkGpu(): Promise<GpuReport> {
  const backend = await initBackend();
  const device = requireGpu(backend);
  const cpu = processorSide();
  const comparisons = (["f32", "bf16"] as const).map((precision) => compareWith(cpu, compute(precision), precision));
  return {
    rewardbook: JSON.parse(readFileSync(projectPath("package.json"), "utf8")).version,
    node: process.versions.node,
    tensorflow: backend.version,
    driver: driverVersion(),
    device,
    memory_growth: process.env.TF_FORCE_GPU_ALLOW_GROWTH!,
    comparisons,
    step: timeStep("bf16"),
    ok: comparisons.every(({ ok }) => ok),
  };
}

/** The report as lines to paste into an issue. */
export function gpuLines(report: GpuReport): string[] {
  const compared = report.comparisons.map(
    ({ precision, loss, cpu_loss, distance, ok }) =>
      `${precision.padEnd(10)} loss ${loss.toFixed(6)} (processor ${cpu_loss.toFixed(6)}), gradients ${distance.toExponential(1)} apart, at most ${TOLERANCE[precision].gradients}: ${ok ? "ok" : "TOO FAR"}`,
  );
  const { first_ms, best_ms, tokens_per_second, precision } = report.step;
  return [
    "GPU check of Rewardbook; please paste it into an issue",
    `versions   Rewardbook ${report.rewardbook}, Node ${report.node}, TensorFlow ${report.tensorflow} with CUDA`,
    `GPU        ${report.device}, driver ${report.driver}, memory growth ${report.memory_growth}`,
    ...compared,
    `step       ${TIMED.rows}×${TIMED.tokens} tokens of a ${TIMED.layers}-layer, ${TIMED.width}-wide encoder in ${precision}: ${best_ms.toFixed(1)} ms, ${tokens_per_second.toFixed(0)} tokens/s (first ${(first_ms / 1000).toFixed(1)} s)`,
    `verdict    ${report.ok ? "ok" : "the GPU computes something else"}`,
  ];
}
