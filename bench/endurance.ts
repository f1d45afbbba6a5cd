// In: pairs. Out: the memory of a training that runs for an hour: `rewardbook train` itself, with its validations and checkpoints.
import { spawn } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectPath } from "../lib/files/paths";
import { median } from "./compare";
import type { Job } from "./job";
import { memoryMb } from "./serve";

export interface Endurance {
  readonly minutes: number;
  readonly steps: number;
  /** Resident memory through the run, MB. */
  readonly samples: readonly { readonly minute: number; readonly mb: number }[];
  /** Median of the second and of the last tenth of the run. */
  readonly early: number;
  readonly late: number;
}

const RUN = "bench-endurance";
const SAMPLE_MS = 10_000;
const ALL_PAIRS = 1_000_000;

/** Medians of the second and of the last tenth of the samples. */
export function earlyAndLate(samples: Endurance["samples"]): { early: number; late: number } {
  const tenth = (k: number) =>
    samples.slice(Math.floor((k * samples.length) / 10), Math.max(1, Math.floor(((k + 1) * samples.length) / 10)));
  return { early: median(tenth(1).map(({ mb }) => mb)), late: median(tenth(9).map(({ mb }) => mb)) };
}

/** @throws when the run ends before its time */
export async function measureEndurance(job: Job, minutes: number): Promise<Endurance> {
  const { pairs } = await job.pairs(ALL_PAIRS, 512);
  const rows = (JSON.parse(readFileSync(pairs, "utf8")) as { raw: unknown }[]).map(({ raw }) => JSON.stringify(raw));
  const file = join(job.dir, "endurance.jsonl");
  writeFileSync(file, rows.join("\n"));
  const flags = [
    "--pairs",
    file,
    "--run",
    RUN,
    "--epochs",
    "100",
    "--patience",
    "0",
    "--gate",
    "off",
    "--skip-bad-rows",
    "--overwrite",
  ];
  const child = spawn(process.execPath, [projectPath("bin", "rewardbook.cjs"), "train", ...flags], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  child.stderr.on("data", (text) => (errors = `${errors}${text}`.slice(-2000)));
  const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
  const samples: { minute: number; mb: number }[] = [];
  const start = performance.now();
  for (let minute = 0; minute < minutes;) {
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
    if (child.exitCode !== null)
      throw new Error(
        `bench: expected a training of ${minutes} minutes, got its end after ${minute.toFixed(1)}:\n${errors}`,
      );
    minute = (performance.now() - start) / 60_000;
    samples.push({ minute, mb: memoryMb("VmRSS", child.pid!) });
  }
  child.kill("SIGINT");
  await ended;
  const steps = readFileSync(projectPath("metrics", RUN, "train_steps.jsonl"), "utf8")
    .trim()
    .split("\n").length;
  for (const folder of ["metrics", "checkpoints"]) rmSync(projectPath(folder, RUN), { recursive: true, force: true });
  return { minutes: samples.at(-1)!.minute, steps, samples, ...earlyAndLate(samples) };
}
