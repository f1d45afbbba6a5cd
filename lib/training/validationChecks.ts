// In: a validation and those before it. Out: what is wrong with them.
import { digits, type Finding, type MonitoredValidation } from "./warning";
import { hundredths, percent } from "../wording";

export function overfitting(
  record: MonitoredValidation,
  earlier: readonly MonitoredValidation[],
  limit: number,
): Finding[] {
  const gap = record.train_accuracy - record.accuracy;
  const best = Math.min(...earlier.map((validation) => validation.val_loss));
  const last = earlier[earlier.length - 1];
  const growing = last !== undefined && gap > last.train_accuracy - last.accuracy;
  const seen = `training accuracy ${percent(record.train_accuracy)}, validation ${percent(record.accuracy)}`;
  const advice =
    "stop at the best checkpoint, train for fewer epochs, turn dropout on, raise weight_decay, freeze lower layers or add pairs";
  if (gap > limit) {
    return [
      {
        kind: "overfitting",
        message: `${seen}: a gap of ${hundredths(gap)} points${growing ? ", growing" : ""}`,
        advice,
      },
    ];
  }
  if (growing && record.val_loss > 1.1 * best) {
    const losses = `the validation loss rose from ${digits(best)} to ${digits(record.val_loss)}`;
    return [{ kind: "overfitting", message: `${losses} while the gap grows (${seen})`, advice }];
  }
  return [];
}

export function riskCollapse(
  record: MonitoredValidation,
  earlier: readonly MonitoredValidation[],
  { collapse, fewestPairs }: { readonly collapse: number; readonly fewestPairs: number },
): Finding[] {
  return Object.entries(record.acc_by_risk).flatMap(([risk, accuracy]): Finding[] => {
    const counted = record.n_by_risk ?? {};
    if (Object.hasOwn(counted, risk) && counted[risk] < fewestPairs) return [];
    const best = Math.max(
      ...earlier.map((validation) => (Object.hasOwn(validation.acc_by_risk, risk) ? validation.acc_by_risk[risk] : 0)),
      0,
    );
    const fell = best - accuracy > collapse;
    const behind = accuracy < 0.5 && record.accuracy - accuracy > collapse;
    if (!fell && !behind) return [];
    const seen = fell ? `fell from ${percent(best)} to ${percent(accuracy)}` : `is ${percent(accuracy)}, below chance,`;
    return [
      {
        kind: "risk-collapse",
        subject: risk,
        message: `accuracy on risk level ${risk} ${seen} while all pairs together reach ${percent(record.accuracy)}`,
        advice:
          "weight these pairs up (beta, confidence_penalty), add pairs of this level, or go back to an earlier checkpoint",
      },
    ];
  });
}

export function tooGood(accuracy: number): Finding {
  return {
    kind: "too-good",
    message: `validation accuracy is ${percent(accuracy)}: real preferences are not that clean`,
    advice:
      "look for a give-away (length, format, a phrase only one side has) and for questions in both splits with `rewardbook check`",
  };
}
