// In: a job. Out: how fast exported models score in onnxruntime, beside ours and PyTorch.
import { join } from "node:path";
import { loadRewardModel } from "../lib/checkpoints/checkpoint";
import { exportOnnx } from "../lib/export/exportOnnx";
import type { Measured } from "./compare";
import type { Comparison, Row } from "./comparison";

/** Exported models in onnxruntime, f32 and 8 bits, beside ours and PyTorch in f32. */
export const onnx: Comparison = {
  name: "onnx",
  tolerance: 0.05,
  sides: async (job, quick) => {
    const { tokens } = await job.pairs(quick ? 32 : 128, 512);
    const model = await job.model();
    const dir = join(job.dir, "onnx");
    const loaded = await loadRewardModel(model);
    const files = await exportOnnx(dir, loaded, { dtypes: ["fp32", "q8"] });
    loaded.model.dispose();
    const torch = { model, tokens, max_length: 512, attention: "sdpa", bf16: false, latency: true };
    return [
      {
        label: "ours",
        program: "scoring.js",
        settings: { model, tokens, max_length: 512, precision: "f32", latency: true },
      },
      ...files.map(({ dtype, file }) => ({
        label: `onnxruntime ${dtype}`,
        program: "onnxScoring.js",
        settings: { file: join(dir, file), tokens, batch_size: 8 },
      })),
      { label: "transformers f32", program: "python/scoring.py", settings: { ...torch, batch_size: 32 } },
    ];
  },
  rows: (measured) => {
    const ours = measured.get("ours")!;
    const rate = (side: Measured) => (ours.last.pairs / side.medianMs) * 1000;
    const others = [...measured.values()].filter((side) => side !== ours);
    const row = (side: Measured, work: string, unit: string, value: (side: Measured) => number): Row => ({
      work,
      against: side.label,
      target: 1,
      unit,
      ours: value(ours),
      theirs: value(side),
      bound: unit === "ms" ? "ratio at most" : "ratio at least",
    });
    return others.flatMap((side) => [
      row(side, "scoring pairs of mixed length, f32 here", "pairs/s", rate),
      row(side, "one pair alone, f32 here", "ms", ({ last }) => last.one_pair_ms),
    ]);
  },
};
