// In: the steps and validations of a run as they happen. Out: plain warnings, each with what to try.
import {
  bestWindow,
  brokenNumbers,
  chanceAccuracy,
  driftingRewards,
  equalScores,
  explodingGradients,
  lossTrend,
  truncations,
} from "./stepChecks";
import { overfitting, riskCollapse, tooGood } from "./validationChecks";
import type { Warning } from "../runs/records";
import type { Finding, MonitoredStep, MonitoredValidation } from "./warning";

export type { MonitoredStep, MonitoredValidation } from "./warning";

export interface MonitorOptions {
  /** Share of training pairs of which an answer was cut. */
  readonly truncatedShare?: number;
  /** Largest such share without a warning. */
  readonly truncatedLimit?: number;
  /** Steps over which losses, accuracies and rewards are averaged. */
  readonly window?: number;
  /** Largest training minus validation accuracy. */
  readonly gapLimit?: number;
  /** A risk level collapses when it falls this far below its own best, or below ½ while the whole stands this far above. */
  readonly collapse?: number;
  readonly fewestPairs?: number;
}

export interface Monitor {
  onStep(record: MonitoredStep): Warning[];
  onValidation(record: MonitoredValidation): Warning[];
}

/** Watches a run. A warning is given once and again only after its cause has been gone for a while. */
export function createMonitor(options: MonitorOptions = {}): Monitor {
  const settings = {
    truncatedShare: 0,
    truncatedLimit: 0.1,
    window: 50,
    gapLimit: 0.1,
    collapse: 0.15,
    fewestPairs: 20,
    ...options,
  };
  const steps: MonitoredStep[] = [];
  const validations: MonitoredValidation[] = [];
  const active = new Set<string>();

  /** Keeps the findings that are new; a finding absent this time may be reported again. */
  const fresh = (scope: string, at: { step: number; epoch: number }, findings: readonly Finding[]): Warning[] => {
    const keys = findings.map(({ kind, subject }) => `${scope} ${kind} ${subject ?? ""}`);
    const found = findings.filter((_, i) => !active.has(keys[i]));
    for (const key of [...active]) if (key.startsWith(`${scope} `) && !keys.includes(key)) active.delete(key);
    for (const key of keys) active.add(key);
    return found.map(({ kind, message, advice }) => ({ kind, step: at.step, epoch: at.epoch, message, advice }));
  };

  return {
    onStep(record) {
      steps.push(record);
      const found = fresh("now", record, [...brokenNumbers(record), ...truncations(settings)]);
      // Averages move slowly: look once a window, so that one cause gives one warning.
      if (steps.length % settings.window !== 0) return found;
      const recent = steps.slice(-settings.window);
      const first = steps.slice(0, settings.window);
      return [
        ...found,
        ...fresh("window", record, [
          ...explodingGradients(recent, steps.slice(0, -settings.window)),
          // Before the third window the learning rate may still be warming up.
          ...(steps.length > 2 * settings.window ? lossTrend(first, recent, bestWindow(steps, settings.window)) : []),
          ...(steps.length > 2 * settings.window ? chanceAccuracy(recent) : []),
          ...equalScores(recent),
          ...driftingRewards(recent),
        ]),
      ];
    },
    onValidation(record) {
      const findings = [
        ...overfitting(record, validations, settings.gapLimit),
        ...riskCollapse(record, validations, settings),
      ];
      if (record.accuracy >= 0.99) findings.push(tooGood(record.accuracy));
      validations.push(record);
      return fresh("validation", record, findings);
    },
  };
}
