// In: a run that is the best of several seeds. Out: the sentence and the section that say what all of them reached.
import type { RunRecord } from "../../runs/runFiles";
import { hundredths, percent } from "../../wording";
import { html, tableOf } from "../markup";
import type { Section } from "./sections";

const interval = ([low, high]: readonly [number, number]) => `${percent(low)} to ${percent(high)}`;

/** For the front page: the figures below are of the luckiest seed. Empty for a run of its own. */
export function seedsSentence({ seeds }: RunRecord): string {
  if (!seeds) return "";
  const { accuracy, seeds: all, best } = seeds.file;
  const spread = `${percent(accuracy.mean)} ± ${hundredths(accuracy.sd)} points between seeds`;
  return `This is ${best}, the best of ${all.length} seeds by its validation pairs, so its own accuracy on them is too good. All seeds together reach ${spread} (95% interval ${interval(accuracy.ci95)} for another draw of pairs and seeds).`;
}

export function seedsSection({ seeds }: RunRecord): Section | null {
  if (!seeds) return null;
  const { accuracy, seeds: all, ensemble, n_pairs, n_prompts } = seeds.file;
  const rows = all.map(({ seed, run, accuracy: own, accuracy_ci95 }) => [
    String(seed),
    run,
    percent(own),
    interval(accuracy_ci95),
  ]);
  const body = html`<p class="lead">
      Mean accuracy ${percent(accuracy.mean)}, standard deviation between seeds ${hundredths(accuracy.sd)} points; 95%
      interval ${interval(accuracy.ci95)}, which holds another draw of pairs and of seeds alike.
    </p>
    ${tableOf(
      `Each seed on the same ${n_pairs.toLocaleString("en")} validation pairs (${n_prompts.toLocaleString("en")} prompts)`,
      [{ head: "seed" }, { head: "run" }, { head: "accuracy", number: true }, { head: "95% interval, pairs alone" }],
      rows,
    )}
    <p>
      The ensemble (mean reward of all seeds) is right in ${percent(ensemble.accuracy)}
      (${interval(ensemble.accuracy_ci95)}), with a loss of ${ensemble.loss.toFixed(4)} and a symmetric calibration
      error of ${ensemble.ece_symmetric.toFixed(4)}. It lies in <code>${ensemble.checkpoint}</code>;
      <code>rewardbook score --uncertainty</code> tells how far its models differ about a pair.
    </p>`;
  return { id: "seeds", title: `${all.length} seeds`, body };
}
