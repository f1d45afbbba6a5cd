// The step runner against its own contract: order, parallel runs, stamps, named failures, one set-up at a time.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { command, inRoot, isInPlace, root, runSteps, StepError, withLock } from "../../scripts/setup/steps.mjs";

mkdirSync(inRoot(".cache"), { recursive: true });
const folder = mkdtempSync(inRoot(".cache", "steps-test-"));
const quiet = () => {};
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const names = ["one", "two", "three"].map((name) => `test ${name}`);
const step = (name: string, more: object = {}) => ({
  name: `test ${name}`,
  needs: [],
  inputs: () => "same",
  outputs: [],
  run: () => "",
  ...more,
});

afterEach(() => {
  for (const name of names) rmSync(inRoot(".cache", "setup", `${name.replaceAll(" ", "-")}.stamp`), { force: true });
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
});

describe("runSteps", () => {
  test("runs independent steps side by side and dependent ones in order", async () => {
    const events: string[] = [];
    const timed = (name: string) => async () => {
      events.push(`+${name}`);
      await sleep(50);
      events.push(`-${name}`);
    };
    const steps = [
      step("one", { run: timed("one") }),
      step("two", { run: timed("two") }),
      step("three", { needs: ["test one", "test two"], run: timed("three") }),
    ];
    await runSteps(steps, quiet);
    expect(events).toEqual(["+one", "+two", "-one", "-two", "+three", "-three"]);
  });

  test("runs a step again when its inputs change or its output is gone, else not", async () => {
    const output = relative(root, join(folder, "made"));
    let runs = 0;
    let inputs = "a";
    const run = () => {
      runs++;
      writeFileSync(join(folder, "made"), "");
    };
    const made = step("one", { inputs: () => inputs, outputs: [output], run });
    await runSteps([made], quiet);
    await runSteps([made], quiet);
    expect(runs).toBe(1);
    expect(isInPlace(made)).toBe(true);
    inputs = "b";
    await runSteps([made], quiet);
    rmSync(join(folder, "made"));
    await runSteps([made], quiet);
    expect(runs).toBe(3);
  });

  test("a failed step names its cause and remedy; what needs it does not run, what does not need it does", async () => {
    const lines: string[] = [];
    const fail = () => {
      throw new StepError("no network", "plug it in");
    };
    let other = false;
    const steps = [
      step("one", { run: fail }),
      step("two", { needs: ["test one"] }),
      step("three", { run: () => void (other = true) }),
    ];
    const outcome = await runSteps(steps, (line: string) => lines.push(line));
    expect([...outcome.values()]).toEqual(["failed", "failed", "done"]);
    expect(lines.join("\n")).toMatch(/✗ test one: failed[\s\S]*cause: no network[\s\S]*remedy: plug it in/);
    expect(other).toBe(true);
    expect(isInPlace(steps[0])).toBe(false);
  });

  test("an optional step that fails is left out with what needs it", async () => {
    const fail = () => {
      throw new StepError("no compiler", "install one");
    };
    const outcome = await runSteps(
      [step("one", { optional: true, run: fail }), step("two", { needs: ["test one"], optional: true })],
      quiet,
    );
    expect([...outcome.values()]).toEqual(["skipped", "skipped"]);
  });
});

test("command shows the program's own last words and the remedy", async () => {
  const failing = command(process.execPath, ["-e", "console.error('disk full'); process.exit(3)"], {
    remedy: "free some space",
  });
  await expect(failing).rejects.toMatchObject({
    message: expect.stringMatching(/ended with 3[\s\S]*disk full/),
    remedy: "free some space",
  });
  await expect(command("no-such-program", [])).rejects.toThrow(/could not start/);
});

test("withLock runs one at a time, and takes over the lock of a dead process", async () => {
  const lock = inRoot(".cache", "setup.lock");
  if (!existsSync(lock)) writeFileSync(lock, "999999999");
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await sleep(30);
    inside--;
  };
  await Promise.all([withLock(work, quiet), withLock(work, quiet)]);
  expect(most).toBe(1);
  expect(existsSync(lock)).toBe(false);
});
