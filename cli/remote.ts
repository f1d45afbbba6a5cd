// rewardbook remote: the same training or scoring on a Ray cluster.
import type { Command } from "commander";
import { register as logs } from "./remoteLogs";
import { register as manifest } from "./remoteManifest";
import { register as score } from "./remoteScore";
import { register as status } from "./remoteStatus";
import { register as stop } from "./remoteStop";
import { register as train } from "./remoteTrain";

export function register(program: Command): void {
  const remote = program
    .command("remote")
    .description(
      "train or score on a Ray cluster, or on one GPU machine without one (--address local); a token goes into RAY_AUTH_TOKEN",
    );
  for (const add of [train, score, status, logs, stop, manifest]) add(remote);
}
