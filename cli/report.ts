// rewardbook report: a run's files in, one self-contained HTML report out.
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import { metricsDir } from "../lib/files/paths";
import { architectureSummary } from "../lib/report/architectures";
import { percent } from "../lib/report/figures";
import { reportHtml } from "../lib/report/pages/report";
import { compareRuns, comparisonSentence } from "../lib/report/pages/compare";
import { readRun } from "../lib/runs/runFiles";
import { createTable } from "../lib/report/tables";
import { verdictOf } from "../lib/report/verdict";
import { writeFileAtomically } from "../lib/files/atomic";
import { createOutput } from "./output";

export function register(program: Command): void {
  program
    .command("report")
    .description("one HTML file that tells how a run went: verdict, figures, data, calibration, mistakes")
    .requiredOption("--run <name>", "name of the run: metrics/NAME")
    .option("--against <name>", "a second run to compare with")
    .option("--out <file>", "HTML file to write (default: reports/NAME.html)")
    .option("--json", "print one JSON object on stdout")
    .action(async (options: { run: string; against?: string; out?: string; json?: boolean }) => {
      const output = createOutput(options.json === true);
      const run = readRun(metricsDir(options.run));
      const against = options.against === undefined ? undefined : readRun(metricsDir(options.against));
      const file = options.out ?? join("reports", `${options.run}${against ? `-against-${against.name}` : ""}.html`);
      await mkdir(dirname(file), { recursive: true });
      const page = reportHtml(run, { against });
      await writeFileAtomically(file, page);
      const verdict = verdictOf(run);
      const comparison = against && compareRuns(run, against);
      for (const note of run.notes) output.say(note);
      const accuracy = run.evaluation?.accuracy ?? null;
      output.result(
        {
          run: run.name,
          out: file,
          bytes: Buffer.byteLength(page),
          verdict: verdict.title,
          accuracy,
          comparison: comparison?.result ?? undefined,
          metrics: against && [run.metrics, against.metrics],
        },
        [
          `verdict    ${verdict.title}`,
          ...(accuracy === null ? [] : [`accuracy   ${percent(accuracy)}`]),
          ...(comparison && against ? [`compared   ${comparisonSentence(comparison, run.name, against.name)}`] : []),
          ...(against ? ["", createTable(architectureSummary([run, against])).text, ""] : []),
          `written    ${file} (${(Buffer.byteLength(page) / 1e6).toFixed(1)} MB)`,
        ],
      );
    });
}
