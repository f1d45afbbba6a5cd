import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { writeOnnxModel } from "../../lib/engine/onnx/writeModel";
import { mergedParameters } from "../../lib/models/lora";
import { rewardGraph } from "../../lib/models/onnx/rewardGraph";
import { ONNX_DTYPES } from "../../lib/models/onnx/weights";
import { FAMILIES, modelOf, readGolden } from "../models/golden";

// Expected: Python's transformers (the goldens); got: Python's onnxruntime, after onnx's checker and strict shape inference.
const TOLERANCE = 1e-4;
const work = mkdtempSync(join(tmpdir(), "onnx-compat-"));
afterAll(() => rmSync(work, { recursive: true }));
let scores: Record<string, number[][]>;

beforeAll(async () => {
  await initBackend();
  for (const family of FAMILIES) {
    const golden = readGolden(family);
    const model = modelOf(golden);
    const weights = new Map(mergedParameters(model));
    for (const dtype of ONNX_DTYPES) {
      const graph = rewardGraph({ config: model.config, weights, dtype, unreadId: null });
      await writeOnnxModel(join(work, `${family}-${dtype}.onnx`), graph);
      writeFileSync(join(work, `${family}-${dtype}.json`), JSON.stringify([golden.right, golden.left]));
    }
    model.dispose();
  }
  const python = join(process.env.RB_REFERENCE ?? join(__dirname, "..", "..", ".cache", "reference"), "bin", "python");
  const { status, stderr } = spawnSync(python, [join(__dirname, "onnx_reference.py"), work], { encoding: "utf8" });
  if (status !== 0) throw new Error(`onnx_reference.py: ${stderr.slice(-3000)}`);
  scores = JSON.parse(readFileSync(join(work, "scores.json"), "utf8")) as typeof scores;
});

/** Largest distance from transformers' scores. */
const worst = (family: string, dtype: string): number => {
  const { right, left } = readGolden(family);
  const distances = [right, left].flatMap((side, i) =>
    side.scores.map((score, row) => Math.abs(scores[`${family}-${dtype}`][i][row] - score)),
  );
  return distances.some(Number.isNaN) ? Infinity : Math.max(...distances);
};

describe("Python's onnx and onnxruntime take the exported models", () => {
  for (const family of FAMILIES)
    it(`${family}: checked, inferred, and transformers' scores`, () => {
      expect(worst(family, "fp32")).toBeLessThan(TOLERANCE);
      expect(worst(family, "fp16")).toBeLessThan(0.01);
    });

  it("q8 is as near to them as onnxruntime's own quantisation of the same weights", () => {
    const mean = (dtype: string) => FAMILIES.reduce((sum, name) => sum + worst(name, dtype), 0) / FAMILIES.length;
    expect(mean("q8")).toBeLessThan(1.3 * mean("reference_q8"));
  });
});
