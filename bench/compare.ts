// In: our side and the other sides of one comparison. Out: medians of interleaved units, after checking that all did the same work.
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { join, resolve } from "node:path";
import { projectPath } from "../lib/files/paths";

export interface Side {
  readonly label: string;
  /** `step.js` beside this file, or `python/step.py`. */
  readonly program: string;
  readonly settings: Record<string, unknown>;
}

export type Unit = {
  readonly ms: number;
  readonly since_start_ms?: number;
  readonly tokens: number;
  readonly updates?: number;
  readonly loss?: number;
} & Record<string, number>;

export interface Measured {
  readonly label: string;
  readonly medianMs: number;
  readonly minMs: number;
  readonly allMs: readonly number[];
  /** The first unit, compilation included, and the process's age when it ended. */
  readonly firstMs: number;
  readonly peakMb: number;
  readonly first: Unit;
  readonly last: Unit;
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** The Python with torch, transformers and TRL. */
export function referencePython(): string {
  const found =
    process.env.RB_REFERENCE_PYTHON ??
    resolve(projectPath(), process.env.RB_REFERENCE ?? ".cache/reference", "bin", "python");
  if (!existsSync(found))
    throw new Error(
      `bench: expected the Python reference at ${found}, got none; run node scripts/reference.mjs --setup, or set RB_REFERENCE_PYTHON`,
    );
  return found;
}

/** A running side: answers each request with one message. */
class Worker {
  private readonly child: ChildProcess;
  private readonly waiting: { resolve: (message: Record<string, number>) => void; reject: (error: Error) => void }[] =
    [];
  private readonly inbox: Record<string, number>[] = [];
  private failure: Error | null = null;
  private readonly errors: string[] = [];

  constructor(readonly side: Side) {
    const python = side.program.endsWith(".py");
    const script = python ? projectPath("bench", side.program) : join(__dirname, side.program);
    const environment = { ...process.env, TF_CPP_MIN_LOG_LEVEL: "3", HF_HUB_OFFLINE: "1", PYTHONWARNINGS: "ignore" };
    this.child = spawn(python ? referencePython() : process.execPath, [script, JSON.stringify(side.settings)], {
      stdio: ["pipe", "pipe", "pipe"],
      env: environment,
    });
    createInterface({ input: this.child.stdout! }).on("line", (line) => {
      if (!line.startsWith("@")) return;
      const message = JSON.parse(line.slice(1));
      const reader = this.waiting.shift();
      if (reader) reader.resolve(message);
      else this.inbox.push(message);
    });
    this.child.stderr!.on("data", (text) => this.errors.push(String(text)));
    this.child.on("exit", () => {
      this.failure = new Error(
        `bench: ${side.label} ended early:\n${this.errors.join("").split("\n").slice(-12).join("\n")}`,
      );
      for (const { reject } of this.waiting.splice(0)) reject(this.failure);
    });
  }

  next(request?: "go" | "quit"): Promise<Record<string, number>> {
    if (request && !this.failure) this.child.stdin!.write(`${request}\n`);
    const message = this.inbox.shift();
    if (message) return Promise.resolve(message);
    if (this.failure) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  kill(): void {
    this.child.kill();
  }
}

/**
 * Runs the sides in turn, unit by unit: a change of the machine's mood meets all of them. One unit each warms up, alone
 * from the start of its process.
 *
 * @param options.tolerance largest relative difference of the losses, where the sides report one
 * @param options.judged    which unit's losses are compared: the last, or, where units go on training over the same pairs
 *   in another order and drift apart, the first
 * @throws when a side did other work: tokens, updates or loss
 */
export async function compare(
  sides: readonly Side[],
  options: { units: number; tolerance: number; judged?: "first" | "last" },
): Promise<Measured[]> {
  const workers: Worker[] = [];
  try {
    const units: Unit[][] = sides.map(() => []);
    for (const [i, side] of sides.entries()) {
      workers.push(new Worker(side));
      await workers[i].next(); // ready
      units[i].push((await workers[i].next("go")) as Unit);
    }
    for (let round = 0; round < options.units; round++)
      for (const [i, worker] of workers.entries()) units[i].push((await worker.next("go")) as Unit);
    const peaks: number[] = [];
    for (const worker of workers) peaks.push((await worker.next("quit")).peak_mb);
    checkEqualWork(sides, units, options.tolerance, options.judged ?? "last");
    return sides.map(({ label }, i) => {
      const [first, ...counted] = units[i];
      const allMs = counted.map(({ ms }) => ms);
      return {
        label,
        allMs,
        first,
        last: counted.at(-1)!,
        medianMs: median(allMs),
        minMs: Math.min(...allMs),
        firstMs: first.ms,
        peakMb: peaks[i],
      };
    });
  } finally {
    for (const worker of workers) worker.kill();
  }
}

function checkEqualWork(
  sides: readonly Side[],
  units: readonly Unit[][],
  tolerance: number,
  judged: "first" | "last",
): void {
  const [ours] = units;
  const unit = judged === "first" ? 0 : -1;
  const times = (i: number) =>
    `${sides[i].label}: ${units[i]
      .slice(1)
      .map(({ ms }) => ms.toFixed(0))
      .join(", ")} ms`;
  const fail = (i: number, what: string, a: number | undefined, b: number | undefined) => {
    throw new Error(
      `bench: expected equal work, got ${what} ${a} for ${sides[0].label} and ${b} for ${sides[i].label} (${times(0)}; ${times(i)})`,
    );
  };
  units.slice(1).forEach((theirs, k) => {
    for (const field of ["tokens", "updates", "pairs", "texts", "parameters"])
      if (ours[0][field] !== undefined && theirs[0][field] !== undefined && ours[0][field] !== theirs[0][field])
        fail(k + 1, field, ours[0][field], theirs[0][field]);
    for (const field of ["loss", "margin"]) {
      const [a, b] = [ours.at(unit)![field], theirs.at(unit)![field]];
      if (a === undefined || b === undefined) continue;
      if (!(Math.abs(a - b) <= tolerance * Math.max(Math.abs(b), 0.1))) fail(k + 1, `${judged} ${field}`, a, b);
    }
  });
}
