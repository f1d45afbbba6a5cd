// In: a text. Out: the sentences or words it is made of, and the text without one of them.

/** @typedef {{ start: number, end: number }} Part characters [start, end) of the text */

/** Parts of a text between two places, white space at their edges left out. @returns {Part[]} */
export function partsOf(text, granularity, [from, to] = [0, text.length]) {
  const segmenter = new Intl.Segmenter(undefined, { granularity });
  const parts = [];
  for (const { segment, index, isWordLike } of segmenter.segment(text.slice(from, to))) {
    if (granularity === "word" && !isWordLike) continue;
    const start = from + index + (segment.length - segment.trimStart().length);
    const end = from + index + segment.trimEnd().length;
    if (end > start) parts.push({ start, end });
  }
  return parts;
}

/** The text without one part and without the white space that would then stand twice. */
export function without(text, { start, end }) {
  const before = text.slice(0, start);
  const after = text.slice(end);
  return /\s$/.test(before) || before === "" ? before + after.trimStart() : before + after;
}

/** The text as runs: parts and what lies between them, in order. @returns {{ text: string, part: number | null }[]} */
export function runsOf(text, parts, [from, to] = [0, text.length]) {
  const runs = [];
  let at = from;
  parts.forEach(({ start, end }, part) => {
    if (start > at) runs.push({ text: text.slice(at, start), part: null });
    runs.push({ text: text.slice(start, end), part });
    at = end;
  });
  if (to > at) runs.push({ text: text.slice(at, to), part: null });
  return runs;
}
