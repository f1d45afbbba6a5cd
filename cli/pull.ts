// rewardbook pull: a model's name on the hub in, its directory under models/ out.
import type { Command } from "commander";
import { existsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { projectPath } from "../lib/files/paths";
import { pullModel } from "../lib/checkpoints/hub";
import { createOutput } from "./output";

/** What Python's huggingface_hub reads from the environment, by the same names. */
function hubEnvironment(env: NodeJS.ProcessEnv): {
  endpoint?: string;
  token?: string;
  cache: string;
  offline: boolean;
} {
  return {
    endpoint: env.HF_ENDPOINT || undefined,
    token: env.HF_TOKEN || undefined,
    cache: env.HF_HUB_CACHE || join(env.HF_HOME || join(homedir(), ".cache", "huggingface"), "hub"),
    offline: /^(1|true|yes|on)$/i.test(env.HF_HUB_OFFLINE ?? ""),
  };
}

export function register(program: Command): void {
  program
    .command("pull")
    .argument("<name>", "model on the hub, such as Qwen/Qwen3-0.6B; a directory is taken as it is")
    .description(
      "fetch a Hugging Face model into models/ (HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE, HF_HOME as in Python)",
    )
    .option("--revision <text>", "branch, tag or commit", "main")
    .option("--out <dir>", "directory to make instead of models/NAME")
    .option("--json", "print one JSON object on stdout")
    .action(async (name: string, options) => {
      const out = createOutput(options.json === true);
      if (existsSync(name) && statSync(name).isDirectory()) {
        out.result({ name, dir: name, fetched: false }, `${name}: a directory already; give it to --model`);
        return;
      }
      let bar: ReturnType<typeof out.progress> | undefined;
      const megabytes = (bytes: number) => Math.round(bytes / 1e6);
      const model = await pullModel(name, {
        ...hubEnvironment(process.env),
        dir: options.out ?? projectPath("models", name),
        revision: options.revision,
        onMessage: out.say,
        onProgress: (bytes, total) => (bar ??= out.progress("fetching, MB")).update(megabytes(bytes), megabytes(total)),
      });
      bar?.end();
      out.result(
        model,
        `${model.fetched ? "fetched" : "up to date"}: ${model.dir} (${model.files.length} files, ` +
          `commit ${model.commit.slice(0, 12)}); use it with --model ${name}`,
      );
    });
}
