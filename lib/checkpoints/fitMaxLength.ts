// In: a configuration that names a model and a maximum length. Out: the same with a length that the model reads.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readJsonFile } from "../files/json";
import { parseModelConfig } from "../models/config";
import { findModel } from "./findModel";
import { textPositions } from "./loadCheckpoint";

/** The configuration with its maximum length, or the model's own where that is smaller. */
export function fitMaxLength<T extends { readonly model?: string; readonly max_length: number }>(
  config: T,
  say: (text: string) => void,
): T {
  const path = join(findModel(config.model), "config.json");
  if (!existsSync(path)) return config; // loading the model says so
  const positions = textPositions(parseModelConfig(readJsonFile(path), path));
  if (config.max_length <= positions) return config;
  say(`max_length: ${config.max_length} is more than the model's ${positions} positions; using ${positions}`);
  return { ...config, max_length: positions };
}
