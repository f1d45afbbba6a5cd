// A Ray head on the loopback interface, from the reference environment; its processes and its storage (below TMPDIR) end with it.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { connectTo } from "../../remote/connection";
import { openHead } from "../../remote/head";

export interface RayCluster {
  readonly address: string;
  /** Kills a process of an actor whose class name contains `name`. @returns false where there is none */
  killActor(name: string): boolean;
  close(): Promise<void>;
}

const ENVIRONMENT = process.env.RB_REFERENCE ?? join(__dirname, "..", "..", ".cache", "reference");
export const PYTHON = join(ENVIRONMENT, "bin", "python");
/** Ray's own limit on the paths of its sockets is about a hundred bytes. */
const SHORT_FOLDER = join(tmpdir(), "rb-ray-");
const STARTS_WITHIN_MS = 90_000;

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.on("listening", resolve))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** What a process calls itself; empty where it has ended. */
function titleOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

/** All processes: the state interface of the head is too slow for an actor that lives two seconds. */
function processes(): { pid: number; parent: number; title: string }[] {
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    const title = Number.isInteger(pid) ? titleOf(pid) : "";
    if (title === "") return [];
    try {
      const parent = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
      return [{ pid, parent, title }];
    } catch {
      return [];
    }
  });
}

/** @param cpus workers that fit on it */
export async function startRay(cpus: number): Promise<RayCluster> {
  const folder = mkdtempSync(SHORT_FOLDER);
  const [port, dashboard, client, agent] = await freePorts(4);
  const log = join(folder, "ray.log");
  const flags = {
    "--port": port,
    "--dashboard-port": dashboard,
    "--ray-client-server-port": client,
    "--dashboard-agent-listen-port": agent,
    "--min-worker-port": 0,
    "--max-worker-port": 0,
    "--dashboard-host": "127.0.0.1",
    "--node-ip-address": "127.0.0.1",
    "--temp-dir": folder,
    "--num-cpus": cpus,
    "--object-store-memory": 100_000_000,
  };
  const words = Object.entries(flags).flatMap(([name, value]) => [name, String(value)]);
  const output = openSync(log, "w");
  const ray: ChildProcess = spawn(PYTHON, ["-m", "ray.scripts.scripts", "start", "--head", "--block", ...words], {
    stdio: ["ignore", output, output],
    env: {
      ...process.env,
      TMPDIR: folder,
      PATH: `${join(ENVIRONMENT, "bin")}:${process.env.PATH}`,
      RAY_USAGE_STATS_ENABLED: "0",
    },
  });
  const ended = new Promise<void>((resolve) => ray.on("close", () => resolve()).on("error", () => resolve()));
  const address = `http://127.0.0.1:${dashboard}`;
  const connection = connectTo(address);
  const head = openHead(connection, { tries: 1, firstWaitMs: 1, silenceMs: 5000 });
  const close = async () => {
    ray.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + STARTS_WITHIN_MS;
  while ((await head.version().catch(() => null)) === null) {
    if (Date.now() > deadline || ray.pid === undefined || ray.exitCode !== null) {
      const said = readFileSync(log, "utf8").slice(-2000);
      await close();
      throw new Error(`ray start: expected a head within ${STARTS_WITHIN_MS / 1000} s, got ${said}`);
    }
    await wait(500);
  }
  const killActor = (name: string) => {
    const found = processes().find(
      ({ title, parent }) => title.startsWith("ray::") && title.includes(name) && titleOf(parent).includes(folder),
    );
    if (found) process.kill(found.pid, "SIGKILL");
    return found !== undefined;
  };
  return { address, killActor, close };
}
