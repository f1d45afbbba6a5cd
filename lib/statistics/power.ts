// In: the error of a difference. Out: how surely a true difference of a given size would be seen, and what size or how many prompts that takes.
import { incompleteBeta, logGamma, normalCdf, studentQuantile } from "./distributions";
import { varianceOf, type CrossedEstimate } from "./crossed";

/** Beyond this noncentrality the tail is 1 to double precision, whatever the degrees of freedom asked for here. */
const CERTAIN = 38;

/**
 * Distribution function of the noncentral t.
 *
 *   P(T ≤ t) = Φ(−δ) + ½ Σ_j [p_j I_x(j+½, ν/2) + q_j I_x(j+1, ν/2)],   x = t²/(ν+t²),   t ≥ 0
 *
 * Reference: Lenth (1989), Algorithm AS 243; equals `scipy.stats.nct.cdf`.
 */
export function noncentralStudentCdf(t: number, degrees: number, noncentrality: number): number {
  if (t < 0) return 1 - noncentralStudentCdf(-t, degrees, -noncentrality);
  const half = noncentrality ** 2 / 2;
  const x = t ** 2 / (degrees + t ** 2);
  let sum = 0;
  // Poisson weights rise until j ≈ half and fall after it.
  for (let j = 0; ; j++) {
    const p = half === 0 ? (j === 0 ? 1 : 0) : Math.exp(-half + j * Math.log(half) - logGamma(j + 1));
    const q = half === 0 ? 0 : (noncentrality / Math.SQRT2) * Math.exp(-half + j * Math.log(half) - logGamma(j + 1.5));
    sum += p * incompleteBeta(x, j + 0.5, degrees / 2) + q * incompleteBeta(x, j + 1, degrees / 2);
    if (j > half && p + Math.abs(q) < 1e-16) break;
  }
  return Math.min(1, Math.max(0, normalCdf(-noncentrality) + sum / 2));
}

/**
 * Chance that a two-sided t test finds a true difference.
 *
 * Reference: equals statsmodels `TTestPower().power(d/σ, n, α, alternative="two-sided")` with SE = σ/√n, df = n − 1.
 *
 * @example
 * ```ts
 * console.log(powerOf(0.05, { standardError: 0.02, degrees: 99 }));
 * ```
 */
export function powerOf(
  difference: number,
  { standardError, degrees }: Pick<CrossedEstimate, "standardError" | "degrees">,
  alpha = 0.05,
): number {
  if (!(degrees > 0) || !Number.isFinite(standardError)) return alpha;
  if (standardError === 0) return difference === 0 ? alpha : 1;
  const delta = Math.abs(difference) / standardError;
  const critical = studentQuantile(1 - alpha / 2, degrees);
  if (delta > CERTAIN && delta > 2 * critical) return 1;
  return 1 - noncentralStudentCdf(critical, degrees, delta) + noncentralStudentCdf(-critical, degrees, delta);
}

/** Smallest argument in (0, limit] at which an increasing function reaches a value; null where it does not. */
function firstReaching(target: number, limit: number, fn: (x: number) => number): number | null {
  if (fn(limit) < target) return null;
  let [low, high] = [0, limit];
  for (let i = 0; i < 60 && high - low > 1e-9 * high; i++) {
    const middle = (low + high) / 2;
    if (fn(middle) < target) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * The true difference that is found with a given chance; null where no difference is (a single prompt).
 *
 * @example
 * ```ts
 * console.log(detectableDifference({ standardError: 0.02, degrees: 99 })); // points that these pairs find in 80 of 100 cases
 * ```
 */
export function detectableDifference(
  estimate: Pick<CrossedEstimate, "standardError" | "degrees">,
  power = 0.8,
  alpha = 0.05,
): number | null {
  if (!(estimate.degrees > 0) || !Number.isFinite(estimate.standardError)) return null;
  if (estimate.standardError === 0) return 0;
  const reach = 4 * studentQuantile(1 - alpha / 2, estimate.degrees) + 10;
  return firstReaching(power, reach * estimate.standardError, (d) => powerOf(d, estimate, alpha));
}

const MOST_PROMPTS = 1e9;

/**
 * Prompts, of the same kind and with as many runs, with which a true difference is found with a given chance.
 *
 * What prompts contribute to the squared error falls as 1/G; what seeds contribute stays. Null: no number of prompts is
 * enough, it takes more seeds.
 *
 * @example
 * ```ts
 * console.log(promptsNeeded(0.02, crossedMean([[1, 1, 0, 1]], ["a", "b", "c", "d"])));
 * ```
 */
export function promptsNeeded(
  difference: number,
  { parts, clusters, degrees }: CrossedEstimate,
  power = 0.8,
  alpha = 0.05,
): number | null {
  if (!(degrees > 0) || difference === 0) return null;
  const stays = Math.max(0, parts.runs - parts.both);
  const runDegrees = degreesOfRuns({ parts, clusters, degrees });
  const at = (prompts: number) => {
    const ofPrompts = (parts.prompts * clusters) / prompts;
    const variance = ofPrompts + stays;
    const uncertain = ofPrompts ** 2 / (prompts - 1) + (stays > 0 ? stays ** 2 / runDegrees : 0);
    const degreesThere = uncertain > 0 ? variance ** 2 / uncertain : prompts - 1;
    return powerOf(difference, { standardError: Math.sqrt(variance), degrees: degreesThere }, alpha);
  };
  const logged = firstReaching(power, Math.log(MOST_PROMPTS), (log) => (log < Math.log(2) ? 0 : at(Math.exp(log))));
  return logged === null ? null : Math.max(2, Math.ceil(Math.exp(logged) - 1e-6));
}

/** What is left of the estimate's degrees of freedom once the prompts' share is taken out. */
function degreesOfRuns({ parts, clusters, degrees }: Pick<CrossedEstimate, "parts" | "clusters" | "degrees">): number {
  const uncertain = varianceOf(parts) ** 2 / degrees - parts.prompts ** 2 / (clusters - 1);
  return uncertain > 0 ? parts.runs ** 2 / uncertain : Infinity;
}

/**
 * Holm's adjustment of p-values for having looked several times.
 *
 * Reference: Holm (1979); equals statsmodels `multipletests(method="holm")`.
 *
 * @example
 * ```ts
 * holm([0.01, 0.04]); // → [0.02, 0.04]
 * ```
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a] - pValues[b]);
  const adjusted = new Array<number>(pValues.length);
  let least = 0;
  order.forEach((i, rank) => {
    least = Math.max(least, Math.min(1, (pValues.length - rank) * pValues[i]));
    adjusted[i] = least;
  });
  return adjusted;
}
