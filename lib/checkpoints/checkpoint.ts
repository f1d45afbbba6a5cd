// In: checkpoint directories. Out: models loaded and saved, and the newest directory that is whole.
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { MANIFEST, recoverDirectory, verifyDirectory } from "../files/atomic";

export { loadRewardModel, padTokenId, textPositions, type LoadedModel, type LoadOptions } from "./loadCheckpoint";
export { loadScoringModel, type ScoringModelOptions, type TextSettings } from "./loadScoringModel";
export { isEnsemble, readEnsemble, writeEnsemble, type EnsembleFile, type EnsembleSource } from "./ensemble";
export { pythonExample } from "./pythonExample";
export { saveRewardModel, type SaveOptions } from "./saveCheckpoint";
export { settingsSchema, type RewardbookSettings } from "./settings";

/** @returns null when the checkpoint is as it was written, else what is wrong with it */
export function verifyCheckpoint(dir: string): Promise<string | null> {
  return verifyDirectory(dir);
}

/**
 * The newest checkpoint that is as it was written, by the time its manifest was; null when there is none.
 *
 * @param dirs   candidates; those that do not exist are passed over
 * @param onSkip told of every newer one that is damaged or torn
 */
export async function findVerified(
  dirs: readonly string[],
  onSkip: (dir: string, why: string) => void = () => {},
): Promise<string | null> {
  const candidates: { dir: string; time: number }[] = [];
  for (const dir of dirs) {
    await recoverDirectory(dir);
    if (existsSync(dir))
      candidates.push({
        dir,
        time: await stat(join(dir, MANIFEST)).then(
          (info) => info.mtimeMs,
          () => Infinity,
        ),
      });
  }
  for (const { dir } of candidates.sort((a, b) => b.time - a.time)) {
    const why = await verifyDirectory(dir);
    if (why === null) return dir;
    onSkip(dir, why);
  }
  return null;
}
