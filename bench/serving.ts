// In: real pairs. Out: the score server under load beside the offline scorer and beside FastAPI with transformers.
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { currentBackend } from "../lib/engine/backend";
import { loadRewardModel } from "../lib/checkpoints/checkpoint";
import { projectPath } from "../lib/files/paths";
import { scoreTexts, type ScoreItem } from "../lib/scoring/score";
import type { Row } from "./comparison";
import { referencePython } from "./compare";
import type { Job } from "./job";
import { closedLoad, openLoad, type Expected, type Seen } from "./load";
import { memoryMb } from "./serve";

export interface Serving {
  readonly texts: number;
  /** Texts a second of the offline scorer, of its second round. */
  readonly offline: number;
  readonly coldStartSeconds: number;
  readonly closed: Seen;
  /** Memory of both processes through the closed load, MB. */
  readonly memory: { readonly early: number; readonly late: number };
  /** At five times the rate of the closed load. */
  readonly overload: Seen;
  /** The closed load in bf16; null where the processor has none. */
  readonly half: Seen | null;
  /** Null where the Python reference or FastAPI is missing. */
  readonly fastapi: Seen | null;
}

const CONNECTIONS = 64;
const OVERLOAD = 5;
const MINUTE = 60;
const PAIRS = { whole: 256, quick: 64 };
const PORT = 8931;
/** With 64 clients the queue is longer than the default lets it be on a slow machine: none of them is to be turned away. */
const PATIENT = ["--max-wait-seconds", "30"];
const OURS = 1e-5;
const THEIRS = 1e-4;
/** What bf16 products may move a score. */
const HALF = 1e-2;

/** @param seconds of the closed load, whose memory is watched; the other loads are of a minute at most */
export async function measureServing(job: Job, seconds: number, quick: boolean): Promise<Serving> {
  const model = await job.model();
  const all = JSON.parse(
    readFileSync((await job.pairs(quick ? PAIRS.quick : PAIRS.whole, 512)).items, "utf8"),
  ) as ScoreItem[];
  const items = [...new Map(all.map((item) => [`${item.prompt}\0${item.response}`, item])).values()];
  const { scores, perSecond: offline } = await offlineScores(model, items);
  const expected: Expected = { items, scores, tolerance: OURS };

  const patient = await startOurs(model, PATIENT);
  await closedLoad(patient.url, expected, CONNECTIONS, Math.min(15, seconds)); // graphs are fused meanwhile
  const early = patient.memory();
  const closed = await closedLoad(patient.url, expected, CONNECTIONS, seconds);
  const late = patient.memory();
  console.log("  64 clients", JSON.stringify({ offline, ...closed, early, late }));
  await patient.stop();

  const short = Math.min(MINUTE, seconds);
  const usual = await startOurs(model, []);
  await closedLoad(usual.url, expected, 16, Math.min(10, short));
  const overload = await openLoad(usual.url, expected, OVERLOAD * closed.perSecond, short);
  console.log("  overload", JSON.stringify(overload));
  await usual.stop();
  const half = currentBackend().bf16 ? await halfLoad(model, { ...expected, tolerance: HALF }, short) : null;
  const fastapi = await measureFastapi(model, { ...expected, tolerance: THEIRS }, short);
  const coldStartSeconds = patient.coldStartSeconds;
  return { texts: items.length, offline, coldStartSeconds, closed, memory: { early, late }, overload, half, fastapi };
}

/** The closed load of a server that computes in bf16. */
async function halfLoad(model: string, expected: Expected, seconds: number): Promise<Seen> {
  const server = await startOurs(model, [...PATIENT, "--precision", "bf16"]);
  await closedLoad(server.url, expected, CONNECTIONS, Math.min(15, seconds));
  const seen = await closedLoad(server.url, expected, CONNECTIONS, seconds);
  console.log("  64 clients, bf16", JSON.stringify(seen));
  await server.stop();
  return seen;
}

/** Scores and speed of what `rewardbook score` does. */
async function offlineScores(
  model: string,
  items: readonly ScoreItem[],
): Promise<{ scores: Float64Array; perSecond: number }> {
  const loaded = await loadRewardModel(model);
  await scoreTexts(loaded, items);
  const started = performance.now();
  const scores = await scoreTexts(loaded, items);
  const perSecond = (1000 * items.length) / (performance.now() - started);
  loaded.model.dispose();
  return { scores, perSecond };
}

async function startOurs(model: string, flags: readonly string[]) {
  const started = performance.now();
  const words = ["serve", "--checkpoint", model, "--port", "0", "--json", ...flags];
  const child = spawn(process.execPath, [projectPath("bin", "rewardbook.cjs"), ...words], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await new Promise<string[]>((resolve, reject) => {
    createInterface({ input: child.stdout! }).once("line", (text) => resolve([text]));
    child.once("exit", (code) => reject(new Error(`bench: rewardbook serve ended with ${code}`)));
  });
  const { url } = JSON.parse(line) as { url: string };
  const coldStartSeconds = (performance.now() - started) / 1000;
  const children = () =>
    readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").split(" ").filter(Boolean);
  const memory = () => [child.pid!, ...children().map(Number)].reduce((sum, pid) => sum + memoryMb("VmRSS", pid), 0);
  return { url, coldStartSeconds, memory, stop: () => end(child) };
}

const end = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
  });

/** The packages beside torch and transformers: pip install --target .cache/fastapi fastapi uvicorn */
const fastapiHome = () => projectPath(".cache", "fastapi");

async function measureFastapi(model: string, expected: Expected, seconds: number): Promise<Seen | null> {
  if (!existsSync(fastapiHome())) {
    console.error(
      "serve: FastAPI left out: pip install --target .cache/fastapi fastapi uvicorn, with the reference's Python",
    );
    return null;
  }
  const program = projectPath("bench", "python", "fastapi_score.py");
  const env = { ...process.env, PYTHONPATH: fastapiHome(), HF_HUB_OFFLINE: "1", PYTHONWARNINGS: "ignore" };
  const child = spawn(referencePython(), [program, model, String(PORT)], {
    stdio: ["ignore", "ignore", "inherit"],
    env,
  });
  const url = `http://127.0.0.1:${PORT}`;
  while (
    !(await fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null) throw new Error("bench: FastAPI's server ended before it was ready");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const seen = await closedLoad(url, expected, CONNECTIONS, seconds);
  await end(child);
  return seen;
}

/** The lines of the table. */
export function servingRows({ offline, coldStartSeconds, closed, memory, overload, half, fastapi }: Serving): Row[] {
  const alone = { against: "–", theirs: null } as const;
  const faults = (seen: Seen) =>
    seen.wrong +
    Object.entries(seen.statuses).reduce(
      (sum, [status, count]) => sum + (status[0] === "5" || status === "0" ? count : 0),
      0,
    );
  const work = `score server, ${CONNECTIONS} clients, f32`;
  const besideFastapi = (row: string, { perSecond }: Seen): Row[] =>
    fastapi
      ? [
          {
            work: row,
            against: "FastAPI with transformers, f32",
            target: 4,
            unit: "texts/s",
            ours: perSecond,
            theirs: fastapi.perSecond,
            bound: "ratio at least",
          },
        ]
      : [];
  return [
    {
      work,
      against: "offline scorer",
      target: 0.9,
      unit: "texts/s",
      ours: closed.perSecond,
      theirs: offline,
      bound: "ratio at least",
    },
    ...besideFastapi(work, closed),
    ...(half ? besideFastapi(`score server, ${CONNECTIONS} clients, bf16`, half) : []),
    {
      ...alone,
      work: `${work}: wrong scores and 5xx`,
      target: 0,
      unit: "",
      ours: faults(closed) + faults(overload) + (half ? faults(half) : 0),
      bound: "at most",
    },
    { ...alone, work: `${work}: slowest /health`, target: 50, unit: "ms", ours: closed.health, bound: "at most" },
    {
      ...alone,
      work: `score server at ${OVERLOAD} times its capacity: p99 of what is served`,
      target: 2000,
      unit: "ms",
      ours: overload.p99,
      bound: "at most",
    },
    { ...alone, work: "score server: cold start", target: 5, unit: "s", ours: coldStartSeconds, bound: "at most" },
    {
      work: "score server: memory after the load",
      against: "before it",
      target: 1.05,
      unit: "MB",
      ours: memory.late,
      theirs: memory.early,
      bound: "ratio at most",
    },
  ];
}
