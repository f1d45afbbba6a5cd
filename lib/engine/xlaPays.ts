// In: how much work a graph will do. Out: whether compiling it with XLA saves more time than the compilation takes.

/** Share of a run that fusion saves; measured on the default encoder (32×128 trained: 1783 against 1539 ms of processor time; 16×512 scored: 1652 against 1199). */
const SAVED_SHARE = { training: 0.14, scoring: 0.27 };
/** Seconds that XLA takes for one more graph of such a model, on two cores. */
const COMPILE_SECONDS = { training: 2.5, scoring: 0.8 };
/** Products of a small server core, operations a second. */
const SPEED = 4e11;

/**
 * @param work.parameters weights that a token meets (embedding tables left out)
 * @param work.tokens     padded tokens over all runs of the graph
 * @param work.training   forward and backward, three times the operations of a forward pass
 */
export function xlaPays(work: {
  readonly parameters: number;
  readonly tokens: number;
  readonly training: boolean;
}): boolean {
  const kind = work.training ? "training" : "scoring";
  const operations = (work.training ? 6 : 2) * work.parameters * work.tokens;
  return (operations / SPEED) * SAVED_SHARE[kind] > COMPILE_SECONDS[kind];
}
