// In: lengths one by one. Out: their quantiles, exact; memory by the longest, not by their number.

/** Characters (UTF-16 units) or words of one kind of text. */
export interface LengthProfile {
  readonly min: number;
  readonly p5: number;
  readonly median: number;
  readonly mean: number;
  readonly p95: number;
  readonly max: number;
}

/** Lengths below this are counted in a list, longer ones in a map: of those a file has few for its size. */
const LISTED = 2 ** 16;

export interface LengthCounts {
  add(length: number): void;
  profile(): LengthProfile;
}

export function createLengthCounts(): LengthCounts {
  let listed = new Uint32Array(256);
  const longer = new Map<number, number>();
  let [total, sum] = [0, 0];

  const add = (length: number): void => {
    total++;
    sum += length;
    if (length >= LISTED) {
      longer.set(length, (longer.get(length) ?? 0) + 1);
      return;
    }
    while (length >= listed.length) {
      const larger = new Uint32Array(listed.length * 2);
      larger.set(listed);
      listed = larger;
    }
    listed[length]++;
  };

  const profile = (): LengthProfile => {
    if (total === 0) return { min: 0, p5: 0, median: 0, mean: 0, p95: 0, max: 0 };
    const long = [...longer].sort(([a], [b]) => a - b);
    /** The length at a place of the sorted list of all. */
    const at = (place: number): number => {
      let before = 0;
      for (let length = 0; length < listed.length; length++) if ((before += listed[length]) > place) return length;
      return long.find(([, count]) => (before += count) > place)![0];
    };
    const share = (of: number) => at(Math.round(of * (total - 1)));
    return {
      min: share(0),
      p5: share(0.05),
      median: share(0.5),
      mean: Math.round((sum / total) * 10) / 10,
      p95: share(0.95),
      max: share(1),
    };
  };
  return { add, profile };
}
