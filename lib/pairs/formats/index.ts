// All formats, the more particular before the more general; detection goes by the first rows.
import { InputError, UsageError } from "../../errors";
import type { Row } from "../containers/row";
import { argilla, argillaFeedback } from "./argilla";
import { conversational, swift } from "./conversational";
import type { PairFormat } from "./format";
import { anthropic, commonPrefix, stage3 } from "./implicit";
import { openAssistantMessages, openAssistantTree } from "./openAssistant";
import { original } from "./original";
import { alpaca, alpacaList, plain } from "./plain";
import { helpsteer, helpsteer3, helpsteerPreference, rankedCompletions, ultrafeedback } from "./ratings";
import { rewardBench, rewardBench2 } from "./rewardBench";

export const FORMATS: readonly PairFormat[] = [
  original,
  rewardBench,
  rewardBench2,
  rankedCompletions,
  ultrafeedback,
  helpsteer3,
  helpsteerPreference,
  helpsteer,
  openAssistantTree,
  openAssistantMessages,
  argilla,
  argillaFeedback,
  conversational,
  swift,
  plain,
  alpaca,
  alpacaList,
  stage3,
  anthropic,
  commonPrefix,
];

/** @throws UsageError when no format has this name. */
export function formatNamed(name: string): PairFormat {
  const format = FORMATS.find((candidate) => candidate.name === name || candidate.name.split(" ")[0] === name);
  if (!format)
    throw new UsageError(
      `format: expected one of ${FORMATS.map((f) => f.name).join(", ")}, got ${JSON.stringify(name)}`,
    );
  return format;
}

/** Rows that lack a field of a common format: naming the missing field by line helps more than a list of formats. */
function nearestFormat(rows: readonly Row[]): PairFormat | undefined {
  const any = (fields: readonly string[], least: number) =>
    rows.some((row) => fields.filter((field) => Object.hasOwn(row, field)).length >= least);
  if (any(["question_text", "preferred_answer", "rejected_answer"], 2)) return original;
  return any(["prompt", "chosen", "rejected"], 2) ? plain : undefined;
}

/**
 * The format that most of the rows match (the first in order where several do).
 *
 * @throws InputError naming the columns found and the ones each format needs.
 */
export function detectFormat(rows: readonly Row[], path: string): PairFormat {
  const counts = new Map<PairFormat, number>();
  for (const row of rows) {
    const format = FORMATS.find((candidate) => candidate.matches(row));
    if (format) counts.set(format, (counts.get(format) ?? 0) + 1);
  }
  let best: PairFormat | undefined;
  for (const format of FORMATS) if ((counts.get(format) ?? 0) > (best ? counts.get(best)! : 0)) best = format;
  best ??= nearestFormat(rows);
  if (best) return best;
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].slice(0, 20);
  const known = FORMATS.map((format) => `  ${format.name}: ${format.reads}`).join("\n");
  throw new InputError(
    `${path}: expected the fields of a known pair format, got ${columns.length > 0 ? columns.join(", ") : "rows without fields"}; ` +
      `rename the fields to one of\n${known}`,
  );
}
