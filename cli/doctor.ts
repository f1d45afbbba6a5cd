// rewardbook doctor: what this installation has, how fast it multiplies, what is missing and how to get it.
import { Option, type Command } from "commander";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { initBackend, measureGemm, type BackendInfo } from "../lib/engine/backend";
import { projectPath } from "../lib/files/paths";
import { DEFAULT_MODEL } from "../lib/checkpoints/findModel";
import { findBrowser } from "../lib/report/browser";
import { graphLines, reportGraph } from "./graphReport";
import { EXIT, ExitWith } from "./exit";
import { checkGpu, gpuLines, printReference } from "./gpuCheck";
import { createOutput, type Output } from "./output";

interface Missing {
  readonly what: string;
  readonly remedy: string;
}

export interface Diagnosis {
  readonly rewardbook: string;
  readonly node: string;
  readonly python: string | null;
  readonly jupyterlab: string | null;
  readonly processor: string;
  readonly cores: number;
  readonly memory_gb: number;
  readonly free_memory_gb: number;
  readonly backend: BackendInfo;
  readonly gemm_gflops: { readonly f32: number; readonly bf16: number | null };
  readonly browser: string | null;
  readonly default_encoder: boolean;
  readonly missing: readonly Missing[];
}

const gigabytes = (bytes: number): number => Math.round((bytes / 2 ** 30) * 10) / 10;

function printed(program: string, args: readonly string[]): string | null {
  const { status, stdout } = spawnSync(program, args, { encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

function browserOrNull(): string | null {
  try {
    return findBrowser();
  } catch {
    return null;
  }
}

/** Looks at everything; the speed is the best of a few products of large squares. */
export async function diagnose(): Promise<Diagnosis> {
  const backend = await initBackend();
  const venv = (name: string) => projectPath(".venv", "bin", name);
  const facts = {
    rewardbook: JSON.parse(readFileSync(projectPath("package.json"), "utf8")).version as string,
    node: process.versions.node,
    python: printed(venv("python"), ["-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"]),
    jupyterlab: printed(venv("python"), ["-c", "import importlib.metadata as m; print(m.version('jupyterlab'))"]),
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memory_gb: gigabytes(totalmem()),
    free_memory_gb: gigabytes(freemem()),
    backend,
    gemm_gflops: measureGemm(),
    browser: browserOrNull(),
    default_encoder: existsSync(projectPath("models", DEFAULT_MODEL, "model.safetensors")),
  };
  return { ...facts, missing: findMissing(facts) };
}

/** What should be there and is not, each with its remedy. */
export function findMissing(
  facts: Pick<Diagnosis, "python" | "jupyterlab" | "backend" | "browser" | "default_encoder">,
): Missing[] {
  const missing: Missing[] = [];
  const need = (there: unknown, what: string, remedy: string) => there || missing.push({ what, remedy });
  need(
    facts.backend.name === "tensorflow",
    "TensorFlow's library (training is many times slower)",
    "npm run setup; it names the cause",
  );
  need(
    facts.backend.name !== "tensorflow" || facts.backend.gpu || facts.backend.kernels,
    "the fused kernels (training is slower)",
    "npm run setup; it names the cause",
  );
  need(facts.python, "the Python environment (notebooks)", "npm run setup");
  need(facts.jupyterlab, "JupyterLab (notebooks)", "npm run setup");
  need(facts.default_encoder, "the default encoder", "npm run setup, or train with --model DIR");
  need(
    facts.browser,
    "a Chromium browser (figures as PNG)",
    "npm run setup brings one for Linux on x64; else Debian, Ubuntu: apt-get install chromium; or set CHROMIUM to one",
  );
  return missing;
}

function lines(d: Diagnosis): string[] {
  const { backend, gemm_gflops: gemm } = d;
  const bf16 = gemm.bf16 === null ? "no bf16" : `${gemm.bf16.toFixed(0)} in bf16${backend.bf16 ? "" : " (emulated)"}`;
  return [
    `rewardbook   ${d.rewardbook}, Node ${d.node}`,
    `processor    ${d.processor}, ${d.cores} cores, ${d.memory_gb} GB (${d.free_memory_gb} free)`,
    `backend      ${backend.name} ${backend.version}, ${backend.threads} threads, ${backend.compiled ? "compiled graphs" : "no graphs"}`,
    `kernels      ${backend.kernels ? `fused, for ${backend.kernels}` : "none: attention, normalisation, gelu and AdamW run op by op"}`,
    `GPU          ${backend.gpu ?? `none: ${backend.gpuReason}`}`,
    `speed        ${gemm.f32.toFixed(0)} GFLOP/s in f32, ${bf16} (matrix products)`,
    `notebooks    ${d.jupyterlab ? `JupyterLab ${d.jupyterlab}, Python ${d.python}` : "not installed"}`,
    `browser      ${d.browser ?? "none"}`,
    ...(d.missing.length
      ? d.missing.map(({ what, remedy }) => `missing      ${what}: ${remedy}`)
      : ["missing      nothing"]),
  ];
}

async function reportGpu(out: Output): Promise<void> {
  const report = await checkGpu();
  out.result(report, gpuLines(report));
  if (!report.ok) throw new ExitWith(EXIT.input);
}

export function register(program: Command): void {
  program
    .command("doctor")
    .description("versions, backend, threads, GPU, matrix speed, and what is missing with its remedy")
    .option("--graph", "compile the scoring graph of a model and tell what it is made of and what it costs")
    .option("--model <dir>", "directory of the model of --graph", projectPath("models", DEFAULT_MODEL))
    .option("--rows <n>", "texts of the batch of --graph", Number, 32)
    .option("--width <n>", "tokens of each text of --graph", Number, 128)
    .option(
      "--gpu",
      "check the NVIDIA GPU: the processor's loss and gradients, the time of a step; a report to paste into an issue",
    )
    .addOption(new Option("--gpu-reference").hideHelp())
    .option("--json", "print one JSON object on stdout")
    .action(async (options) => {
      const out = createOutput(options.json === true);
      if (options.gpuReference) return initBackend().then(() => void process.stdout.write(printReference()));
      if (options.gpu) return reportGpu(out);
      const diagnosis = await diagnose();
      if (!options.graph) return out.result(diagnosis, lines(diagnosis));
      const { model, rows, width } = options;
      const precision = diagnosis.backend.bf16 ? "bf16" : "f32";
      const graph = await reportGraph({ model, rows, width, precision, gemm: diagnosis.gemm_gflops });
      out.result({ ...diagnosis, graph }, [...lines(diagnosis), ...graphLines(graph)]);
    });
}
