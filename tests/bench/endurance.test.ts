import { expect, test } from "vitest";
import { earlyAndLate } from "../../bench/endurance";
import { enduranceLine } from "../../bench/table";

test("compares the second tenth of a run with its last one: what loading takes does not count, a leak does", () => {
  const run = (grows: number) =>
    Array.from({ length: 100 }, (_, i) => ({ minute: i, mb: (i < 10 ? 300 : 2000) + grows * i + (i % 2) }));
  expect(earlyAndLate(run(0))).toEqual({ early: 2000.5, late: 2000.5 });
  expect(earlyAndLate(run(5))).toEqual({ early: 2000 + 5 * 14.5 + 0.5, late: 2000 + 5 * 94.5 + 0.5 });
});

test("tells the most there was", () => {
  const samples = [
    { minute: 1, mb: 900 },
    { minute: 60, mb: 1700 },
  ];
  expect(enduranceLine({ minutes: 60, steps: 4000, samples, early: 1500, late: 1600 })).toMatch(
    /60 minutes \(4,000 steps.*1,500 MB.*1,600 MB.*1,700 MB at most/,
  );
});
