// In: the log of a run that goes on. Out: a monitor that has seen what the log holds, and the warnings given so far.
import type { PreferencePair } from "../pairs/pair";
import { readLog } from "../runs/runFiles";
import type { Warning } from "../runs/records";
import { isBroken } from "./divergence";
import type { Monitor } from "./monitor";

/**
 * Shows a monitor the steps and validations of a log, so that it gives no warning a second time.
 *
 * @throws InputError naming file and line where the log cannot be read
 */
export function replayLog(monitor: Monitor, metricsDir: string, val: readonly PreferencePair[]): Warning[] {
  const { steps, epochs, validations, warnings } = readLog(metricsDir);
  for (const step of steps) if (!isBroken(step.loss, step.grad_norm)) monitor.onStep(step);
  const risks = new Map<string, number>();
  for (const { riskLevel } of val) risks.set(riskLevel, (risks.get(riskLevel) ?? 0) + 1);
  const n_by_risk = Object.fromEntries(risks);
  const seen = [...epochs, ...validations].sort((a, b) => a.step - b.step);
  for (const validation of seen) monitor.onValidation({ ...validation, n_by_risk });
  return warnings;
}
