// The committed goldens of every family against the transformers at hand, whatever its version.
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { FAMILIES } from "../models/golden";

const python = join(resolve(process.env.RB_REFERENCE ?? ".cache/reference"), "bin", "python");
const script = join(__dirname, "..", "goldens", "models.py");

// Fails when a version of transformers changes what a family computes, or what its parameters are called.
test("transformers gives the goldens' scores and gradients", () => {
  const run = spawnSync(python, ["-P", script, "--check"], {
    encoding: "utf8",
    env: { ...process.env, HF_HUB_OFFLINE: "1" },
  });
  if (run.status !== 0) throw new Error(run.error?.message ?? run.stderr.slice(-2000));
  const { versions, distances } = JSON.parse(run.stdout);
  console.log(`transformers ${versions.transformers}, torch ${versions.torch}`);
  expect(Object.keys(distances).sort()).toEqual([...FAMILIES].sort());
  for (const [name, { scores, gradients }] of Object.entries<{ scores: number; gradients: number }>(distances)) {
    expect(scores, name).toBeLessThan(1e-5);
    expect(gradients, name).toBeLessThan(1e-4);
  }
});
