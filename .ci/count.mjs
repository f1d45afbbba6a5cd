// In: the logs and exit codes of the suites. Out: one line "N passed, M failed" from what the suites reported themselves.
import { readFileSync } from "node:fs";
import path from "node:path";

/** Counts of a log's last summary: vitest's `Tests  3 failed | 120 passed (123)` or pytest's `120 passed, 3 failed`. */
export function countTests(log) {
  const plain = log.replaceAll(/\x1b\[[0-9;]*m/g, "");
  const summaries = plain
    .split("\n")
    .filter((line) => /^\s*Tests\s+.*\d+ (passed|failed)/.test(line) || /^=+ .*\d+ (passed|failed).* in /.test(line));
  const line = summaries.at(-1) ?? "";
  const count = (word) => Number(new RegExp(`(\\d+) ${word}`).exec(line)?.[1] ?? 0);
  return { passed: count("passed"), failed: count("failed") };
}

/** A suite that ended badly without naming a failed test (set-up, compile error, time limit) counts as one failure. */
export function total(suites) {
  let [passed, failed] = [0, 0];
  for (const { log, code } of suites) {
    const counts = countTests(log);
    passed += counts.passed;
    failed += code !== 0 && counts.failed === 0 ? 1 : counts.failed;
  }
  return { passed, failed };
}

if (process.argv[2]) {
  const [folder, ...names] = process.argv.slice(2);
  const read = (name) => readFileSync(path.join(folder, name), "utf8");
  const { passed, failed } = total(names.map((name) => ({ log: read(name), code: Number(read(`${name}.code`)) })));
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}
