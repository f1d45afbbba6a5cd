// rewardbook verify: a model directory in, whether it is whole out; exit 1 when it is not.
import type { Command } from "commander";
import { inspectCheckpoint } from "../lib/checkpoints/inspect";
import { writeManifest } from "../lib/files/atomic";
import { EXIT, ExitWith } from "./exit";
import { createOutput } from "./output";

export function register(program: Command): void {
  program
    .command("verify")
    .description(
      "checks a model directory: checksums (where there is a manifest), weights against the configuration, tokenizer; writes nothing unless asked",
    )
    .argument("<dir>", "Hugging Face directory, from here or anywhere")
    .option("--write-manifest", "accept the files as they are: write their checksums, which every later use is held to")
    .option("--json", "print one JSON object on stdout")
    .action(async (dir: string, options: { writeManifest?: boolean; json?: boolean }) => {
      const out = createOutput(options.json === true);
      let inspection = await inspectCheckpoint(dir);
      const broken = inspection.problems.length > (inspection.manifest === "differs" ? 1 : 0);
      if (options.writeManifest && !broken) {
        await writeManifest(dir);
        inspection = await inspectCheckpoint(dir);
      }
      const { manifest, model_type, tensors, parameters, head, tokens, problems, ok } = inspection;
      out.result(inspection, [
        `${dir}: ${ok ? "whole" : `${problems.length} problem${problems.length === 1 ? "" : "s"}`}`,
        `checksums  ${{ matches: "match", differs: "DIFFER", none: "none kept (--write-manifest keeps them)" }[manifest]}`,
        `weights    ${model_type ?? "unknown model"}, ${tensors} tensors, ${parameters} parameters, reward head ${head}`,
        `tokenizer  ${tokens === null ? "none" : `${tokens} tokens`}`,
        ...problems.map((problem) => `problem: ${problem}`),
      ]);
      if (!ok) throw new ExitWith(EXIT.input);
    });
}
