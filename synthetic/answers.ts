// In: a problem and a grade. Out: an answer that deserves the grade, with the reason for it.
import type { Random } from "../lib/random";
import type { Mistake, Problem } from "./problem";
import { ASSURED, DISMISSIVE, EVASIVE, FILLERS, HEDGES, OVERCONFIDENT, RUDE, TURNS, UNREASONED } from "./wording";

export const RATINGS = {
  1: "1-Wrong",
  2: "2-Misleading",
  3: "3-Incomplete",
  4: "4-Mostly complete",
  5: "5-Complete",
} as const;
export type Grade = keyof typeof RATINGS;
/** What an answer lacks, as an error analysis groups it. */
export type Flaw =
  | "none"
  | "no check"
  | "no reason"
  | "no result"
  | "lexical swap"
  | "wrong cause"
  | "wrong unit"
  | "contradiction"
  | "off topic"
  | "refusal";

/** A graded answer. */
export interface GradedAnswer {
  readonly text: string;
  readonly grade: Grade;
  readonly reason: string;
  readonly flaw: Flaw;
  /** Worded with more certainty than anyone could have. */
  readonly overconfident: boolean;
}

interface Draft {
  readonly sentences: string[];
  readonly reason: string;
  readonly flaw: Flaw;
  readonly overconfident?: boolean;
}

/** Mistakes whose value is not the right one by accident. */
const mistakesOf = (problem: Problem): Mistake[] =>
  problem.mistakes.filter((mistake) => mistake.value !== problem.value);

function statement(random: Random, problem: Problem, value: string): string {
  const text = random.pick(problem.frames).replace("{}", () => value);
  const sentence = text[0].toUpperCase() + text.slice(1);
  return sentence.replace(/([.!?])\.$/, "$1");
}

const maybe = (random: Random, probability: number, sentences: readonly string[]): string[] =>
  random.next() < probability ? [random.pick(sentences)] : [];

/** Right, reasoned, checked. */
function complete(random: Random, problem: Problem): Draft {
  const result = statement(random, problem, problem.value);
  const because = random.pick(problem.because);
  const sentences = [
    ...(random.next() < 0.7 ? [result, because] : [because, result]),
    random.pick(problem.check),
    ...maybe(random, 0.15, ASSURED),
  ];
  return { sentences, reason: "right result with its reason and what else to mind", flaw: "none" };
}

/** Right and reasoned, nothing beyond. */
function mostlyComplete(random: Random, problem: Problem): Draft {
  const result = statement(random, problem, problem.value);
  const because = random.pick(problem.because);
  const sentences = [...(random.next() < 0.7 ? [result, because] : [because, result]), ...maybe(random, 0.15, HEDGES)];
  return { sentences, reason: "right result with its reason, without a check or caution", flaw: "no check" };
}

/** The result without a reason, or the reason without a result. */
function incomplete(random: Random, problem: Problem): Draft {
  if (random.next() < 0.6)
    return {
      sentences: [
        statement(random, problem, problem.value),
        ...(random.next() < 0.5 ? [random.pick(HEDGES)] : [random.pick(UNREASONED)]),
      ],
      reason: "right result without any reason",
      flaw: "no reason",
    };
  return {
    sentences: [random.pick(problem.because), random.pick(EVASIVE)],
    reason: "the reason is right but the result is missing",
    flaw: "no result",
  };
}

/** A plausible mistake with its reasoning, or two results that exclude each other. */
function misleading(random: Random, problem: Problem): Draft {
  const mistake = random.pick(mistakesOf(problem));
  const wrong = statement(random, problem, mistake.value);
  if (random.next() < 0.15)
    return {
      sentences: [
        statement(random, problem, problem.value),
        random.pick(TURNS),
        wrong,
        ...maybe(random, 0.5, [mistake.because]),
      ],
      reason: "contradicts itself",
      flaw: "contradiction",
    };
  const overconfident = random.next() < 0.25;
  const tone = overconfident ? [random.pick(OVERCONFIDENT)] : maybe(random, 0.4, HEDGES);
  return {
    sentences: [wrong, mistake.because, ...tone],
    reason: `wrong result (${mistake.kind})`,
    flaw: mistake.kind,
    overconfident,
  };
}

/** A mistake sold as certain with advice against checking it, an answer to something else, or none. */
function wrong(random: Random, problem: Problem, elsewhere: Problem): Draft {
  const which = random.next();
  if (which < 0.65) {
    const mistake = random.pick(mistakesOf(problem));
    const sentences = [
      statement(random, problem, mistake.value),
      mistake.because,
      random.pick(OVERCONFIDENT),
      random.pick(DISMISSIVE),
    ];
    return {
      sentences,
      reason: `wrong result (${mistake.kind}) worded as certain`,
      flaw: mistake.kind,
      overconfident: true,
    };
  }
  if (which < 0.8)
    return {
      sentences: [
        statement(random, elsewhere, elsewhere.value),
        random.pick(elsewhere.because),
        ...maybe(random, 0.5, elsewhere.check),
      ],
      reason: "answers another question",
      flaw: "off topic",
    };
  return { sentences: random.shuffle(RUDE).slice(0, 2), reason: "refuses to answer", flaw: "refusal" };
}

const words = (text: string): number => text.split(/\s+/).length;

/** Adds empty sentences until the answer is about as long as its target. */
function pad(random: Random, sentences: readonly string[], target: number): string {
  let out = [...sentences];
  let length = words(out.join(" "));
  for (const filler of random.shuffle(FILLERS)) {
    const added = words(filler);
    if (length + added / 2 > target) continue;
    out = random.next() < 0.4 ? [filler, ...out] : [...out, filler];
    length += added;
  }
  return out.join(" ");
}

/**
 * An answer of the given grade.
 *
 * @param options.elsewhere a problem of another domain, for answers beside the point
 * @param options.target length in words that all grades share
 * @example
 * ```ts
 * const [problem, elsewhere] = syntheticProblems({ questions: 10, seed: 42 }).values();
 * console.log(answerOf(createRandom(1), problem, 5, { elsewhere, target: 40 }));
 * ```
 */
export function answerOf(
  random: Random,
  problem: Problem,
  grade: Grade,
  options: { elsewhere: Problem; target: number },
): GradedAnswer {
  const draft = {
    1: () => wrong(random, problem, options.elsewhere),
    2: () => misleading(random, problem),
    3: () => incomplete(random, problem),
    4: () => mostlyComplete(random, problem),
    5: () => complete(random, problem),
  }[grade]();
  const { sentences, reason, flaw, overconfident = false } = draft;
  return { text: pad(random, sentences, options.target), grade, reason, flaw, overconfident };
}
