// The short form of `npm run chaos`: one way of training, stopped at writes, killed, signalled, on a full disk, its files damaged.
// Expected: the bytes of the run that was never stopped; the long form goes over all ways of training.
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { projectPath } from "../../lib/files/paths";

test("no stop and no damage changes what a run comes to", () => {
  const words = [projectPath("scripts", "chaos.mjs"), "--short", "--only", "encoder, dropout"];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: "utf8", timeout: 280_000 });
  expect(status, `${stdout}\n${stderr.slice(-2000)}`).toBe(0);
  expect(stdout).toMatch(
    /5 stops at a write, 2 SIGKILLs at random moments .*, 3 signals, .* damaged files: 0 failures/,
  );
}, 300_000);
