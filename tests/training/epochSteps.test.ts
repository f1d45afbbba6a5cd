// Which graphs of a run XLA compiles: none where an encoder's layers are kernels already.
import { beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { kernelInstructions } from "../../lib/engine/fusedOps";
import type { BatchShape, TrainingPlan } from "../../lib/batching/trainingPlan";
import { attachLora } from "../../lib/models/lora";
import { shapesWorthFusing } from "../../lib/training/epochSteps";
import { modelOf, readGolden } from "../models/golden";

beforeAll(async () => void (await initBackend()));

const long: BatchShape = { height: 1, width: 2048, slots: 8, pairs: 16 };
const short: BatchShape = { ...long, width: 32 };
/** Of one shape more tokens than the smallest model needs, of the other next to none. */
const plan: TrainingPlan = {
  shapes: [long, short],
  work: new Map([
    [long, 1e12],
    [short, 32],
  ]),
  updatesPerEpoch: 1,
  epoch: () => [],
};

describe("shapesWorthFusing", () => {
  it.each(["bert", "distilbert", "roberta", "xlm_roberta"])("none of %s, where the kernels are", (family) => {
    expect(kernelInstructions()).not.toBeNull();
    const model = modelOf(readGolden(family));
    expect([...shapesWorthFusing(model, plan, false)]).toEqual([]);
    expect([...shapesWorthFusing(model, plan, true)]).toEqual([long]); // dropout is no kernel's
    model.dispose();
  });

  it.each(["bert_relu", "bert_gelu_new", "llama", "qwen3"])("of %s those that run often", (family) => {
    const model = modelOf(readGolden(family));
    expect([...shapesWorthFusing(model, plan, false)]).toEqual([long]);
    model.dispose();
  });

  it("of an encoder with low-rank updates those that run often", () => {
    const model = modelOf(readGolden("bert"));
    attachLora(model, { rank: 2, alpha: 2, dropout: 0, targets: ["query"] });
    expect([...shapesWorthFusing(model, plan, false)]).toEqual([long]);
    model.dispose();
  });
});
