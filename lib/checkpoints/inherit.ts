// In: the model that training goes on from. Out: how it was told to make texts, and what a new run changes of that.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { findModel } from "./findModel";
import { readSettings, SETTINGS_FILE, type RewardbookSettings } from "./settings";

const FIELDS = ["template", "max_length", "truncation"] as const;
type Inherited = Pick<RewardbookSettings, (typeof FIELDS)[number]>;

function settingsOf(model: string | undefined): RewardbookSettings | null {
  if (model === undefined) return null;
  const dir = [model, join("models", model)].find((place) => existsSync(join(place, SETTINGS_FILE)));
  return dir === undefined ? null : readSettings(findModel(dir));
}

/** Template, length and truncation of a checkpoint made here: a run that goes on from it takes them unless told otherwise. */
export function inheritedSettings(model: string | undefined): Partial<Inherited> {
  const settings = settingsOf(model);
  if (settings === null) return {};
  const { template, max_length, truncation } = settings;
  return { template, max_length, truncation };
}

/** What a run takes over from its model, and what it changes, in sentences. */
export function inheritanceNotes(model: string | undefined, config: Inherited): string[] {
  const settings = settingsOf(model);
  if (settings === null) return [];
  const changed = FIELDS.filter((field) => config[field] !== settings[field]);
  const kept = FIELDS.filter((field) => config[field] === settings[field]);
  const value = (from: Inherited, field: (typeof FIELDS)[number]) => JSON.stringify(from[field]);
  return [
    ...(kept.length > 0
      ? [`texts as ${model} was trained: ${kept.map((field) => `${field} ${value(config, field)}`).join(", ")}`]
      : []),
    ...changed.map(
      (field) =>
        `warning: ${field}: ${model} was trained with ${value(settings, field)}, this run uses ${value(config, field)}`,
    ),
  ];
}
