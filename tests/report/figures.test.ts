import { describe, expect, test } from "vitest";
import {
  bestOfNFigure,
  confidenceBins,
  costFigure,
  deltaHistogramFigure,
  epochAccuracyFigure,
  epochLossFigure,
  fitExponent,
  groupAccuracyFigure,
  learningRateFigure,
  lengthRewardFigure,
  lossRunsFigure,
  originalBins,
  reliabilityFigure,
  rewardDistributionFigure,
  riskFigure,
  stepLossFigure,
  stepValidationFigure,
  type Figure,
} from "../../lib/report/figures";
import { histogram, movingAverage, thin } from "../../lib/report/figures/series";

type Trace = { x: number[]; y: number[]; name: string; text?: string[] } & Record<string, unknown>;
const traces = (figure: Figure) => figure.data as unknown as Trace[];
const title = (figure: Figure) => (figure.layout.title as { text: string }).text;

describe("series", () => {
  // NumPy 2.4.6, the original notebook's `_moving_avg`
  test("moving average is the original's", () => {
    const mean = movingAverage([0.9, 0.7, 0.8, 0.2, 0.4], 3);
    [0.8, 0.5666667, 0.4666667].forEach((value, i) => expect(mean[i]).toBeCloseTo(value, 6));
    expect(movingAverage([1, 2], 3)).toEqual([1, 2]);
  });

  // numpy.histogram(values, bins=4): the greatest value belongs to the last bin
  test("histogram is NumPy's", () => {
    const { edges, counts } = histogram([-1.5, -0.2, 0, 0.3, 2, 2, 1.1], 4);
    expect(counts).toEqual([1, 2, 2, 2]);
    expect(edges).toEqual([-1.5, -0.625, 0.25, 1.125, 2]);
  });

  // Would fail if every k-th point were taken: the one spike lies between two of them.
  test("thinning keeps spikes and leaves out what is no number", () => {
    const points = Array.from({ length: 100_001 }, (_, i) => [i, i === 54_321 ? 9 : i === 7 ? NaN : 1] as const);
    const thinned = thin(points, 1000);
    expect(thinned.length).toBeLessThanOrEqual(1000);
    expect(thinned).toContainEqual([54_321, 9]);
    expect(thinned.every(([, y]) => Number.isFinite(y))).toBe(true);
  });
});

describe("training figures", () => {
  test("the smoothed loss stands at the middle of its window, the raw one behind it", () => {
    const steps = [0.9, 0.7, 0.8, 0.2, 0.4].map((loss, i) => ({ step: 10 + i, loss }));
    const [raw, smooth] = traces(stepLossFigure(steps, { window: 3 }));
    expect(raw.y).toEqual([0.9, 0.7, 0.8, 0.2, 0.4]);
    expect(smooth.x).toEqual([11, 12, 13]);
    expect(smooth.y).toEqual([0.8, 0.56667, 0.46667]);
  });

  test("fewer steps than the window: only the raw loss, as the original", () => {
    expect(traces(stepLossFigure([{ step: 1, loss: 0.7 }]))).toHaveLength(1);
  });

  // (16·0.6 + 4·0.1) / 20 = 0.5: would fail if every batch counted the same.
  test("an epoch's training loss is weighted by pairs", () => {
    const steps = [
      { epoch: 1, loss: 0.6, pairs: 16 },
      { epoch: 1, loss: 0.1, pairs: 4 },
      { epoch: 2, loss: NaN, pairs: 16 },
      { epoch: 2, loss: 0.3, pairs: 16 },
    ];
    const [train, validation] = traces(epochLossFigure(steps, [{ epoch: 1, val_loss: 0.55 }, { epoch: 2 }]));
    expect(train.y).toEqual([0.5, 0.3]);
    expect(validation.x).toEqual([1]);
    expect(validation.y).toEqual([0.55]);
  });

  test("accuracy carries its interval, ECE has an axis of its own", () => {
    const figure = epochAccuracyFigure([{ epoch: 1, pairwise_accuracy: 0.8, ece: 0.1, accuracy_ci95: [0.7, 0.85] }]);
    const [accuracy, ece] = traces(figure);
    expect(accuracy.error_y).toMatchObject({ array: [0.05], arrayminus: [0.1] });
    expect(ece).toMatchObject({ yaxis: "y2", y: [0.1] });
    expect(figure.description).toContain("epoch 1: accuracy 80.0%, ECE 0.1");
  });

  test("learning rate and gradient norm by step", () => {
    const [rate, norm] = traces(
      learningRateFigure([
        { step: 1, learning_rate: 1e-5, grad_norm: 2 },
        { step: 2, learning_rate: 2e-5 },
      ]),
    );
    expect(rate.y).toEqual([1e-5, 2e-5]);
    expect(norm.x).toEqual([1]);
  });

  test("validations between epochs by step", () => {
    const figure = stepValidationFigure([
      { step: 50, accuracy: 0.6, val_loss: 0.65 },
      { step: 100, accuracy: 0.7, val_loss: NaN },
    ]);
    const [accuracy, loss] = traces(figure);
    expect(accuracy).toMatchObject({ x: [50, 100], y: [0.6, 0.7] });
    expect(loss).toMatchObject({ x: [50], y: [0.65], yaxis: "y2" });
  });

  test("runs of unequal length share one window", () => {
    const runs = [10, 4].map((n) => ({
      name: `of ${n}`,
      steps: Array.from({ length: n }, (_, i) => ({ step: i + 1, loss: 1 })),
    }));
    const [long, short] = traces(lossRunsFigure(runs));
    expect(long.x).toHaveLength(10);
    expect(short.x).toHaveLength(4);
  });
});

describe("evaluation figures", () => {
  test("Δ: wrong, tied and right pairs apart over the same fifty bins", () => {
    const figure = deltaHistogramFigure([-2, -1, 0, 0.5, 3]);
    const [wrong, tied, right] = traces(figure);
    for (const trace of [wrong, tied, right]) expect(trace.y).toHaveLength(50);
    const sums = [wrong, tied, right].map((trace) => trace.y.reduce((a, b) => a + b, 0));
    expect(sums).toEqual([2, 1, 2]);
    expect(figure.description).toContain("40.0% wrong, 1 tied");
  });

  test("groups: interval ends, counts, risks from low to high", () => {
    const figure = riskFigure({
      HIGH: { n: 20, accuracy: 0.75, ci95: [0.5, 0.9] },
      LOW: { n: 1000, accuracy: 0.8, ci95: [0.7, 0.85] },
      EMPTY: { n: 0, accuracy: 0 },
    });
    const [points] = traces(figure);
    expect(points.y).toEqual(["LOW (1,000)", "HIGH (20)"]);
    expect(points.error_x).toMatchObject({ array: [0.05, 0.15], arrayminus: [0.1, 0.25] });
    expect(points.text![0]).toBe("95% interval 70.0% to 85.0%");
  });

  // Plotly reads tags in names; a name shortened to the same text must not merge two rows.
  test("names of groups are inert and stay apart", () => {
    const long = "x".repeat(60);
    const [points] = traces(
      groupAccuracyFigure({
        "<b>a</b>\n&": { n: 1, accuracy: 1 },
        [`${long}1`]: { n: 1, accuracy: 1 },
        [`${long}2`]: { n: 1, accuracy: 1 },
      }),
    );
    expect(String(points.y[0])).toBe("&lt;b&gt;a&lt;/b&gt; &amp; (1)");
    expect(new Set(points.y).size).toBe(3);
  });

  test("reliability: the upper half of the symmetric bins, empty ones without a point", () => {
    const bin = (low: number, count: number) => ({
      low,
      high: low + 0.25,
      symmetric_count: count,
      symmetric_accuracy: 0.6,
      symmetric_confidence: low + 0.1,
      symmetric_ci95: [0.5, 0.7] as [number, number],
    });
    const bins = confidenceBins([bin(0, 3), bin(0.25, 2), bin(0.5, 2), bin(0.75, 0)]);
    expect(bins.map(({ low }) => low)).toEqual([0.5, 0.75]);
    const figure = reliabilityFigure(bins, { ece: 0.05 });
    const [, measured, counts] = traces(figure);
    expect(measured).toMatchObject({ x: [0.6], y: [0.6], error_y: { array: [0.1], arrayminus: [0.1] } });
    expect(counts.y).toEqual([2, 0]);
    expect(figure.description).toContain("symmetric expected calibration error 0.05"); // the original's is another number
  });

  test("the original notebook's bins", () => {
    const detail = { bin_edges: [0, 0.5, 1], bin_counts: [1, 3], bin_acc: [0, 1], bin_conf: [0.4, 0.8] };
    expect(originalBins(detail)[1]).toEqual({ low: 0.5, high: 1, count: 3, accuracy: 1, confidence: 0.8 });
    expect(reliabilityFigure(originalBins(detail), { ece: 0.25 }).description).toContain(
      "? expected calibration error",
    );
  });

  test("rewards of both sides share their bins", () => {
    const [chosen, rejected] = traces(rewardDistributionFigure([1, 2], [-2, 0], { bins: 4 }));
    expect(chosen.x).toEqual([-1.5, -0.5, 0.5, 1.5]);
    expect(chosen.y).toEqual([0, 0, 0, 2]);
    expect(rejected.y).toEqual([1, 0, 1, 0]);
  });

  test("many pairs are drawn as a sample and said to be", () => {
    const figure = lengthRewardFigure(Array.from({ length: 5000 }, (_, i) => ({ lengthDelta: i, rewardDelta: 1 })));
    expect(traces(figure)[0].x).toHaveLength(2000);
    expect(figure.description).toContain("2,000 of 5,000 pairs drawn");
  });

  test("best of n: a band only where an interval is known", () => {
    const points = [1, 2].map((x) => ({ x, y: x }));
    const curves = [
      { name: "model", points: points.map((point) => ({ ...point, low: 0, high: 3 })) },
      { name: "random", points },
    ];
    expect(traces(bestOfNFigure(curves)).map(({ name }) => name)).toEqual([undefined, "model", "random"]);
  });

  // numpy.polyfit(log sizes, log costs, 1)[0]
  test("the exponent of a cost curve", () => {
    const points = [
      [128, 1],
      [256, 2.3],
      [512, 5.1],
      [1024, 11.9],
    ].map(([x, y]) => ({ x, y }));
    expect(fitExponent(points)).toBeCloseTo(1.18675324, 8);
    const [curve] = traces(costFigure([{ name: "ours", points }], { title: "t", sizeTitle: "x", costTitle: "y" }));
    expect(curve.name).toBe("ours, exponent 1.19");
    expect(fitExponent([{ x: 2, y: 1 }])).toBeNull();
  });
});

test("figures without data say so", () => {
  const figures = [
    stepLossFigure([]),
    epochLossFigure([], []),
    epochAccuracyFigure([]),
    learningRateFigure([]),
    stepValidationFigure([]),
    deltaHistogramFigure([]),
    riskFigure({}),
    reliabilityFigure([]),
    rewardDistributionFigure([], []),
    lengthRewardFigure([]),
    bestOfNFigure([]),
    costFigure([], { title: "Cost", sizeTitle: "x", costTitle: "y" }),
  ];
  for (const figure of figures) {
    expect(figure.data).toEqual([]);
    const [note] = figure.layout.annotations as { text: string }[];
    expect(note.text).toMatch(/^No |^Nothing /);
    expect(title(figure)).toMatch(/^<b>.+<\/b>$/);
  }
});
