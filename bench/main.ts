// In: command-line flags. Out: bench/results/NAME.json, the cost curves' figures, and the table of all results, bench/results/table.md.
import { mkdirSync, readFileSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { initBackend } from "../lib/engine/backend";
import { projectPath } from "../lib/files/paths";
import { measureAccuracy, type AccuracyResult } from "./accuracy";
import { compare } from "./compare";
import { curveFigures, measureCurves } from "./curves";
import { measureEndurance, type Endurance } from "./endurance";
import { measureFamilies, type FamilyRow } from "./families";
import { createJob, type Job } from "./job";
import type { Comparison, Row } from "./comparison";
import { COMPARISONS } from "./rows";
import { measureServing, servingRows } from "./serving";
import { accuracyLine, enduranceLine, familiesTable, markdownTable, reached } from "./table";

interface Flags {
  readonly only?: string[];
  readonly quick?: boolean;
  readonly units?: string;
  readonly pairs?: string;
  readonly share?: string;
  readonly minutes?: string;
  readonly families?: string[];
}

const results = (name: string): string => projectPath("bench", "results", name);

const unitsOf = (flags: Flags): number => Number(flags.units ?? (flags.quick ? 3 : 5));

async function environment(quick: boolean, job: Job): Promise<Record<string, unknown>> {
  const backend = await initBackend();
  return {
    date: new Date().toISOString(),
    processor: cpus()[0]?.model,
    cores: cpus().length,
    node: process.version,
    backend,
    data: job.dataName,
    quick,
  };
}

async function writeRecord(name: string, job: Job, quick: boolean, measured: Record<string, unknown>): Promise<void> {
  const record = { name, environment: await environment(quick, job), ...measured };
  writeFileSync(results(`${name}.json`), `${JSON.stringify(record, null, 2)}\n`);
}

async function runComparison(comparison: Comparison, job: Job, flags: Flags): Promise<void> {
  const units = unitsOf(flags);
  console.log(`${comparison.name}: ${units} units a side, in turn`);
  const sides = await comparison.sides(job, flags.quick ?? false);
  const measured = await compare(sides, { units, tolerance: comparison.tolerance, judged: comparison.judged });
  for (const side of measured)
    console.log(
      `  ${side.label.padEnd(28)} median ${side.medianMs.toFixed(0)} ms, least ${side.minMs.toFixed(0)} ms, first ${side.firstMs.toFixed(0)} ms, peak ${side.peakMb.toFixed(0)} MB`,
    );
  const rows = comparison.rows(new Map(measured.map((side) => [side.label, side])));
  await writeRecord(comparison.name, job, flags.quick ?? false, { rows, measured });
}

async function runCurves(job: Job, flags: Flags): Promise<void> {
  const curves = await measureCurves(job, flags.quick ?? false);
  await writeRecord("curves", job, flags.quick ?? false, { curves });
  for (const curve of curves)
    for (const [what, figure] of Object.entries(curveFigures(curve)))
      writeFileSync(results(`${curve.name.replace(/ /g, "-")}-${what}.plotly.json`), `${JSON.stringify(figure)}\n`);
}

async function runFamilies(job: Job, flags: Flags): Promise<void> {
  const units = unitsOf(flags);
  console.log(`families: ${units} units a side, in turn`);
  const families = await measureFamilies(job, units, flags.families);
  await writeRecord("families", job, flags.quick ?? false, { families });
}

async function runAccuracy(job: Job, flags: Flags): Promise<void> {
  console.log("accuracy: one whole run a side, one after the other");
  const accuracy = await measureAccuracy(job, flags.quick ?? false);
  console.log(`  ${accuracyLine(accuracy)}`);
  await writeRecord("accuracy", job, flags.quick ?? false, { accuracy });
}

async function runEndurance(job: Job, flags: Flags): Promise<void> {
  const minutes = Number(flags.minutes ?? 60);
  console.log(`endurance: ${minutes} minutes of training`);
  const endurance = await measureEndurance(job, minutes);
  console.log(`  ${enduranceLine(endurance)}`);
  await writeRecord("endurance", job, false, { endurance });
}

async function runServing(job: Job, flags: Flags): Promise<void> {
  const seconds = flags.minutes ? 60 * Number(flags.minutes) : flags.quick ? 20 : 60;
  console.log(`serve: closed load of ${seconds} s`);
  await initBackend();
  const serving = await measureServing(job, seconds, flags.quick ?? false);
  await writeRecord("serve", job, flags.quick ?? false, { rows: servingRows(serving), serving });
}

/** What is measured in another form than rows with a target. */
const OTHERS: Readonly<Record<string, (job: Job, flags: Flags) => Promise<void>>> = {
  families: runFamilies,
  accuracy: runAccuracy,
  curves: runCurves,
  endurance: runEndurance,
  serve: runServing,
};

function writeTable(): Row[] {
  const named = [...COMPARISONS.map(({ name }) => name), "serve"];
  const files = named.map((name) => results(`${name}.json`)).filter((file) => existsSync(file));
  const rows = files.flatMap((file) => JSON.parse(readFileSync(file, "utf8")).rows as Row[]);
  const resultOf = <T>(name: string): T | undefined =>
    existsSync(results(`${name}.json`)) ? JSON.parse(readFileSync(results(`${name}.json`), "utf8"))[name] : undefined;
  const accuracy = resultOf<AccuracyResult>("accuracy");
  const endurance = resultOf<Endurance>("endurance");
  const families = resultOf<FamilyRow[]>("families");
  const parts = [
    markdownTable(rows),
    accuracy && `${accuracyLine(accuracy)}\n`,
    endurance && `${enduranceLine(endurance)}\n`,
    families && familiesTable(families),
  ];
  writeFileSync(results("table.md"), parts.filter(Boolean).join("\n"));
  return rows;
}

async function main(): Promise<void> {
  const names = [...COMPARISONS.map(({ name }) => name), ...Object.keys(OTHERS)];
  const flags = new Command("bench")
    .description("Measures Rewardbook beside torch, transformers and TRL, both sides in turn.")
    .option("--only <names...>", `some of: ${names.join(", ")}; all when absent`)
    .option("--quick", "fewer units and smaller jobs: about 15 minutes")
    .option("--units <n>", "measured units a side")
    .option("--pairs <file>", "preference pairs; synthetic ones when there are no others")
    .option("--families <types...>", "model types for the comparison of families; all when absent")
    .option("--minutes <n>", "length of endurance (default: 60) and of serve's closed load (default: 1)")
    .option("--share <x>", "share of the jobs' pairs, for a quick look")
    .parse()
    .opts<Flags>();
  const unknown = flags.only?.find((name) => !names.includes(name));
  if (unknown) throw new Error(`--only: expected some of ${names.join(", ")}, got ${unknown}`);
  mkdirSync(results(""), { recursive: true });
  const job = await createJob(flags.pairs, Number(flags.share ?? 1));
  const failures: string[] = [];
  try {
    for (const name of flags.only ?? names) {
      const comparison = COMPARISONS.find((one) => one.name === name);
      try {
        await (comparison ? runComparison(comparison, job, flags) : OTHERS[name](job, flags));
      } catch (error) {
        failures.push(`${name}: ${(error as Error).message}`);
        console.error(failures.at(-1));
      }
    }
  } finally {
    rmSync(job.dir, { recursive: true, force: true });
  }
  const rows = writeTable();
  console.log(`\n${markdownTable(rows)}`);
  console.log(
    `${rows.filter(reached).length} of ${rows.length} targets reached; ${join("bench", "results", "table.md")}`,
  );
  if (failures.length) process.exitCode = 1;
}

main().catch((error) => {
  console.error((error as Error).message);
  process.exitCode = 1;
});
