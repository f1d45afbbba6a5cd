// In: an exported directory. Out: the same, a static page: any host serves it, and it works offline after the first visit.
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { LoadedModel } from "../checkpoints/loadCheckpoint";
import { InputError } from "../errors";
import { hashFile } from "../files/atomic";
import { projectPath } from "../files/paths";
import type { Tokenizer } from "../text/tokenizer";
import { isChat } from "../text/template";
import { requireRuntimes, runtimeFile } from "./runtimes";

/** The page's own files, as they are. */
const OWN = ["index.html", "icon.svg", "page.css", "page.js", "reward.js"];
/** Name in the page → package and file. Named .js: not every host knows .mjs for JavaScript. */
const RUNTIME: Readonly<Record<string, readonly [name: string, file: string]>> = {
  "ort.js": ["onnxruntime-web", "dist/ort.wasm.min.mjs"],
  "ort-wasm.js": ["onnxruntime-web", "dist/ort-wasm-simd-threaded.mjs"],
  "ort-wasm.wasm": ["onnxruntime-web", "dist/ort-wasm-simd-threaded.wasm"],
  "tokenizers.js": ["@huggingface/tokenizers", "dist/tokenizers.min.mjs"],
  "tokenizers.LICENSE": ["@huggingface/tokenizers", "LICENSE"],
};
const MODEL = ["onnx/model_quantized.onnx", "tokenizer.json", "tokenizer_config.json", "texts.json"];

/** Refuses a page that could not be made, before the model is loaded. @throws InputError when a runtime is not in place */
export const requirePageRuntimes = (): void =>
  requireRuntimes(
    "export --web",
    Object.values(RUNTIME).map(([name]) => name),
  );

/** @throws InputError for a chat template, which the page does not render */
export function requirePlainTemplate({ settings, dir }: Pick<LoadedModel, "settings" | "dir">): void {
  if (isChat(settings.template))
    throw new InputError(
      `${dir}: expected a template of text for the page, got the tokenizer's chat template; export without --web and render chats with Transformers.js`,
    );
}

/** Adds the page to a directory that holds the model in 8 bits and its tokenizer. */
export async function writeWebPage(dir: string, loaded: LoadedModel): Promise<void> {
  await mkdir(join(dir, "runtime"));
  for (const file of OWN) await copyFile(projectPath("lib", "export", "page", file), join(dir, file));
  for (const [name, [from, file]] of Object.entries(RUNTIME))
    await copyFile(runtimeFile(from, file), join(dir, "runtime", name));
  await writeFile(join(dir, "texts.json"), `${JSON.stringify(await textsOf(loaded), null, 2)}\n`);
  const files = [...OWN, ...Object.keys(RUNTIME).map((name) => `runtime/${name}`), ...MODEL];
  const hash = createHash("sha256");
  for (const file of files) hash.update(await hashFile(join(dir, file)));
  const worker = await readFile(projectPath("lib", "export", "page", "sw.js"), "utf8");
  await writeFile(
    join(dir, "sw.js"),
    worker
      .replace("{version}", hash.digest("hex").slice(0, 16))
      .replace('["{files}"]', JSON.stringify(["./", ...files], null, 2)),
  );
}

/** How the page makes texts, and which tokens stand around them. */
async function textsOf({ tokenizer, settings, dir }: LoadedModel) {
  const { template, max_length: maxLength, truncation, temperature } = settings;
  const { padId } = tokenizer;
  const frame = await frameIds(tokenizer);
  return { model: basename(resolve(dir)), template, maxLength, truncation, ...frame, padId, temperature };
}

async function frameIds(tokenizer: Tokenizer): Promise<{ head: number[]; tail: number[] }> {
  const [{ ids }] = await tokenizer.encode([{ prompt: "", response: "a" }], {
    template: "{response}",
    maxLength: Number.MAX_SAFE_INTEGER,
    truncation: "right",
  });
  const tail = tokenizer.frame.tail + (tokenizer.appendEos ? 1 : 0);
  return { head: [...ids.slice(0, tokenizer.frame.head)], tail: [...ids.slice(ids.length - tail)] };
}
