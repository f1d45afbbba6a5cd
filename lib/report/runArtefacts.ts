// In: a run under way or at its end. Out: what a reader gets beside the numbers: the model cards and the plots.
import { join } from "node:path";
import { readRun } from "../runs/runFiles";
import type { RunArtefacts } from "../training/run";
import { modelCard } from "./card";
import { runFigures } from "./figures/runFigures";
import { savePlots } from "./png";

/** The pictures and texts of a run, which training asks for without knowing how they are made. */
export const runArtefacts: RunArtefacts = {
  modelCard,
  drawPlots: async (dir) => (await savePlots(runFigures(readRun(dir)), join(dir, "plots"))).leftOut,
};
