import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { architectureSummary } from "../../lib/report/architectures";
import { reportHtml } from "../../lib/report/pages/report";
import { readRun, type RunRecord } from "../../lib/runs/runFiles";
import { createTable } from "../../lib/report/tables";
import { writeRun } from "./fixture";

const root = mkdtempSync(join(tmpdir(), "rewardbook-architectures-"));
afterAll(() => rmSync(root, { recursive: true }));

function runOf(name: string, config: object, metrics: object): RunRecord {
  const run = readRun(writeRun(root, { name }));
  return { ...run, config: { ...run.config, ...config }, metrics: { ...run.metrics, ...metrics } };
}

const separate = runOf(
  "separate",
  { model: "models/all-MiniLM-L6-v2" },
  { trainable_parameters: 22_713_601, saved_parameters: 22_713_601, score_pairs_per_second: 120.4 },
);
const shared = runOf(
  "shared",
  { model: "policies/SmolLM2", architecture: "shared", lora_rank: 8 },
  {
    num_parameters: 134_976_192,
    trainable_parameters: 460_800,
    saved_parameters: 461_376,
    train_seconds: 754,
    train_pairs_per_second: 3.214,
    score_pairs_per_second: 9.871,
    peak_memory_mb: 5120,
  },
);

describe("a shared and a separate architecture side by side", () => {
  test("parameters, training time and scoring speed of both in the same lines", () => {
    const lines = createTable(architectureSummary([shared, separate])).text.split("\n");
    expect(lines.map((line) => line.trim().split(/\s{2,}/))).toEqual([
      ["shared", "separate"],
      [expect.stringMatching(/^─+$/), expect.any(String), expect.any(String)],
      ["Model", "SmolLM2", "all-MiniLM-L6-v2"],
      ["Architecture", "shared", "separate"],
      ["What trains", "LoRA, rank 8", "everything"],
      ["Parameters, all", "134,976,192", "22,713,601"],
      ["Parameters, trained", "460,800", "22,713,601"],
      ["Parameters, saved", "461,376", "22,713,601"],
      ["Training time", "12 min 34 s", "3 min 37 s"],
      ["Training, pairs a second", "3.21", "41.2"],
      ["Scoring, pairs a second", "9.87", "120.4"],
      ["Peak memory", "5.00 GiB", "1.79 GiB"],
    ]);
  });

  test("the report of one run against the other holds each line with the difference", () => {
    const page = reportHtml(shared, { against: [separate] });
    const row = (name: string) => new RegExp(`<th scope="row">${name}</th>.*?</tr>`).exec(page)?.[0];
    expect(page).toContain("Architecture, parameters, time and speed");
    expect(row("Architecture")).toMatch(/shared.*separate/);
    expect(row("Parameters, saved")).toMatch(/461,376.*22,713,601.*−22,252,225/);
    expect(row("Training time")).toMatch(/12 min 34 s.*3 min 37 s.*\+8 min 57 s/);
    expect(row("Scoring, pairs a second")).toMatch(/9\.87.*120\.4.*−110\.5/);
  });

  test("a run that has not ended, or two of one name, still stand in the table", () => {
    const rows = architectureSummary([
      { ...shared, metrics: null },
      { ...shared, dir: "elsewhere/shared" },
    ]);
    const [name, mine, other] = Object.values(rows.find((row) => row[""] === "Scoring, pairs a second")!);
    expect([name, mine ?? null, other]).toEqual(["Scoring, pairs a second", null, "9.87"]);
    expect(Object.keys(rows[0])).toEqual(["", shared.dir, "elsewhere/shared"]);
  });
});
