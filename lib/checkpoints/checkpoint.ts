// In: checkpoint directories. Out: models loaded and saved, and the newest directory that is whole.
import { existsSync } from "node:fs";
import { verifyDirectory } from "../files/atomic";
import { recoverDirectory } from "../files/directory";

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
 * The first checkpoint that is as it was written; null when there is none. What a clock says of them is not asked: a copy of a
 * run has other times.
 *
 * @param dirs   candidates, the newest first; those that do not exist are passed over
 * @param onSkip told of every newer one that is damaged or torn
 */
export async function findVerified(
  dirs: readonly string[],
  onSkip: (dir: string, why: string) => void = () => {},
): Promise<string | null> {
  for (const dir of dirs) {
    await recoverDirectory(dir);
    if (!existsSync(dir)) continue;
    const why = await verifyDirectory(dir);
    if (why === null) return dir;
    onSkip(dir, why);
  }
  return null;
}
