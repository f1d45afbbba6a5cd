// In: a model and how many tokens a graph will meet. Out: whether compiling the graph with XLA pays.
import { xlaPays } from "../engine/xlaPays";
import { fusesLayers } from "./attention";
import { countParameters, embeddingSize, type RewardModel } from "./rewardModel";

/** Seen once for a model: the answer for each graph, by the padded tokens over all its runs. */
export function graphsWorthFusing(
  model: RewardModel,
  { training, withDropout = false }: { readonly training: boolean; readonly withDropout?: boolean },
): (tokens: number) => boolean {
  if (fusesLayers(model, withDropout)) return () => false;
  const parameters = countParameters(model) - embeddingSize(model);
  return (tokens) => xlaPays({ parameters, tokens, training });
}
