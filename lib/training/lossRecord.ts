// In: a configuration. Out: the constants of its loss, as rewardbook.json keeps them.
import type { TrainingConfig } from "../config";

/** Read again by `lossSettings`. */
export const lossRecord = ({ loss, beta, label_smoothing, centering, margin }: TrainingConfig) => ({
  kind: loss,
  beta,
  label_smoothing,
  centering,
  margin,
});
