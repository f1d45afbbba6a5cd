// In: the findings of a check. Out: plain sentences, the gravest first, each with what to do.
import type { CheckReport } from "./report";
import { percent } from "../wording";

const percentOf = (part: number, whole: number): string => percent(part / Math.max(1, whole));
const many = (count: number, one: string, several = `${one}s`): string => `${count} ${count === 1 ? one : several}`;

/** Length alone decides more than this share: a model can score well by counting. */
const LENGTH_TELLS = 0.65;

export function warningsOf(report: Omit<CheckReport, "warnings">): string[] {
  const { pairs, lengths } = report;
  const out: string[] = [];
  const say = (when: boolean, text: () => string) => when && out.push(text());
  say(
    report.errors > 0,
    () => `${many(report.errors, "row is", "rows are")} at fault; mend them or pass --skip-bad-rows when training`,
  );
  say(pairs === 0, () => "not one pair is usable");
  for (const { path, exact, near } of report.contamination)
    say(
      exact + near > 0,
      () =>
        `${many(exact, "prompt")} of ${path} are among these pairs and ${near} nearly; a result on that file would be too good, take them out`,
    );
  for (const { path, exact, near } of report.splits)
    say(
      exact + near > 0,
      () =>
        `${many(exact, "prompt")} of ${path} are shared with this split and ${near} nearly; split again with rewardbook split --keep-near-duplicates`,
    );
  say(
    report.contradictions.count > 0,
    () =>
      `${many(report.contradictions.count, "pair of answers is", "pairs of answers are")} labelled both ways; keep one label or drop both`,
  );
  say(
    report.inverted_scores.count > 0,
    () =>
      `${many(report.inverted_scores.count, "pair has", "pairs have")} a chosen score below the rejected one; check which column is which`,
  );
  say(
    report.duplicates.count > 0,
    () =>
      `${many(report.duplicates.count, "pair repeats", "pairs repeat")} an earlier one (${percentOf(report.duplicates.count, pairs)}); they weigh double in training`,
  );
  say(report.one_sided_answers.pairs > 0, () => {
    const [{ chosen, rejected, prompts: asked }] = report.one_sided_answers.examples;
    return (
      `${many(report.one_sided_answers.pairs, "pair")} (${percentOf(report.one_sided_answers.pairs, pairs)}) with an answer that stands under many prompts and ` +
      `nearly always on one side (one of them under ${asked}: ${chosen} times chosen, ${rejected} rejected); the model can learn it by heart, so take it out or report results without it`
    );
  });
  say(
    report.left_out > 0,
    () => `${many(report.left_out, "row is", "rows are")} left out by rule: ${reasons(report.left_out_by_reason)}`,
  );
  const length = lengths.length_only_accuracy;
  say(
    pairs > 0 && (length > LENGTH_TELLS || length < 1 - LENGTH_TELLS),
    () =>
      `taking the ${length > 0.5 ? "longer" : "shorter"} answer is right in ${percent(Math.max(length, 1 - length))} of pairs; look at accuracy by length before trusting a model`,
  );
  say(
    report.near_duplicate_prompts.count > 0,
    () =>
      `${many(report.near_duplicate_prompts.count, "prompt resembles", "prompts resemble")} an earlier one; rewardbook split --keep-near-duplicates keeps them together`,
  );
  const noise = report.label_noise;
  if (noise && noise.estimate > 0.15)
    out.push(
      `about ${percent(noise.estimate)} of labels look wrong to a cross-validated judge; read the most suspicious pairs`,
    );
  return out;
}

const reasons = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(", ");
