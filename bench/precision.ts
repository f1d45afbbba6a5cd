// In: the processor at hand. Out: the precision in which each side is at its best, and the peak that goes with ours.
import { spawnSync } from "node:child_process";
import { initBackend, measureGemm } from "../lib/engine/backend";
import { projectPath } from "../lib/files/paths";
import { referencePython } from "./compare";

export type Precision = "bf16" | "f32";

/** bf16 must be this much faster in a bare product: autocast costs casts around every one. */
const WORTH = 1.2;

export const betterOf = (seconds: Readonly<Record<Precision, number>>): Precision =>
  seconds.f32 > WORTH * seconds.bf16 ? "bf16" : "f32";

let known: Precision | null = null;

/** The precision in which torch multiplies faster here: processors without the instructions emulate bf16. */
export function torchPrecision(): Precision {
  if (known) return known;
  const { stdout, stderr, status } = spawnSync(referencePython(), [projectPath("bench", "python", "precision.py")], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`bench: expected torch to multiply two matrices, got: ${stderr.trim()}`);
  return (known = betterOf(JSON.parse(stdout) as Record<Precision, number>));
}

/** The other side's precision, as the labels of its measurements say. */
export const precisionIn = (labels: Iterable<string>): Precision =>
  [...labels].some((label) => / bf16\b/.test(label)) ? "bf16" : "f32";

/** Operations a second of a bare product in the precision that our side computes in. */
export async function ourPeak(): Promise<number> {
  const { bf16 } = await initBackend();
  const speeds = measureGemm();
  return 1e9 * (bf16 ? (speeds.bf16 ?? speeds.f32) : speeds.f32);
}
