// In: a run that was never stopped. Out: the same run on a disk that is full for a while; skipped where no small disk can be made.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { requireSame } from "./kills.mjs";
import { startTraining, trainToEnd } from "./process.mjs";

/** Full before the first step, in the first state, in a model that is kept, and near the end. */
const SIZES_KB = [300, 96, 700, 1200];

/** @param most of the sizes that are tried */
export async function checkFullDisk({ name, input, straight, attempt, count }, most) {
  const disk = path.join(path.dirname(straight.dir), "disk");
  mkdirSync(disk, { recursive: true });
  const mount = (options) => spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", disk]).status === 0;
  for (const size of SIZES_KB.slice(0, most)) {
    if (!mount(`size=${size}k`)) return console.log("  full disk: skipped, no tmpfs can be mounted here (root only)");
    await attempt(`${name}, a disk of ${size} KB`, async () => {
      const { code, signal, said } = await startTraining(disk, input).ended;
      if (code !== 1 || !/no space|full|ENOSPC/i.test(said))
        throw new Error(`expected exit code 1 and a word on the space, got ${code ?? signal}: ${said.slice(-700)}`);
      mount("remount,size=64m");
      await trainToEnd(disk, input, { extra: ["--resume"] });
      requireSame(straight, disk);
    });
    spawnSync("umount", [disk]);
    count.disk++;
  }
}
