// In: a job. Out: how time and memory grow with sequence length, batch tokens, layers and number of pairs, with exponents.
import { costFigure, fitExponent, type Figure } from "../lib/report/figures";
import { compare, type Side } from "./compare";
import type { Job } from "./job";

export interface CurvePoint {
  readonly x: number;
  readonly ms: number;
  readonly peakMb: number;
}

export interface CostCurve {
  readonly name: string;
  readonly sizeTitle: string;
  readonly points: readonly CurvePoint[];
  /** k of time ≈ c·sizeᵏ, and of memory. */
  readonly timeExponent: number | null;
  readonly memoryExponent: number | null;
}

/** Tokens of a step while another size varies. */
const TOKENS = 4096;
const LENGTHS = [128, 256, 512, 1024, 2048];
const BATCH_ROWS = [8, 16, 32, 64, 128];
const LAYERS = [2, 4, 6, 12];
const PAIRS = [1_000, 10_000, 100_000, 1_000_000];

async function stepSide(job: Job, [B, T]: [number, number], changes: Record<string, unknown> = {}): Promise<Side> {
  const model = await job.randomModel("minilm", { max_position_embeddings: 2048, ...changes });
  return {
    label: `${B}×${T}`,
    program: "step.js",
    settings: { model, batch: job.fixedBatch(B, T), learning_rate: 1e-5, full_last_layer: false },
  };
}

/** Measures each size in a process of its own, so that its peak memory is its own. */
async function measure(
  name: string,
  sizeTitle: string,
  sizes: readonly number[],
  side: (size: number) => Promise<Side>,
): Promise<CostCurve> {
  const points: CurvePoint[] = [];
  for (const x of sizes) {
    const [{ medianMs, peakMb }] = await compare([await side(x)], { units: 3, tolerance: 0 });
    points.push({ x, ms: medianMs, peakMb });
    console.log(`${name} ${x}: ${medianMs.toFixed(0)} ms, ${peakMb.toFixed(0)} MB`);
  }
  const exponent = (y: "ms" | "peakMb") => fitExponent(points.map((point) => ({ x: point.x, y: point[y] })));
  return { name, sizeTitle, points, timeExponent: exponent("ms"), memoryExponent: exponent("peakMb") };
}

export async function measureCurves(job: Job, quick: boolean): Promise<CostCurve[]> {
  const few = (sizes: readonly number[]) => (quick ? sizes.slice(0, 3) : sizes);
  return [
    await measure("sequence length", `tokens a text, ${TOKENS.toLocaleString("en")} a step`, few(LENGTHS), (T) =>
      stepSide(job, [TOKENS / T, T]),
    ),
    await measure(
      "batch tokens",
      "tokens a step, texts of 128",
      few(BATCH_ROWS).map((B) => B * 128),
      (n) => stepSide(job, [n / 128, 128]),
    ),
    await measure("layers", "layers, 32 texts of 128 tokens", few(LAYERS), (n) =>
      stepSide(job, [32, 128], { num_hidden_layers: n }),
    ),
    await measure("pairs read", "pairs in the file", few(PAIRS), async (count) => ({
      label: `${count} pairs`,
      program: "reading.js",
      settings: { count },
    })),
  ];
}

/** Time and memory of one curve, each a Plotly figure. */
export function curveFigures({ name, sizeTitle, points }: CostCurve): { time: Figure; memory: Figure } {
  const figure = (what: string, costTitle: string, y: "ms" | "peakMb") =>
    costFigure([{ name: "Rewardbook", points: points.map((point) => ({ x: point.x, y: point[y] })) }], {
      title: `${what} against ${name}`,
      sizeTitle,
      costTitle,
    });
  return { time: figure("Time", "milliseconds", "ms"), memory: figure("Peak memory", "MB", "peakMb") };
}
