// In: a run that was never stopped. Out: the same run interrupted by signals, and with readers that went away.
import { mkdirSync } from "node:fs";
import path from "node:path";
import { requireSame } from "./kills.mjs";
import { startTraining, trainToEnd } from "./process.mjs";

const CODES = { SIGINT: 130, SIGTERM: 143 };

export async function checkSignals({ name, input, straight, attempt, count }) {
  for (const [signal, expected] of Object.entries(CODES)) {
    const dir = path.join(path.dirname(straight.dir), signal);
    mkdirSync(dir, { recursive: true });
    await attempt(`${name}, ${signal}`, async () => {
      const environment = { CHAOS_SIGNAL: signal, CHAOS_SIGNAL_AT: String(Math.floor(straight.writes / 2)) };
      const { code, said } = await startTraining(dir, input, { environment }).ended;
      if (code !== expected) throw new Error(`expected exit code ${expected}, got ${code}: ${said.slice(-500)}`);
      await trainToEnd(dir, input, { extra: ["--resume"] });
      requireSame(straight, dir);
    });
    count.signals++;
  }
  const dir = path.join(path.dirname(straight.dir), "unread");
  mkdirSync(dir, { recursive: true });
  await attempt(`${name}, nobody reads its output`, async () => {
    const { child, ended } = startTraining(dir, input);
    child.stderr.destroy();
    child.stdout.destroy();
    const { code } = await ended;
    if (code !== 0) throw new Error(`expected exit code 0, got ${code}`);
    requireSame(straight, dir);
  });
  count.signals++;
}
