// In: the name of a model on a Hugging Face hub. Out: its directory under models/, checked file by file.
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { InputError, UsageError } from "../errors";
import { parseModelConfig } from "../models/config";
import { verifyDirectory } from "../files/atomic";
import { writeDirectoryAtomically } from "../files/directory";
import { downloadFile, isWhole } from "../files/download";
import { chooseFiles, hubOf, listModel, WANTED, WEIGHTS, type HubAccess, type HubFile } from "../files/hubFiles";
import { INDEX_FILE } from "../files/safetensors";
import { readJsonFile } from "../files/json";

export interface PullOptions extends HubAccess {
  /** Directory to make. */
  readonly dir: string;
  /** Python's cache of the hub: files found there are copied instead of fetched. */
  readonly cache?: string;
  /** Asks no server: only the directory and the cache. */
  readonly offline?: boolean;
  readonly onProgress?: (bytes: number, total: number) => void;
  readonly onMessage?: (text: string) => void;
  /** First wait after a failed request, milliseconds. */
  readonly backoff?: number;
}

export interface PulledModel {
  readonly name: string;
  readonly dir: string;
  readonly revision: string;
  /** Commit the revision stood for. */
  readonly commit: string;
  readonly files: readonly string[];
  /** False when the directory was there already. */
  readonly fetched: boolean;
}

/** What the directory came from. */
const RECORD = "hub.json";
/**
 * Fetches configuration, tokenizer and safetensors weights of a model. A stopped pull goes on where it was; each file
 * is checked against the hub's checksum; the directory appears when all are there. Done again for the same commit, it
 * fetches nothing.
 *
 * @throws InputError for an unknown or gated model, one without safetensors or of an unsupported family, an
 *   unreachable hub
 * @example
 * ```ts
 * const { dir } = await pullModel("distilbert-base-uncased", { dir: "models/distilbert" });
 * console.log(dir);
 * ```
 */
export async function pullModel(name: string, options: PullOptions): Promise<PulledModel> {
  checkName(name);
  const { revision = "main", onMessage = () => {} } = options;
  const dir = resolve(options.dir);
  if (options.offline) return pullOffline(name, { ...options, dir, revision });
  const { commit, files } = await listModel(name, options).catch(async (error) => {
    const there = error instanceof InputError || error instanceof UsageError ? null : await pulled(name, dir, revision);
    if (!there) throw error instanceof InputError ? error : unreachable(name, options, error as Error);
    onMessage(`${hubOf(options)} cannot be reached; taking ${dir} as it was pulled before`);
    return { commit: there.commit, files: [] };
  });
  const there = await pulled(name, dir, null);
  if (there?.commit === commit) return { ...there, revision, fetched: false };
  const chosen = chooseFiles(name, files);
  const partial = join(dirname(dir), `.${dir.split(/[\\/]/).pop()}.pulling-${commit.slice(0, 12)}`);
  await fetchAll(name, chosen, partial, options);
  await install(
    dir,
    partial,
    chosen.map(({ path }) => path),
    { name, revision, commit },
  );
  return { name, dir, revision, commit, files: chosen.map(({ path }) => path), fetched: true };
}

function checkName(name: string): void {
  if (!/^[\w.-]+(\/[\w.-]+)?$/.test(name) || name.split("/").some((part) => /^\.+$/.test(part))) {
    throw new UsageError(
      `pull: expected a model's name such as Qwen/Qwen3-0.6B, got ${JSON.stringify(name)}; ` +
        "copy it from the model's page",
    );
  }
}

const unreachable = (name: string, options: PullOptions, error: Error): InputError =>
  new InputError(
    `pull ${name}: expected an answer from ${hubOf(options)}, ` +
      `got ${error.message}${error.cause ? ` (${(error.cause as Error).message})` : ""}; ` +
      "check the network, set HF_ENDPOINT to a mirror, or give a model directory instead",
  );

async function fetchAll(name: string, files: readonly HubFile[], partial: string, options: PullOptions): Promise<void> {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  await mkdir(partial, { recursive: true });
  for (const file of files) {
    const path = join(partial, file.path);
    if (!(await fromCache(name, file, path, options))) {
      const headers = options.token ? { authorization: `Bearer ${options.token}` } : undefined;
      await downloadFile(path, file, {
        headers,
        backoff: options.backoff,
        onBytes: (bytes) => options.onProgress?.(done + bytes, total),
      });
    }
    if (file.path === "config.json") parseModelConfig(readJsonFile(path), `${name}: config.json`);
    done += file.bytes;
    options.onProgress?.(done, total);
  }
}

const cacheFolder = (cache: string, name: string): string => join(cache, `models--${name.replaceAll("/", "--")}`);

/** Python's cache keeps each file under its checksum. */
async function fromCache(name: string, file: HubFile, path: string, { cache }: PullOptions): Promise<boolean> {
  if (!cache) return false;
  const blob = join(cacheFolder(cache, name), "blobs", file.checksum.hex);
  if (!(await isWhole(blob, file).catch(() => false))) return false;
  await copyFile(blob, path);
  return true;
}

/** The record of a directory that is as it was pulled, of this name and, unless null, revision. */
async function pulled(name: string, dir: string, revision: string | null): Promise<PulledModel | null> {
  const record = await readFile(join(dir, RECORD), "utf8")
    .then(JSON.parse)
    .catch(() => null);
  if (record?.name !== name || (revision !== null && ![record.revision, record.commit].includes(revision))) return null;
  if ((await verifyDirectory(dir)) !== null) return null;
  return { name, dir, revision: record.revision, commit: record.commit, files: await readdir(dir), fetched: false };
}

async function pullOffline(name: string, options: PullOptions & { revision: string }): Promise<PulledModel> {
  const { dir, revision, cache } = options;
  const there = await pulled(name, dir, revision);
  if (there) return there;
  if (cache) {
    const folder = cacheFolder(cache, name);
    const commit = await readFile(join(folder, "refs", revision), "utf8").then(
      (text) => text.trim(),
      () => revision,
    );
    const snapshot = join(folder, "snapshots", commit);
    const names = (/^[0-9a-f]{40}$/.test(commit) ? await readdir(snapshot).catch(() => []) : []).filter(
      (file) => WANTED.test(file) || WEIGHTS.test(file) || file === INDEX_FILE,
    );
    if (names.includes("config.json") && names.includes("tokenizer.json") && names.some((file) => WEIGHTS.test(file))) {
      const partial = join(dirname(dir), `.${dir.split(/[\\/]/).pop()}.pulling-${commit.slice(0, 12)}`);
      await mkdir(partial, { recursive: true });
      for (const file of names) await copyFile(join(snapshot, file), join(partial, file));
      await install(dir, partial, names, { name, revision, commit });
      return { name, dir, revision, commit, files: names, fetched: true };
    }
  }
  throw new InputError(
    `pull ${name}: expected it in ${dir}${cache ? ` or ${cache}` : ""}, got nothing of it, ` +
      "and HF_HUB_OFFLINE forbids to ask the hub; unset it, or give a model directory",
  );
}

/** Moves fetched files into the directory, with a record of where they came from. */
async function install(dir: string, partial: string, files: readonly string[], record: object): Promise<void> {
  if (
    (await stat(dir).then(
      (info) => info.isDirectory(),
      () => false,
    )) &&
    !(await stat(join(dir, RECORD)).catch(() => null))
  ) {
    throw new UsageError(
      `${dir}: expected no directory or one that was pulled, got another one; give --out, or move it away`,
    );
  }
  await writeDirectoryAtomically(dir, async (temporary) => {
    for (const file of files) await rename(join(partial, file), join(temporary, file));
    await writeFile(join(temporary, RECORD), `${JSON.stringify(record, null, 2)}\n`);
  });
  await rm(partial, { recursive: true });
}
