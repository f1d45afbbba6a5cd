// rewardbook report: a run's files in, one self-contained HTML report out.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { metricsDir } from "../lib/files/paths";
import { architectureSummary } from "../lib/report/architectures";
import { InputError } from "../lib/errors";
import { printPage } from "../lib/report/pdf";
import { reportHtml } from "../lib/report/pages/report";
import { compareRuns, comparisonSentence } from "../lib/report/comparison";
import { BrowserMissing } from "../lib/report/browser";
import { readRun, type RunRecord } from "../lib/runs/runFiles";
import { createTable } from "../lib/report/tables";
import { verdictOf } from "../lib/report/verdict";
import { writeFileAtomically } from "../lib/files/atomic";
import { checkWritable } from "../lib/files/writable";
import { createOutput } from "./output";
import { percent } from "../lib/wording";

interface ReportFlags {
  readonly run: string;
  readonly against?: readonly string[];
  readonly notes?: string;
  readonly pdf?: boolean;
  readonly out?: string;
  readonly json?: boolean;
}

function readNotes(file: string): string {
  if (!existsSync(file))
    throw new InputError(`--notes: expected a Markdown file, got nothing at ${file}; check the path`);
  return readFileSync(file, "utf8");
}

async function printed(file: string): Promise<string> {
  try {
    return await printPage(file);
  } catch (error) {
    if (error instanceof BrowserMissing) throw new InputError(`--pdf: ${error.message}; ${file} is written`);
    throw error;
  }
}

/** `ONE`, `ONE-against-TWO`, `ONE-against-3-runs`. */
function fileName([{ name }, ...others]: readonly RunRecord[]): string {
  if (others.length === 0) return name;
  return `${name}-against-${others.length === 1 ? others[0].name : `${others.length}-runs`}`;
}

export function register(program: Command): void {
  program
    .command("report")
    .description("one HTML file that tells how a run went: verdict, figures, data, calibration, mistakes")
    .requiredOption("--run <name>", "name of the run: metrics/NAME")
    .option("--against <names...>", "other runs to compare with")
    .option("--notes <file>", "the author's notes, a Markdown file")
    .option("--pdf", "also write the report as a PDF beside the HTML file")
    .option("--out <file>", "HTML file to write (default: reports/NAME.html)")
    .option("--json", "print one JSON object on stdout")
    .action(async (options: ReportFlags) => {
      const output = createOutput(options.json === true);
      const run = readRun(metricsDir(options.run));
      const against = (options.against ?? []).map((name) => readRun(metricsDir(name)));
      const notes = options.notes === undefined ? undefined : readNotes(options.notes);
      const file = options.out ?? join("reports", `${fileName([run, ...against])}.html`);
      await checkWritable(file);
      const page = reportHtml(run, { against, notes });
      await writeFileAtomically(file, page);
      const pdf = options.pdf ? await printed(file) : undefined;
      const verdict = verdictOf(run);
      const comparisons = against.map((other) => compareRuns(run, other));
      for (const note of run.notes) output.say(note);
      const accuracy = (run.test?.evaluation ?? run.evaluation)?.accuracy ?? null;
      output.result(
        {
          run: run.name,
          out: file,
          bytes: Buffer.byteLength(page),
          verdict: verdict.title,
          accuracy,
          pdf,
          comparison: comparisons[0]?.result ?? undefined,
          comparisons: against.length > 1 ? comparisons.map(({ result }) => result) : undefined,
          metrics: against.length > 0 ? [run, ...against].map(({ metrics }) => metrics) : undefined,
        },
        [
          `verdict    ${verdict.title}`,
          ...(accuracy === null ? [] : [`accuracy   ${percent(accuracy)}`]),
          ...comparisons.map(
            (comparison, i) => `compared   ${comparisonSentence(comparison, run.name, against[i].name)}`,
          ),
          ...(against.length > 0
            ? ["", ...createTable(architectureSummary([run, ...against])).text.split("\n"), ""]
            : []),
          `written    ${file} (${(Buffer.byteLength(page) / 1e6).toFixed(1)} MB)`,
          ...(pdf === undefined ? [] : [`printed    ${pdf}`]),
        ],
      );
    });
}
