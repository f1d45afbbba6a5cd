// A run's log as a kill leaves it: what was half written goes, what had been written by the checkpoint stays.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryBeside } from "../../lib/files/atomic";
import { openMetricsLog } from "../../lib/runs/metricsLog";

const home = process.cwd();
const folder = mkdtempSync(join(tmpdir(), "rewardbook-log-"));
beforeAll(() => process.chdir(folder));
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

test("a file that a kill left half written goes, in every folder of the log", () => {
  const log = openMetricsLog("mine");
  log.csv({ epoch: 1 });
  const marks = log.marks();
  log.csv({ epoch: 2 });
  log.write("val_deltas/deltas_epoch01.json", { epoch: 1, deltas: [] });
  const torn = ["config.json", "val_deltas/deltas_epoch02.json", "plots/loss.png"].map((name) =>
    temporaryBeside(join(log.dir, name)),
  );
  for (const file of torn) writeFileSync(file, '{"ep');
  openMetricsLog("mine", marks);
  expect(torn.filter(existsSync)).toEqual([]);
  expect(readdirSync(log.dir, { recursive: true }).sort()).toEqual(
    ["plots", "training_log.csv", "val_deltas", join("val_deltas", "deltas_epoch01.json")].sort(),
  );
  expect(readFileSync(join(log.dir, "training_log.csv"), "utf8")).toBe("epoch\n1\n");
});
