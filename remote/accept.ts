// In: a model that came back, the probe texts and the scores the job gave them. Out: nothing, or the refusal: it scores otherwise here.
import { TokenStore } from "../lib/batching/tokenStore";
import { InputError } from "../lib/errors";
import type { LoadedModel } from "../lib/checkpoints/checkpoint";
import { createScorer } from "../lib/scoring/score";
import type { TokenRow } from "./jobFolder";
import { readSent } from "./record";

/** Largest difference of a probe text's two scores, both computed in f32. */
export const PROBE_TOLERANCE = 1e-3;

/** What was compared. */
export interface Acceptance {
  readonly texts: number;
  readonly difference: number;
}

/**
 * Scores the probe texts by our own engine and compares.
 *
 * @param told id and score of each, as the job says
 * @throws InputError where a score is missing, or further away than {@link PROBE_TOLERANCE}
 */
export async function acceptModel(
  { model, tokenizer }: LoadedModel,
  probeFile: string,
  told: readonly (readonly [string, number])[],
): Promise<Acceptance> {
  const rows = await readSent<TokenRow>(probeFile);
  const remote = new Map(told);
  const tokens = new TokenStore();
  for (const { input_ids } of rows) tokens.push(Uint32Array.from(input_ids));
  const scorer = createScorer(model, tokenizer.padId, { precision: "f32" });
  try {
    const scores = await scorer.score(tokens);
    let difference = 0;
    rows.forEach(({ id }, i) => {
      const theirs = remote.get(id) ?? NaN;
      const apart = Math.abs(theirs - scores[i]);
      if (!(apart <= PROBE_TOLERANCE)) {
        throw new InputError(
          `the checkpoint that came back: expected the score ${theirs} that the job gave probe text ${id}, got ${scores[i]} here; ` +
            "it is not accepted: a model that scores otherwise here cannot be evaluated here",
        );
      }
      difference = Math.max(difference, apart);
    });
    return { texts: rows.length, difference };
  } finally {
    scorer.dispose();
    tokens.close();
  }
}
