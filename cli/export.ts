// rewardbook export: a checkpoint in; the same model for Node, the browser and Python without TensorFlow out.
import { dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { loadScoringModel } from "../lib/checkpoints/checkpoint";
import { UsageError } from "../lib/errors";
import { exportOnnx } from "../lib/export/exportOnnx";
import { requireRuntimes } from "../lib/export/runtimes";
import { requirePageRuntimes, requirePlainTemplate } from "../lib/export/webPage";
import type { MeasuredCost } from "../lib/export/measuredCost";
import { requireReplaceable } from "../lib/files/directory";
import { checkWritableFolder } from "../lib/files/writable";
import { loadPairs } from "../lib/pairs/read";
import { percent } from "../lib/wording";
import { ONNX_DTYPES, type OnnxDtype } from "../lib/models/onnx/weights";
import { createOutput } from "./output";

export function register(program: Command): void {
  program
    .command("import [model]", { hidden: true })
    .allowUnknownOption()
    .allowExcessArguments()
    .action(() => {
      throw new UsageError(
        "import: expected another command: an exported model is not read back, its weights are laid out for running it; " +
          "give the checkpoint it was exported from to score, train or serve",
      );
    });
  program
    .command("export")
    .description("an ONNX model that Transformers.js, onnxruntime and the browser run")
    .requiredOption("--checkpoint <dir>", "Hugging Face directory of the reward model")
    .option("--out <dir>", "directory to write; required without --web DIR")
    .option(
      "--dtype <names>",
      `how weights are stored, one or several of ${ONNX_DTYPES.join(", ")}; the first is what Transformers.js takes unless told ` +
        "(default: fp32; q8 with --web)",
    )
    .option("--web [dir]", "also a static page, in the same directory or in one of its own: any host serves it")
    .option("--pairs <file>", "held-out pairs: what each type costs on them is measured and told in the card")
    .option("--json", "print one JSON object on stdout")
    .action(async (options: ExportFlags) => {
      const out = createOutput(options.json === true);
      const started = performance.now();
      const targets = targetsOf(options);
      for (const { dir } of targets) {
        await requireReplaceable(dir, "onnx/");
        await checkWritableFolder(dirname(resolve(dir)));
      }
      if (targets.some(({ web }) => web)) requirePageRuntimes();
      if (options.pairs !== undefined) requireRuntimes("export --pairs", ["onnxruntime-node"]);
      const pairs = options.pairs === undefined ? [] : (await loadPairs(options.pairs)).pairs;
      const loaded = await loadScoringModel(options.checkpoint, { onMessage: out.say });
      if (targets.some(({ web }) => web)) requirePlainTemplate(loaded);
      const written = [];
      for (const { dir, ...how } of targets)
        for (const file of await exportOnnx(dir, loaded, { ...how, pairs }))
          written.push({ ...file, file: join(dir, file.file) });
      loaded.model.dispose();
      const seconds = (performance.now() - started) / 1000;
      out.result({ out: targets.map(({ dir }) => dir), files: written, seconds }, [
        ...written.map(
          ({ dtype, file, bytes, cost }) =>
            `${dtype}: ${file}, ${(bytes / 1e6).toFixed(1)} MB${cost ? costLine(cost) : ""}`,
        ),
        ...targets.map(({ dir, web }) =>
          web
            ? `the page: ${dir}/index.html, to be served by any static host`
            : `how to score with it: ${dir}/README.md`,
        ),
        `exported in ${seconds.toFixed(1)} s`,
      ]);
    });
}

const costLine = ({ accuracy, checkpointAccuracy, rankCorrelation, pairs }: MeasuredCost): string =>
  `; ${percent(accuracy)} of ${pairs} pairs right (the checkpoint ${percent(checkpointAccuracy)}), rank correlation ${rankCorrelation?.toFixed(5) ?? "–"}`;

interface ExportFlags {
  readonly checkpoint: string;
  readonly out?: string;
  readonly dtype?: string;
  readonly pairs?: string;
  readonly web?: string | true;
  readonly json?: boolean;
}

/** The directories to write: the model's, the page's, or one that is both. */
function targetsOf({ out, dtype, web }: ExportFlags): { dir: string; dtypes: OnnxDtype[]; web: boolean }[] {
  const dtypes = dtype === undefined ? null : parseDtypes(dtype);
  const page = web === true ? out : web;
  if (out === undefined && page === undefined)
    throw new UsageError("export: expected --out DIR or --web DIR, got neither; name the directory to write");
  if (page !== undefined && page === out && dtypes !== null && !dtypes.includes("q8"))
    throw new UsageError(`--dtype: expected q8 among the types with --web, got ${dtype}; the page runs it`);
  return [
    ...(page === undefined
      ? []
      : [{ dir: page, dtypes: page === out && dtypes ? dtypes : ["q8" as const], web: true }]),
    ...(out === undefined || page === out ? [] : [{ dir: out, dtypes: dtypes ?? ["fp32" as const], web: false }]),
  ];
}

function parseDtypes(value: string): OnnxDtype[] {
  const names = [...new Set(value.split(",").map((name) => name.trim()))];
  const unknown = names.find((name) => !(ONNX_DTYPES as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw new UsageError(
      `--dtype: expected some of ${ONNX_DTYPES.join(", ")}, got ${JSON.stringify(unknown)}; choose among them`,
    );
  return names as OnnxDtype[];
}
