// In: a quantile or a probability. Out: its counterpart under the normal, Student's t and binomial distributions.

/** log Γ(x) for x > 0: Stirling's series after shifting x above 12, relative error near 1e-16. */
export function logGamma(x: number): number {
  let shift = 1;
  while (x < 12) shift *= x++;
  const i = 1 / (x * x);
  const series = (1 / 12 - i * (1 / 360 - i * (1 / 1260 - i * (1 / 1680 - i * (1 / 1188 - (i * 691) / 360360))))) / x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series - Math.log(shift);
}

const TINY = 1e-300;

/** Continued fraction b₀ + a₁/(b₁ + a₂/(b₂ + …)) by Lentz's method, `term(n)` giving [aₙ, bₙ]. */
function continuedFraction(b0: number, term: (n: number) => readonly [number, number]): number {
  let f = b0 || TINY;
  let c = f;
  let d = 0;
  for (let n = 1; n < 100_000; n++) {
    const [a, b] = term(n);
    d = 1 / (b + a * d || TINY);
    c = b + a / c || TINY;
    f *= c * d;
    if (Math.abs(c * d - 1) < 1e-16) break;
  }
  return f;
}

/** Upper tail of the standard normal, P(Z > z). */
function normalTail(z: number): number {
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z > 3) return density / continuedFraction(z, (n) => [n, z]);
  let term = z;
  let sum = z;
  for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2) sum += term *= (z * z) / n;
  return 0.5 - density * sum;
}

/** Standard normal distribution function, P(Z ≤ z). */
export function normalCdf(z: number): number {
  return z < 0 ? normalTail(-z) : 1 - normalTail(z);
}

/** Root of an increasing function by Newton's method kept inside a shrinking bracket. */
function invert(target: number, start: number, cdf: (x: number) => number, density: (x: number) => number): number {
  let low = -1e308;
  let high = 1e308;
  let x = start;
  for (let i = 0; i < 200; i++) {
    const error = cdf(x) - target;
    if (error > 0) high = x;
    else low = x;
    let next = x - error / density(x);
    if (!(next > low && next < high)) next = low < -1e307 ? x * 2 - 1 : high > 1e307 ? x * 2 + 1 : (low + high) / 2;
    if (Math.abs(next - x) <= 1e-15 * Math.max(1, Math.abs(x))) return next;
    x = next;
  }
  return x;
}

/** Standard normal quantile: z with P(Z ≤ z) = p, for 0 < p < 1. */
export function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p);
  if (!(p > 0)) return p === 0 ? -Infinity : NaN;
  const r = Math.sqrt(-2 * Math.log(p));
  const start = -(r - (2.30753 + 0.27061 * r) / (1 + 0.99229 * r + 0.04481 * r * r));
  return invert(p, start, normalCdf, (z) => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI));
}

/**
 * Regularised incomplete beta function I_x(a, b).
 * Reference: DLMF 8.17.22 (continued fraction), evaluated on the side where it converges fast.
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  const fraction = continuedFraction(1, (n) => {
    const m = n >> 1;
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    return [n % 2 === 0 ? even : odd, 1];
  });
  return front / (a * fraction);
}

/** Student's t distribution function with `degrees` > 0 degrees of freedom. */
export function studentCdf(t: number, degrees: number): number {
  const square = t * t;
  // Near the centre 1 − x of the tail's argument would lose the digits of t.
  if (square < degrees) return 0.5 + 0.5 * Math.sign(t) * incompleteBeta(square / (degrees + square), 0.5, degrees / 2);
  const tail = 0.5 * incompleteBeta(degrees / (degrees + square), degrees / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

/** Student's t quantile for 0 < p < 1. */
export function studentQuantile(p: number, degrees: number): number {
  if (p > 0.5) return -studentQuantile(1 - p, degrees);
  if (p === 0.5) return 0;
  const constant = logGamma((degrees + 1) / 2) - logGamma(degrees / 2) - 0.5 * Math.log(degrees * Math.PI);
  const density = (t: number) => Math.exp(constant - ((degrees + 1) / 2) * Math.log1p((t * t) / degrees));
  return invert(p, normalQuantile(p), (t) => studentCdf(t, degrees), density);
}

/** log of the binomial probability of `successes` in `trials`. */
export function logBinomial(successes: number, trials: number, p: number): number {
  if (p === 0 || p === 1) return successes === (p === 0 ? 0 : trials) ? 0 : -Infinity;
  const choose = logGamma(trials + 1) - logGamma(successes + 1) - logGamma(trials - successes + 1);
  return choose + successes * Math.log(p) + (trials - successes) * Math.log1p(-p);
}

/** Binomial distribution function, P(X ≤ successes). */
export function binomialCdf(successes: number, trials: number, p: number): number {
  if (successes < 0) return 0;
  if (successes >= trials) return 1;
  return incompleteBeta(1 - p, trials - successes, successes + 1);
}
