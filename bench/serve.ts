// In: a function that does one unit of work. Out: a process that does it when told to and reports, one JSON line each.
// bench/python/side.py is the same for the other side.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

/** What a unit did: the runner compares these between the sides. */
export interface Done {
  readonly tokens: number;
  readonly updates?: number;
  readonly loss?: number;
  readonly [more: string]: number | undefined;
}

/** A process's memory now (VmRSS) or at most (VmHWM), MB; of it alone: getrusage would begin with the memory of the process that started it. */
export const memoryMb = (field: "VmRSS" | "VmHWM", pid: number | "self" = "self"): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;

const say = (message: unknown) => process.stdout.write(`\n@${JSON.stringify(message)}\n`);

/** Settings come as JSON in the first argument; `go` on standard input starts a unit, the end of input the farewell. */
export async function serve<S>(setup: (settings: S) => Promise<() => Promise<Done> | Done>): Promise<void> {
  const unit = await setup(JSON.parse(process.argv[2]) as S);
  say({ ready: true, since_start_ms: process.uptime() * 1000 });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() !== "go") break;
    const start = performance.now();
    const done = await unit();
    say({ ms: performance.now() - start, since_start_ms: process.uptime() * 1000, ...done });
  }
  say({ peak_mb: memoryMb("VmHWM") });
  process.exit(0);
}
