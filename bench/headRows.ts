// In: a job. Out: the comparison of training a head alone, on cached vectors.
import type { Comparison } from "./comparison";

/** A frozen encoder: its vectors come from the cache, the head alone trains. */
export const headEpoch: Comparison = {
  name: "head-epoch",
  tolerance: 0,
  sides: async (job, quick) => {
    const settings = { model: await job.model(), pairs: quick ? 16384 : 65536, batch: 512 };
    return [
      { label: "ours, linear head", program: "headEpoch.js", settings: { ...settings, head: "mean" } },
      {
        label: "ours, pooler and classifier",
        program: "headEpoch.js",
        settings: { ...settings, head: "classification" },
      },
    ];
  },
  rows: (measured) =>
    [...measured.values()].map((side) => ({
      work: `epoch on cached vectors, batch 512, ${side.label.replace("ours, ", "")}`,
      against: "–",
      target: 100_000,
      unit: "pairs/s",
      ours: (1000 * side.last.pairs) / side.medianMs,
      theirs: null,
      bound: "at least",
    })),
};
