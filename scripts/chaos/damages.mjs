// In: the bytes of a file and numbers by chance. Out: other bytes, as disks, networks, editors and half-done writes leave them.

/** Numbers that a seed determines (mulberry32). */
export function createChoice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Values that stand for another one in a text of JSON, CSV or a template. */
const VALUES = [
  "null",
  "-1",
  "1e308",
  "[]",
  "{}",
  '""',
  "true",
  "NaN",
  '"\\ud800"',
  "99999999999999999999",
  "__proto__",
];

/** Ways in which a file is damaged; each gives bytes that differ from the ones it gets, or null where it cannot. */
export const DAMAGES = {
  "a bit flipped": (bytes, random) => {
    if (!bytes.length) return null;
    const copy = Buffer.from(bytes);
    copy[Math.floor(random() * copy.length)] ^= 1 << Math.floor(random() * 8);
    return copy;
  },
  "a bit flipped near its beginning": (bytes, random) => {
    if (!bytes.length) return null;
    const copy = Buffer.from(bytes);
    copy[Math.floor(random() * Math.min(64, copy.length))] ^= 1 << Math.floor(random() * 8);
    return copy;
  },
  "cut off": (bytes, random) => (bytes.length ? bytes.subarray(0, Math.floor(random() * bytes.length)) : null),
  "zeroes in it": (bytes, random) => {
    const copy = Buffer.from(bytes);
    const from = Math.floor(random() * copy.length);
    copy.fill(0, from, Math.min(from + 512, copy.length));
    return copy.equals(bytes) ? null : copy;
  },
  "a piece twice": (bytes, random) => {
    const from = Math.floor(random() * bytes.length);
    return bytes.length ? Buffer.concat([bytes.subarray(0, from + 1), bytes.subarray(from)]) : null;
  },
  "a piece gone": (bytes, random) => {
    const from = Math.floor(random() * bytes.length);
    const length = 1 + Math.floor(random() * 40);
    return bytes.length ? Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + length)]) : null;
  },
  "a value for another": (bytes, random) => {
    const text = bytes.toString("latin1");
    const values = [
      ...text.slice(0, 200_000).matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:e[-+]?\d+)?|\b(?:true|false|null)\b/g),
    ];
    if (values.length === 0) return null;
    const { index, 0: old } = values[Math.floor(random() * values.length)];
    const value = VALUES[Math.floor(random() * VALUES.length)];
    return value === old ? null : Buffer.from(text.slice(0, index) + value + text.slice(index + old.length), "latin1");
  },
  "two lines exchanged": (bytes, random) => {
    const lines = bytes.toString("latin1").split("\n");
    if (lines.length < 3) return null;
    const [a, b] = [0, 0].map(() => Math.floor(random() * (lines.length - 1)));
    [lines[a], lines[b]] = [lines[b], lines[a]];
    const swapped = Buffer.from(lines.join("\n"), "latin1");
    return swapped.equals(bytes) ? null : swapped;
  },
  "another file's bytes": (bytes, random) =>
    Buffer.from(Array.from({ length: 1 + Math.floor(random() * 300) }, () => Math.floor(random() * 256))),
  emptied: (bytes) => (bytes.length ? Buffer.alloc(0) : null),
  removed: () => "removed",
};
