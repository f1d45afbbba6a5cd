// The lock of a run, against processes that live, are gone, or had their number given to another.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lockFile, lockRun } from "../../lib/runs/lock";

const home = process.cwd();
const folder = mkdtempSync(join(tmpdir(), "rewardbook-lock-"));
beforeAll(() => process.chdir(folder));
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

const owner = () => JSON.parse(readFileSync(lockFile("mine"), "utf8"));
const put = (content: object | string) =>
  writeFileSync(lockFile("mine"), typeof content === "string" ? content : `${JSON.stringify(content)}\n`);

test("one at a time; released it is gone, and other runs are free", () => {
  const lock = lockRun("mine");
  expect(owner()).toMatchObject({ pid: process.pid, host: hostname() });
  expect(() => lockRun("mine")).toThrow(
    new RegExp(`run mine: expected .* process ${process.pid} on ${hostname()} since .*another --run`),
  );
  lockRun("other").release();
  lock.release();
  expect(existsSync(lockFile("mine"))).toBe(false);
  lockRun("mine").release();
});

test("the lock of a process that ended is taken over; of one that lives it is not", () => {
  const gone = spawnSync(process.execPath, ["-e", ""]).pid!;
  put({ pid: gone, host: hostname(), began: null, since: "then" });
  const lock = lockRun("mine");
  expect(owner().pid).toBe(process.pid);
  lock.release();

  const living = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"]);
  put({ pid: living.pid!, host: hostname(), began: null, since: "then" });
  expect(() => lockRun("mine")).toThrow(`process ${living.pid}`);
  // The same number, but another process than the one that wrote it: as after a restart of the machine.
  put({ pid: living.pid!, host: hostname(), began: "some-boot 17", since: "then" });
  lockRun("mine").release();
  living.kill();
});

test("of another machine nothing is known: refused, with the file to remove", () => {
  put({ pid: 1, host: "elsewhere", began: null, since: "then" });
  expect(() => lockRun("mine")).toThrow(/process 1 on elsewhere .* remove .*\.mine\.lock/);
  rmSync(lockFile("mine"));
});

test("an empty or torn lock holds for a moment only, and is not released by another", () => {
  put('{"pid": 1');
  expect(() => lockRun("mine")).toThrow(/just starting/);
  const old = new Date(Date.now() - 60_000);
  utimesSync(lockFile("mine"), old, old);
  const lock = lockRun("mine");
  put({ pid: 1, host: "elsewhere", began: null, since: "then" });
  lock.release();
  expect(owner().pid).toBe(1);
  rmSync(lockFile("mine"));
});
