// The file of several seeds of one configuration (`metrics/RUN/seeds.json`): a schema, of which the writer's type is made.
import { z } from "zod";
import { interval, measured } from "./fields";

const seed = z.object({
  seed: z.number(),
  /** metrics/RUN and checkpoints/RUN of this seed. */
  run: z.string(),
  accuracy: z.number(),
  accuracy_ci95: interval,
});
export const seedsFile = z.object({
  run: z.string(),
  /** The seed's run that is kept as the run itself. */
  best: z.string(),
  n_pairs: z.number(),
  n_prompts: z.number(),
  /** Mean over seeds; `sd` between them; the interval is for another draw of seeds and prompts. */
  accuracy: z.object({
    mean: z.number(),
    sd: z.number(),
    ci95: interval,
    standard_error: measured,
    degrees_of_freedom: measured,
  }),
  seeds: z.array(seed).min(1),
  /** Mean score of all seeds, on the same pairs. */
  ensemble: z.object({
    checkpoint: z.string(),
    accuracy: z.number(),
    accuracy_ci95: interval,
    loss: z.number(),
    ece_symmetric: z.number(),
    temperature: z.number(),
  }),
});
export type SeedsFile = Readonly<z.output<typeof seedsFile>>;
