// rewardbook export: a checkpoint in; the same model for Node, the browser and Python without TensorFlow out.
import type { Command } from "commander";
import { loadScoringModel } from "../lib/checkpoints/checkpoint";
import { UsageError } from "../lib/errors";
import { exportOnnx } from "../lib/export/exportOnnx";
import { checkWritable } from "../lib/files/writable";
import { ONNX_DTYPES, type OnnxDtype } from "../lib/models/onnx/weights";
import { createOutput } from "./output";

export function register(program: Command): void {
  program
    .command("export")
    .description("an ONNX model that Transformers.js, onnxruntime and the browser run")
    .requiredOption("--checkpoint <dir>", "Hugging Face directory of the reward model")
    .requiredOption("--out <dir>", "directory to write")
    .option(
      "--dtype <names>",
      `how weights are stored, one or several of ${ONNX_DTYPES.join(", ")}; the first is what Transformers.js takes unless told`,
      "fp32",
    )
    .option("--json", "print one JSON object on stdout")
    .action(async (options: { checkpoint: string; out: string; dtype: string; json?: boolean }) => {
      const out = createOutput(options.json === true);
      const dtypes = parseDtypes(options.dtype);
      const started = performance.now();
      await checkWritable(options.out);
      const loaded = await loadScoringModel(options.checkpoint, { onMessage: out.say });
      const files = await exportOnnx(options.out, loaded, { dtypes });
      loaded.model.dispose();
      const seconds = (performance.now() - started) / 1000;
      out.result({ out: options.out, files, seconds }, [
        ...files.map(({ dtype, file, bytes }) => `${dtype}: ${options.out}/${file}, ${(bytes / 1e6).toFixed(1)} MB`),
        `exported in ${seconds.toFixed(1)} s; how to score with it: ${options.out}/README.md`,
      ]);
    });
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
