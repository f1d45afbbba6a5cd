// In: a model and a batch shape. Out: what the compiled scoring graph is made of, what it should cost and what it does cost.
import * as tf from "@tensorflow/tfjs-core";
import { compile, estimateMs, type GraphSummary } from "../lib/engine/compile";
import { scoreInputs } from "../lib/models/rewardModel";
import { loadRewardModel } from "../lib/checkpoints/checkpoint";
import { percent } from "../lib/wording";

export interface GraphReport extends GraphSummary {
  readonly model: string;
  /** Floating-point rate of the fastest run, GFLOP/s; null where nothing was compiled. */
  readonly gflops: number | null;
  /** That rate as a share of the bare matrix product's. */
  readonly share_of_gemm: number | null;
}

const RUNS = 5;

/**
 * Compiles scoring for one batch shape and runs it a few times.
 *
 * @param gemm GFLOP/s of a bare product in each precision
 * @returns null on a backend without graphs
 */
export async function reportGraph(options: {
  readonly model: string;
  readonly rows: number;
  readonly width: number;
  readonly precision: "bf16" | "f32";
  readonly gemm: { readonly f32: number; readonly bf16: number | null };
}): Promise<GraphReport | null> {
  const { rows, width, precision } = options;
  const { model } = await loadRewardModel(options.model);
  const score = compile(
    (ids, mask) => scoreInputs(model, { ids: ids as tf.Tensor2D, segmentIds: mask as tf.Tensor2D }),
    {
      precision,
      name: "score",
    },
  );
  const inputs = [tf.zeros([rows, width], "int32"), tf.ones([rows, width])];
  for (let run = 0; run < RUNS; run++) tf.dispose(score(...inputs).map((output) => (output.dataSync(), output)));
  const [summary] = score.graphs();
  tf.dispose(inputs);
  score.dispose();
  model.dispose();
  if (!summary) return null;
  const gflops = summary.bestRunMs === null ? null : summary.flops / summary.bestRunMs / 1e6;
  const peak = precision === "bf16" ? options.gemm.bf16 : options.gemm.f32;
  return {
    model: options.model,
    ...summary,
    gflops,
    share_of_gemm: gflops === null || peak === null ? null : gflops / peak,
  };
}

export function graphLines(report: GraphReport | null, bandwidth = 20): string[] {
  if (!report) return ["graph        none: this backend runs function by function"];
  const peak = report.gflops !== null && report.share_of_gemm ? report.gflops / report.share_of_gemm : null;
  const estimate =
    peak === null
      ? ""
      : `, estimated ${estimateMs(report, { gflops: peak, gigabytesPerSecond: bandwidth }).toFixed(0)} ms`;
  const ms = (time: number | null) => (time === null ? "–" : `${time.toFixed(0)} ms`);
  return [
    `graph        score ${report.shapes[0].join("×")} tokens in ${report.precision}: ${report.ops} ops, ${report.products} matrix products, ${report.regions} fused regions (${report.functions} different)`,
    `work         ${(report.flops / 1e9).toFixed(1)} GFLOP, ${(report.bytesMoved / 1e6).toFixed(0)} MB moved, graph of ${(report.graphBytes / 1e3).toFixed(0)} kB`,
    `time         built in ${ms(report.buildMs)}, first run ${ms(report.firstRunMs)}, best run ${ms(report.bestRunMs)}${estimate}`,
    ...(report.gflops === null
      ? []
      : [
          `reached      ${report.gflops.toFixed(0)} GFLOP/s, ${percent(report.share_of_gemm ?? 0, 0)} of a bare product`,
        ]),
  ];
}
