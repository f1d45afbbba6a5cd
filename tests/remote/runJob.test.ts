// A job of this machine that is no Python: what it prints, a log that cannot be written, and what stops it.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { resolveRemote, remoteSchema } from "../../remote/settings";
import { readSent } from "../../remote/record";
import { runJob } from "../../remote/runJob";

const folder = mkdtempSync(join(tmpdir(), "run-job-"));
afterAll(() => rmSync(folder, { recursive: true }));
const python = join(folder, "python");

function start(script: string, signal: AbortSignal, logFile = join(folder, "job.log")) {
  writeFileSync(python, `#!/bin/sh\n${script}\n`);
  chmodSync(python, 0o755);
  const said: string[] = [];
  const done = runJob({
    submission_id: "rewardbook-test-a1",
    settings: resolveRemote(remoteSchema, { address: "local", python }),
    folder,
    metadata: {},
    logFile,
    ways: { back: "come back", again: "do it again", stop: "stop it" },
    onEvent: () => {},
    say: (text) => said.push(text),
    signal,
  });
  return { done, said };
}

it("a log that cannot be written is told once and does not end the job", async () => {
  const script = `for i in 1 2 3; do echo "line $i"; sleep 0.1; done; echo 'rewardbook {"event":"done","rows":3}'`;
  const { done, said } = start(script, new AbortController().signal, "/dev/full");
  expect(await done).toMatchObject({ event: "done", rows: 3 });
  expect(said).toEqual([expect.stringMatching(/^\/dev\/full: no space is left.*goes on without its log$/)]);
});

it("what stopped it is known to whoever waits: the exit code depends on it", async () => {
  const stop = new AbortController();
  const { done } = start("exec sleep 20", stop.signal);
  setTimeout(() => stop.abort("SIGTERM"), 200);
  await expect(done).rejects.toMatchObject({ name: "Interrupted", cause: "SIGTERM" });
});

it("rows that were kept are read whole, line separators and all, and a torn one is named", async () => {
  const path = join(folder, "val.jsonl");
  const rows = [
    { id: "a", prompt: "one\u2028two\u2029three" },
    { id: "b", prompt: "\u0085" },
  ];
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  expect(await readSent(path)).toEqual(rows);
  for (const torn of ['{"id":"c","pro', "null", "3", '{"id":3}']) {
    writeFileSync(path, `${JSON.stringify(rows[0])}\n${torn}\n`);
    await expect(readSent(path)).rejects.toThrow(`${path} line 2: expected a row as it was sent`);
  }
});
