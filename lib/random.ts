// In: a seed. Out: the same random numbers on every machine.

/** A seeded source of random numbers whose state can be saved and restored. */
export interface Random {
  /** Uniform number in [0, 1) with 32 random bits. */
  next(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
  /** One item of a non-empty list. */
  pick<T>(items: readonly T[]): T;
  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[];
  /** Standard normal number (Box-Muller). */
  normal(): number;
  /** The four 32-bit words of the generator, for a checkpoint. */
  state(): [number, number, number, number];
}

/** splitmix32: spreads one seed over the words of a larger state. */
function* seedWords(seed: number): Generator<number> {
  let a = seed >>> 0;
  for (;;) {
    a = (a + 0x9e3779b9) >>> 0;
    let t = a ^ (a >>> 16);
    t = Math.imul(t, 0x21f0aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a2d97);
    yield (t ^ (t >>> 15)) >>> 0;
  }
}

/**
 * FNV-1a of a string: turns a label into a number that can be mixed into a seed.
 *
 * @example
 * ```ts
 * hashSeed("question 7") === hashSeed("question 7"); // → true
 * ```
 */
export function hashSeed(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/**
 * xoshiro128** seeded through splitmix32.
 *
 * @param seed a number, or the state of an earlier generator to go on from
 * Reference: Blackman and Vigna (2021), Scrambled linear pseudorandom number generators, ACM TOMS 47(4).
 * @example
 * ```ts
 * createRandom(42).integer(6) === createRandom(42).integer(6); // → true
 * ```
 */
export function createRandom(seed: number | readonly [number, number, number, number]): Random {
  let s: [number, number, number, number];
  if (typeof seed === "number") {
    const words = seedWords(seed);
    s = [words.next().value, words.next().value, words.next().value, words.next().value];
  } else s = [...seed];

  const rotl = (x: number, k: number) => (x << k) | (x >>> (32 - k));
  const word = () => {
    const result = Math.imul(rotl(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 11);
    return result;
  };
  const random: Random = {
    next: () => word() / 4294967296,
    integer: (bound) => Math.floor((word() / 4294967296) * bound),
    pick: (items) => items[random.integer(items.length)],
    shuffle: (items) => {
      const out = [...items];
      for (let i = out.length - 1; i > 0; i--) {
        const j = random.integer(i + 1);
        [out[i], out[j]] = [out[j], out[i]];
      }
      return out;
    },
    normal: () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next()),
    state: () => s.map((w) => w >>> 0) as [number, number, number, number],
  };
  return random;
}
