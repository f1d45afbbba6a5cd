// Summary lines as vitest 4.1 and pytest 8 print them.
import { expect, test } from "vitest";
import { countTests, total } from "../../.ci/count.mjs";

test("countTests reads vitest's and pytest's summaries", () => {
  expect(
    countTests(" Test Files  1 failed | 3 passed (4)\n      Tests  2 failed | 120 passed | 1 skipped (123)\n"),
  ).toEqual({ passed: 120, failed: 2 });
  expect(countTests("\x1b[2m      Tests \x1b[22m \x1b[1m\x1b[32m7 passed\x1b[39m\x1b[22m\x1b[90m (7)\x1b[39m")).toEqual(
    { passed: 7, failed: 0 },
  );
  expect(countTests("===== 3 failed, 12 passed in 4.20s =====")).toEqual({ passed: 12, failed: 3 });
});

// Would fail if a suite that never reached its tests (set-up failed, killed) looked like success.
test("a suite that ended badly without a count is one failure", () => {
  const good = { log: "      Tests  5 passed (5)", code: 0 };
  expect(total([good, { log: "Set-up failed", code: 1 }])).toEqual({ passed: 5, failed: 1 });
  expect(total([good, { log: "", code: 0 }])).toEqual({ passed: 5, failed: 0 });
});
