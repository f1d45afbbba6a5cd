import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { run } from "../../cli/main";
import { pullModel, type PullOptions } from "../../lib/checkpoints/hub";
import { COMMIT, startHub, type HubServer } from "./hubServer";
import { makeModelDirectory } from "./modelDirectory";

const NAME = "someone/tiny-bert";
const root = mkdtempSync(join(tmpdir(), "hub-"));
let files: Record<string, Buffer>, dir: string, hub: HubServer | undefined;
beforeAll(async () => {
  await makeModelDirectory(join(root, "source"), "bert");
  files = Object.fromEntries(
    readdirSync(join(root, "source")).map((name) => [name, readFileSync(join(root, "source", name))]),
  );
  Object.assign(files, {
    "README.md": Buffer.from("card"),
    "pytorch_model.bin": Buffer.from("pickle"),
    "onnx.onnx": Buffer.from("x"),
    "run.py": Buffer.from("print(1)"),
  });
});
beforeEach(() => (dir = join(mkdtempSync(join(root, "case-")), "models", NAME)));
afterEach(async () => {
  await hub?.close();
  hub = undefined;
});
afterAll(() => rmSync(root, { recursive: true }));

const start = async (changes: Record<string, Buffer | null> = {}, options: Parameters<typeof startHub>[2] = {}) =>
  (hub = await startHub(
    NAME,
    Object.fromEntries(
      Object.entries({ ...files, ...changes }).filter((entry): entry is [string, Buffer] => entry[1] !== null),
    ),
    options,
  ));
const pull = (options: Partial<PullOptions> = {}) =>
  pullModel(NAME, { dir, endpoint: hub?.url, backoff: 1, ...options });
const fetched = () => hub!.requests.filter(({ path }) => path.includes("/resolve/") && !path.includes("/api/")).length;

describe("pull", () => {
  it("fetches configuration, tokenizer, card and safetensors, nothing else, and checks them", async () => {
    await start();
    const model = await pull();
    expect(model).toMatchObject({ commit: COMMIT, fetched: true });
    expect(readdirSync(dir).sort()).toEqual([
      "README.md",
      "config.json",
      "hub.json",
      "manifest.json",
      "model.safetensors",
      "special_tokens_map.json",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    for (const name of model.files) expect(readFileSync(join(dir, name)).equals(files[name])).toBe(true);
    expect(readdirSync(join(dir, ".."))).toEqual(["tiny-bert"]);
  });

  it("asks for nothing but the commit the second time", async () => {
    await start();
    await pull();
    const before = fetched();
    expect(await pull()).toMatchObject({ fetched: false, commit: COMMIT });
    expect(fetched()).toBe(before);
  });

  it("goes on where the line broke, with a range", async () => {
    await start();
    hub!.faults.set("model.safetensors", ["cut", "500", "cut"]);
    await pull();
    const ranges = hub!.requests.filter(({ host }) => host.startsWith("localhost")).map(({ range }) => range);
    const half = Math.ceil(files["model.safetensors"].length / 2);
    expect(ranges.slice(0, 2)).toEqual([undefined, `bytes=${half}-`]);
    expect(readFileSync(join(dir, "model.safetensors")).equals(files["model.safetensors"])).toBe(true);
  });

  it("goes on in a later call after it gave up", async () => {
    await start();
    hub!.faults.set("model.safetensors", Array(6).fill("cut"));
    await expect(pull()).rejects.toThrow(
      /model\.safetensors: expected \d+ bytes with checksum [0-9a-f]{64}, got .*run again/,
    );
    expect(existsSync(dir)).toBe(false);
    await pull();
    expect(hub!.requests.at(-1)!.range).toMatch(/^bytes=\d+-$/);
    expect(readFileSync(join(dir, "model.safetensors")).equals(files["model.safetensors"])).toBe(true);
  });

  it("begins anew when the server ignores the range", async () => {
    await start();
    hub!.faults.set("model.safetensors", ["cut", "no-range"]);
    await pull();
    expect(readFileSync(join(dir, "model.safetensors")).equals(files["model.safetensors"])).toBe(true);
  });

  it("fetches again what does not match its sha256, and refuses it the second time", async () => {
    await start();
    hub!.faults.set("model.safetensors", ["corrupt"]);
    await pull();
    hub!.faults.set("tokenizer.json", ["corrupt", "corrupt"]);
    rmSync(dir, { recursive: true });
    const git = createHash("sha1")
      .update(`blob ${files["tokenizer.json"].length}\0`)
      .update(files["tokenizer.json"])
      .digest("hex");
    await expect(pull()).rejects.toThrow(
      new RegExp(`tokenizer\\.json: expected \\d+ bytes with checksum ${git}, got content with checksum`),
    );
    expect(existsSync(dir)).toBe(false);
  });

  it("sends the token to the hub and not to the storage it redirects to", async () => {
    await start({}, { token: "hf_secret" });
    await pull({ token: "hf_secret" });
    const seen = (storage: boolean) =>
      new Set(
        hub!.requests
          .filter(({ host }) => host.startsWith("localhost") === storage)
          .map(({ authorization }) => authorization),
      );
    expect([seen(false), seen(true)]).toEqual([new Set(["Bearer hf_secret"]), new Set([undefined])]);
  });

  it("takes shards through their index, and files out of Python's cache", async () => {
    const index = Buffer.from(JSON.stringify({ weight_map: {} }));
    await start({
      "model.safetensors": null,
      "model.safetensors.index.json": index,
      "model-00001-of-00001.safetensors": files["model.safetensors"],
    });
    const blobs = join(root, "cache", `models--${NAME.replace("/", "--")}`, "blobs");
    mkdirSync(blobs, { recursive: true });
    writeFileSync(
      join(blobs, createHash("sha256").update(files["model.safetensors"]).digest("hex")),
      files["model.safetensors"],
    );
    const model = await pull({ cache: join(root, "cache") });
    expect(model.files).toEqual(
      expect.arrayContaining(["model.safetensors.index.json", "model-00001-of-00001.safetensors"]),
    );
    expect(hub!.requests.some(({ host }) => host.startsWith("localhost"))).toBe(false);
  });
});

describe("refused", () => {
  it.each<[string, Record<string, Buffer | null>, RegExp]>([
    [
      "a pickle",
      { "model.safetensors": null },
      /got pytorch_model\.bin, a Python pickle, which can run any code.*save_pretrained\("models\/someone\/tiny-bert", safe_serialization=True\)/,
    ],
    [
      "no weights",
      { "model.safetensors": null, "pytorch_model.bin": null },
      /expected model\.safetensors or model\.safetensors\.index\.json, got neither/,
    ],
    ["no tokenizer.json", { "tokenizer.json": null }, /expected tokenizer\.json, got none; in Python, AutoTokenizer/],
    [
      "another family",
      { "config.json": Buffer.from('{"model_type":"t5"}') },
      /config\.json: model_type: expected one of bert.*got "t5"/,
    ],
  ])("%s, before any weights are fetched", async (_, changes, message) => {
    await start(changes);
    await expect(pull()).rejects.toThrow(message);
    expect(hub!.requests.some(({ host }) => host.startsWith("localhost"))).toBe(false);
    expect(existsSync(dir)).toBe(false);
  });

  it("an unknown model, and a gated one without a token", async () => {
    await start({}, { gone: true });
    await expect(pull()).rejects.toThrow(
      /pull someone\/tiny-bert: expected a model on .* at revision main, got HTTP 404; check the name/,
    );
    await hub!.close();
    await start({}, { token: "hf_x" });
    await expect(pull()).rejects.toThrow(/got HTTP 401; set HF_TOKEN/);
  });

  it.each(["../x", "a/b/c", "", "a b", "..", "https://x/y"])("the name %j", async (name) => {
    await expect(pullModel(name, { dir })).rejects.toThrow(/pull: expected a model's name/);
  });

  it("a directory that is something else", async () => {
    await start();
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, "mine.txt"), "");
    await expect(pull()).rejects.toThrow(/expected no directory or one that was pulled/);
    expect(readdirSync(dir)).toEqual(["mine.txt"]);
  });
});

describe("without the hub", () => {
  it("a pulled model is taken as it is, and an absent one named", async () => {
    await start();
    await pull();
    const { url } = hub!;
    await hub!.close();
    hub = undefined;
    expect(await pull({ endpoint: url })).toMatchObject({ fetched: false, commit: COMMIT });
    expect(await pull({ offline: true })).toMatchObject({ fetched: false });
    await expect(pull({ endpoint: url, dir: `${dir}-2` })).rejects.toThrow(
      /expected an answer from http:.*ECONNREFUSED.*HF_ENDPOINT/,
    );
    await expect(pull({ offline: true, dir: `${dir}-2` })).rejects.toThrow(/got nothing of it, and HF_HUB_OFFLINE/);
  });

  it("comes from Python's cache", async () => {
    const folder = join(root, "hub-cache", `models--${NAME.replace("/", "--")}`),
      snapshot = join(folder, "snapshots", COMMIT);
    mkdirSync(join(folder, "refs"), { recursive: true });
    mkdirSync(snapshot, { recursive: true });
    writeFileSync(join(folder, "refs", "main"), COMMIT);
    for (const [name, data] of Object.entries(files)) writeFileSync(join(snapshot, name), data);
    const model = await pull({ offline: true, cache: join(root, "hub-cache") });
    expect([
      model.commit,
      model.files.includes("pytorch_model.bin"),
      existsSync(join(dir, "model.safetensors")),
    ]).toEqual([COMMIT, false, true]);
  });
});

it("the command reads HF_ENDPOINT and HF_TOKEN", async () => {
  await start({}, { token: "hf_abc" });
  Object.assign(process.env, { HF_ENDPOINT: hub!.url, HF_TOKEN: "hf_abc", HF_HOME: join(root, "nowhere") });
  expect(await run(["pull", NAME, "--out", dir, "--revision", "v1", "--json"])).toBe(0);
  expect(existsSync(join(dir, "model.safetensors"))).toBe(true);
  process.env.HF_TOKEN = "";
  expect(await run(["pull", NAME, "--out", `${dir}-3`])).toBe(1);
  expect(await run(["pull", `../${basename(root)}-nowhere`])).toBe(2); // no name of the hub, and no directory
  for (const name of ["HF_ENDPOINT", "HF_TOKEN", "HF_HOME"]) delete process.env[name];
});
