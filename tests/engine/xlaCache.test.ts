// What XLA compiles is kept on disk: a second process must find it, and get the same numbers from it.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { xlaCacheKey } from "../../lib/engine/choice";
import { projectPath } from "../../lib/files/paths";

const folder = mkdtempSync(join(tmpdir(), "rewardbook-xla-"));
afterAll(() => rmSync(folder, { recursive: true }));

const PROGRAM = `
  const tf = require("@tensorflow/tfjs-core");
  const { initBackend } = require("./dist/lib/engine/backend");
  const { compile } = require("./dist/lib/engine/compile");
  initBackend().then(() => {
    const x = tf.linspace(-3, 3, 1024);
    const [y] = compile((x) => tf.mul(tf.tanh(tf.exp(x)), tf.sin(x)), { xla: true })(x);
    console.log(JSON.stringify(Array.from(y.dataSync())));
  });`;

/** Runs the program in a process of its own that keeps compiled code in `folder`. */
function run(): number[] {
  const env = { ...process.env, TF_XLA_FLAGS: `--tf_xla_persistent_cache_directory=${folder}` };
  return JSON.parse(
    execFileSync(process.execPath, ["-e", PROGRAM], {
      cwd: projectPath(),
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  );
}

test("a second process loads what the first compiled, with the same bits", () => {
  const first = run();
  const entries = readdirSync(folder).sort();
  expect(entries.length).toBe(1);
  expect(run()).toEqual(first);
  expect(readdirSync(folder).sort()).toEqual(entries);
  const x = -3 + (6 * 700) / 1023;
  expect(first[700]).toBeCloseTo(Math.tanh(Math.exp(x)) * Math.sin(x), 5);
});

test.each([0, 300])("a torn entry of %i bytes is compiled again", (size) => {
  const expected = run();
  for (const name of readdirSync(folder)) truncateSync(join(folder, name), size);
  expect(run()).toEqual(expected);
  expect(readdirSync(folder).every((name) => statSync(join(folder, name)).size > 300)).toBe(true);
});

describe("xlaCacheKey", () => {
  const facts = {
    cpuinfo: "processor : 0\nmodel name : A\nflags : avx2 avx512f\ncpu MHz : 2999\n",
    library: "1 2",
    flags: "--a",
  };

  test("the same processor, library and flags: the same folder, at any clock", () => {
    expect(xlaCacheKey({ ...facts, cpuinfo: facts.cpuinfo.replace("2999", "3700") })).toBe(xlaCacheKey(facts));
    expect(xlaCacheKey(facts)).toMatch(/^[0-9a-f]{16}$/);
  });

  test.each([
    ["processor", { cpuinfo: facts.cpuinfo.replace("avx512f", "") }],
    ["library", { library: "1 3" }],
    ["flags", { flags: "--b" }],
  ])("another %s: another folder", (_, change) => {
    expect(xlaCacheKey({ ...facts, ...change })).not.toBe(xlaCacheKey(facts));
  });
});
