// The figures that the notebooks added, against hand-made values.
import { describe, expect, test } from "vitest";
import { epochValueFigure, riskFigure, stepLossFigure } from "../../lib/report/figures";
import { curveFigure } from "../../lib/report/figures/general";

const named = (figure: { data: readonly object[] }) => figure.data.map((trace) => (trace as { name: string }).name);

describe("the loss curve", () => {
  const steps = [0, 1, 2].map((i) => ({ step: i + 1, loss: 1.5 - i / 10, nll: 0.69 - i / 10 }));

  test("draws the unweighted loss beside the weighted one", () => {
    const figure = stepLossFigure(steps, { window: 2 });
    expect(named(figure)).toEqual(["each step", "mean of 2 steps", "unweighted, −log σ(Δ)"]);
    // means of two steps: 0.64, 0.54
    expect((figure.data[2] as { y: number[] }).y).toEqual([0.64, 0.54]);
    expect(figure.description).toContain("unweighted ends at 0.54");
  });

  test("averages 50 steps, or an eighth of a shorter run, or none of a very short one", () => {
    const of = (count: number) =>
      named(stepLossFigure(Array.from({ length: count }, (_, i) => ({ step: i + 1, loss: 1 }))));
    expect(of(4000)).toEqual(["each step", "mean of 50 steps"]);
    expect(of(79)).toEqual(["each step", "mean of 10 steps"]);
    expect(of(20)).toEqual(["each step"]);
  });

  test("leaves it out where every weight is 1, and in runs that did not log it", () => {
    expect(
      named(
        stepLossFigure(
          steps.map((row) => ({ ...row, nll: row.loss })),
          { window: 2 },
        ),
      ),
    ).toHaveLength(2);
    expect(
      named(
        stepLossFigure(
          steps.map(({ step, loss }) => ({ step, loss })),
          { window: 2 },
        ),
      ),
    ).toHaveLength(2);
  });
});

test("accuracy and calibration error are two figures as well, and a figure of the best epoch says so", () => {
  const epochs = [
    { epoch: 1, pairwise_accuracy: 0.8, ece: 0.2 },
    { epoch: 2, pairwise_accuracy: 0.9, ece: 0.1 },
  ];
  expect((epochValueFigure(epochs, "accuracy").data[0] as { y: number[] }).y).toEqual([0.8, 0.9]);
  expect((epochValueFigure(epochs, "ece").data[0] as { y: number[] }).y).toEqual([0.2, 0.1]);
  expect(epochValueFigure([], "ece").data).toEqual([]);
  expect(JSON.stringify(epochValueFigure(epochs, "ece").layout)).toContain("P(chosen) in ten bins"); // not the symmetric one
  const groups = { Low: { n: 10, accuracy: 0.9, ci95: [0.7, 1] as [number, number] } };
  expect(JSON.stringify(riskFigure(groups, 0.9, 3).layout)).toContain("(epoch 3, the best)");
  expect(JSON.stringify(riskFigure(groups, 0.9).layout)).not.toContain("epoch");
});

test("a curve with an interval gets a band behind it", () => {
  const curve = { name: "gold", x: [0, 1], y: [2, 3], low: [1, 2], high: [3, 4] };
  const figure = curveFigure({ title: "t", xTitle: "x", yTitle: "y", curves: [curve] });
  const [band, line] = figure.data as unknown as { x: number[]; y: number[]; fill?: string }[];
  expect(band).toMatchObject({ x: [0, 1, 1, 0], y: [3, 4, 2, 1], fill: "toself" });
  expect(line).toMatchObject({ x: [0, 1], y: [2, 3] });
});
