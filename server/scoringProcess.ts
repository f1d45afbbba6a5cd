// In: a checkpoint, and jobs from the parent process. Out: scores, sent back. TensorFlow blocks the thread that runs it: here it blocks no request.
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { getPriority, setPriority } from "node:os";
import { basename, join, resolve } from "node:path";
import { initBackend } from "../lib/engine/backend";
import { InputError, UsageError } from "../lib/errors";
import { hashFile, MANIFEST } from "../lib/files/atomic";
import { loadScoringModel, type LoadedModel } from "../lib/checkpoints/checkpoint";
import { countParameters, scoreInputs } from "../lib/models/rewardModel";
import { compileForTexts, type TextRuns } from "../lib/scoring/textRuns";
import type { Encoded } from "../lib/text/tokenizer";
import { CHAT_TEMPLATE, RENDERED_CHAT } from "../lib/text/template";
import { createBatcher } from "./batcher";
import type { FromScoring, Job, ModelFacts, ToScoring } from "./messages";
import type { ServerSettings } from "./settings";

/** What nobody is there to hear any more is lost: the server has ended. */
const send = (message: FromScoring) => process.connected && process.send!(message, undefined, undefined, () => {});

/** A template that is the answer alone: the text as it is. */
const WHOLE_TEXT = "{response}";

/** Below the server's process, which answers while this one computes on every core. */
const NICENESS = 5; // more than that of the server

async function main(settings: ServerSettings): Promise<void> {
  setPriority(Math.min(19, getPriority() + NICENESS));
  const { checkpoint, precision, max_batch_tokens: maxBatchTokens } = settings;
  const backend = await initBackend();
  const loaded = await loadScoringModel(checkpoint, {
    storage: precision,
    onMessage: (text) => process.stderr.write(`${text}\n`),
  });
  const runs = compileForTexts(loaded.model, scoreInputs, {
    padId: loaded.tokenizer.padId,
    precision,
    tokensPerBatch: maxBatchTokens,
    fuse: "never",
    fewShapes: true,
    name: "serve",
  });
  const batcher = createBatcher({
    encode: (job) => encode(loaded, job),
    runs,
    maxBatchTokens,
    maxRequestTokens: settings.max_request_tokens,
    batchWaitMs: settings.batch_wait_ms,
    send,
  });
  const tokensPerSecond = warmUp(runs, loaded, maxBatchTokens);
  process.on("message", (message: ToScoring) =>
    message.type === "job" ? batcher.add(message.job) : batcher.cancel(message.id),
  );
  const model = await factsOf(loaded, settings, `${backend.name} ${backend.version}`, backend.threads);
  send({ type: "ready", model, tokensPerSecond });
}

/** Token ids of a job's texts, in their order. */
async function encode({ tokenizer, settings }: LoadedModel, { items, maxLength, truncation }: Job): Promise<Encoded[]> {
  const whole = settings.template === CHAT_TEMPLATE ? RENDERED_CHAT : WHOLE_TEXT;
  const common = {
    maxLength: Math.min(maxLength ?? settings.max_length, settings.max_length),
    truncation: truncation ?? settings.truncation,
  };
  const wholes = items.flatMap((item) => ("whole" in item ? [{ prompt: "", response: item.whole }] : []));
  const others = items.flatMap((item) => ("whole" in item ? [] : [item]));
  const ofWholes = (await tokenizer.encode(wholes, { template: whole, ...common })).values();
  const ofOthers = (await tokenizer.encode(others, { template: settings.template, ...common })).values();
  return items.map((item) => ("whole" in item ? ofWholes : ofOthers).next().value!);
}

/** Makes the graphs of a single text and of a full run before the first request. @returns tokens a second of the full one, its making included: the server learns the rest */
function warmUp(runs: TextRuns, { tokenizer, settings }: LoadedModel, maxBatchTokens: number): number {
  const length = Math.max(1, Math.min(settings.max_length, 256, maxBatchTokens));
  const full = Math.max(1, Math.floor(maxBatchTokens / length));
  const text = new Uint32Array(length).fill(tokenizer.padId);
  const compute = (count: number) => {
    const started = performance.now();
    for (const _ of runs.run({ length: () => length, ids: () => text }, [...Array(count).keys()], () => {}));
    return (1000 * count * length) / (performance.now() - started);
  };
  compute(1);
  return compute(full);
}

async function factsOf(
  { model, tokenizer, settings, dir }: LoadedModel,
  { precision }: ServerSettings,
  backend: string,
  threads: number,
): Promise<ModelFacts> {
  return {
    name: settings.run_id ?? basename(resolve(dir)),
    digest: await digestOf(dir),
    modelType: model.config.modelType,
    parameters: countParameters(model),
    template: settings.template,
    maxLength: settings.max_length,
    truncation: settings.truncation,
    temperature: settings.temperature ?? null,
    precision,
    freshHead: model.freshHead === true,
    backend,
    threads,
    eosToken: tokenizer.eosToken,
    padToken: tokenizer.padToken,
  };
}

/** Stands for what the model's files hold: two checkpoints with one digest give the same scores. */
async function digestOf(dir: string): Promise<string> {
  const hash = createHash("sha256");
  const names = (await readdir(dir)).filter((name) => /\.(json|safetensors|jinja)$/.test(name) && name !== MANIFEST);
  for (const name of names.sort()) hash.update(`${name} ${await hashFile(join(dir, name))}\n`);
  return hash.digest("hex").slice(0, 16);
}

// the server's process ends this one: by closing the channel, whatever the terminal sends to both
process
  .on("SIGINT", () => {})
  .on("SIGTERM", () => {})
  .on("SIGHUP", () => {});
process.on("disconnect", () => process.exit(0));
main(JSON.parse(process.argv[2]) as ServerSettings).catch((error: unknown) => {
  const mendable = error instanceof InputError || error instanceof UsageError;
  send({ type: "unfit", message: mendable ? error.message : String((error as Error)?.stack ?? error), mendable });
  process.disconnect();
});
