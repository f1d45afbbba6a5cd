import { expect, test } from "vitest";
import { FAMILY_SHAPES } from "../../bench/familyShapes";
import { familiesTable } from "../../bench/table";
import { MODEL_TYPES, parseModelConfig } from "../../lib/models/config";
import { parameterShapes } from "../../lib/models/rewardModel";

test("every family is measured", () => {
  expect(FAMILY_SHAPES.map(({ family }) => family)).toEqual([...MODEL_TYPES]);
  for (const { family, config } of FAMILY_SHAPES) expect(config.model_type).toBe(family);
});

// num_parameters() of the published model as transformers' …ForSequenceClassification with one label.
test.each([
  ["bert", 22_713_601],
  ["distilbert", 66_954_241],
  ["roberta", 82_119_169],
  ["llama", 134_515_584],
])("the shape of %s is the published one", (family, parameters) => {
  const { config } = FAMILY_SHAPES.find((shape) => shape.family === family)!;
  const shapes = [...parameterShapes(parseModelConfig(config, family)).values()];
  expect(shapes.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(parameters);
});

test("the table holds both sides and their ratio", () => {
  const sides = (ours: number, theirs: number) => ({
    oursPairsPerSecond: ours,
    theirsPairsPerSecond: theirs,
    oursPeakMb: 1500,
    theirsPeakMb: 900,
  });
  const row = {
    family: "bert",
    shape: "tiny",
    parameters: 22.7e6,
    scoreDifference: 0.01,
    scoring: sides(60, 40),
    training: sides(9, 12),
  };
  expect(familiesTable([row]).trim().split("\n").at(-1)).toBe(
    "| bert | tiny | 22.7 M | 60.0 | 40.0 | 1.50× | 9.00 | 12.0 | 0.75× | 1,500 / 900 | 1,500 / 900 |",
  );
});
