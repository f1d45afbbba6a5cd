// What set-up fetches from the Python package index: every file by its hash, none built from source.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const scripts = join(__dirname, "..", "..", "scripts");
const read = (...parts: string[]) => readFileSync(join(scripts, ...parts), "utf8");
/** Entries of a lock: name, version, hashes. */
const entries = (lock: string) =>
  lock
    .replaceAll(/ \\\n\s+/g, " ")
    .split("\n")
    .filter((line) => line && !line.startsWith("#"))
    .map((line) => ({
      line,
      name: /^[\w.-]+/.exec(line)![0],
      version: /^[\w.-]+==(\S+)/.exec(line)?.[1],
      hashes: line.match(/--hash=sha256:[0-9a-f]{64}/g) ?? [],
    }));

const reference = join("..", "tests", "goldens");

describe.each([
  ["requirements.lock", 90],
  ["cuda.lock", 12],
  [join(reference, "locks", "torch.lock"), 1],
  [join(reference, "locks", "torch-cuda.lock"), 15],
  [join(reference, "locks", "requirements.lock"), 100],
  [join(reference, "locks", "alone.lock"), 1],
])("%s", (name, least) => {
  test("names every distribution by version and hashes, and no host", () => {
    const locked = entries(read(name));
    expect(locked.length).toBeGreaterThanOrEqual(least);
    expect(locked.filter(({ version, hashes }) => !version || hashes.length === 0)).toEqual([]);
    expect(read(name)).not.toMatch(/:\/\/|--(extra-)?index-url|--find-links|--trusted-host/);
  });
});

test("the lock holds what is asked for, for every Python from 3.10 on", () => {
  const locked = entries(read("requirements.lock"));
  const asked = entries(read("requirements.txt"));
  expect(asked.length).toBeGreaterThan(3);
  for (const { name, version } of asked)
    expect(locked.filter((entry) => entry.name === name).map((entry) => entry.version)).toEqual([version]);
  // needed before 3.11 only: a lock made on one Python for itself would lack one of the two
  expect(locked.find(({ name }) => name === "exceptiongroup")?.line).toContain("python_full_version < '3.11'");
  expect(locked.filter(({ name }) => name === "ipython").length).toBeGreaterThan(1);
});

test("the locks of the reference hold what is asked for, and it is installed by them alone", () => {
  const locked = ["torch", "torch-cuda", "requirements", "alone"].flatMap((name) =>
    entries(read(reference, "locks", `${name}.lock`)),
  );
  const text = read(reference, "requirements.txt");
  const asked = entries(text.replaceAll(/^# no-deps: /gm, ""));
  expect(asked.length).toBeGreaterThan(10);
  for (const { name, version } of asked) {
    const found = locked.filter((entry) => entry.name === name).map((entry) => entry.version);
    // What is asked for without a version may have one for each Python.
    expect(version ? found : found.slice(0, 1), name).toEqual([version ?? expect.any(String)]);
  }
  const script = read("reference.mjs");
  expect(script.match(/"install"/g)).toHaveLength(1);
  expect(script).toMatch(/how = \[[^\]]*"--require-hashes", "--only-binary=:all:", "--no-deps"/);
  expect(script).toContain('"install", ...how');
});

test("the CUDA lock holds what the TensorFlow wheel names, and a package that it lacks is an error", async () => {
  const { checkCudaLock } = (await import(join(scripts, "setup", "native.mjs"))) as {
    checkCudaLock(metadata: string, lock: string): void;
  };
  const home = join(scripts, "..", ".cache", "tensorflow");
  const wheel = existsSync(home) ? readdirSync(home).find((name) => /^tensorflow.*\.dist-info$/.test(name)) : undefined;
  const metadata = wheel
    ? readFileSync(join(home, wheel, "METADATA"), "utf8")
    : 'Requires-Dist: nvidia-nccl-cu12<3.0,>=2.27.7; extra == "and-cuda"\n';
  expect(() => checkCudaLock(metadata, read("cuda.lock"))).not.toThrow();
  const more = 'Requires-Dist: nvidia-nvshmem-cu12<4; extra == "and-cuda"\n';
  expect(() => checkCudaLock(metadata + more, read("cuda.lock"))).toThrow("nvidia-nvshmem-cu12");
});

test("set-up installs and downloads by hash only", () => {
  const source = ["setup.mjs", ...readdirSync(join(scripts, "setup")).map((name) => join("setup", name))]
    .filter((name) => name.endsWith(".mjs"))
    .map((name) => read(name))
    .join("\n");
  const calls = [...source.matchAll(/\bpip\(\s*\[([^\]]*)/g)].map(([, words]) => words);
  expect(calls.length).toBeGreaterThanOrEqual(3);
  for (const words of calls) expect(words).toMatch(/\.\.\.LOCKED|--require-hashes.*--only-binary=:all:/s);
  expect(source).toContain('LOCKED = ["install", "--require-hashes", "--only-binary=:all:"]');
});
