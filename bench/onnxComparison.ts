// In: a job. Out: how fast exported models score in onnxruntime, beside ours and PyTorch.
import { join } from "node:path";
import { loadRewardModel } from "../lib/checkpoints/checkpoint";
import { exportOnnx } from "../lib/export/exportOnnx";
import type { Measured } from "./compare";
import type { Comparison } from "./comparison";

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
    const torch = { model, tokens, max_length: 512, attention: "sdpa", bf16: false };
    return [
      { label: "ours", program: "scoring.js", settings: { model, tokens, max_length: 512, precision: "f32" } },
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
    return others.map((side) => ({
      work: "scoring pairs of mixed length, f32 here",
      against: side.label,
      target: 1,
      unit: "pairs/s",
      ours: rate(ours),
      theirs: rate(side),
      bound: "ratio at least",
    }));
  },
};
