// Out: what a run was made with, for `environment.json`.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import type { BackendInfo } from "../engine/backend";
import { projectPath } from "../files/paths";

function commit(): string | null {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], {
      cwd: projectPath(),
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return null; // not a checkout, or no git
  }
}

/** Versions, processor and memory. */
export function describeEnvironment(backend: BackendInfo): Record<string, unknown> {
  const packageFile = JSON.parse(readFileSync(projectPath("package.json"), "utf8"));
  return {
    rewardbook: packageFile.version,
    commit: commit(),
    node: process.version,
    platform: `${process.platform} ${process.arch} ${release()}`,
    processor: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memory_mb: Math.round(totalmem() / 2 ** 20),
    backend,
    dependencies: packageFile.dependencies,
  };
}
