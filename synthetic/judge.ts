// In: the problem behind a question and any answer to it. Out: the grade that the answer deserves: the gold score.
import { type Grade } from "./answers";
import type { Problem } from "./problem";
import { ASSURED, DISMISSIVE, EVASIVE, FILLERS, HEDGES, OVERCONFIDENT, RUDE, TURNS, UNREASONED } from "./wording";

const plain = (text: string): string => text.toLowerCase().replace(/\s+/g, " ").trim();
const says = (text: string, sentences: readonly string[]): boolean =>
  sentences.some((sentence) => text.includes(plain(sentence)));
const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Every wording of the statement that the result is `value`. */
const statements = ({ frames }: Problem, value: string): string[] =>
  frames.map((frame) => frame.replace("{}", () => value).replace(/([.!?])\.$/, "$1"));

const sentencesOf = (text: string): string[] => text.split(/(?<=[.!?]["']?)\s+/).filter(Boolean);

/** What says nothing about the result. */
const EMPTY = new Set(
  [FILLERS, HEDGES, ASSURED, UNREASONED, EVASIVE, TURNS, RUDE, OVERCONFIDENT, DISMISSIVE].flat().map(plain),
);

/** Whether one of the statements is made with another value than the right one. */
function statesAnother(text: string, problem: Problem): boolean {
  const { value, mistakes, frames } = problem;
  const known = mistakes.filter((mistake) => mistake.value !== value);
  if (known.some((mistake) => says(text, statements(problem, mistake.value)))) return true;
  const told = new Set([...problem.because, ...problem.check].map(plain));
  const sentences = sentencesOf(text).filter((sentence) => !EMPTY.has(sentence) && !told.has(sentence));
  return frames.some((frame) => {
    if (frame === "{}") return false; // the advice is the whole sentence: anything would fit
    const pattern = new RegExp(`^${escape(plain(frame)).replace("\\{\\}", "(.+)")}$`);
    return sentences.some((sentence) => {
      const stated = pattern.exec(sentence)?.[1];
      return stated !== undefined && stated !== plain(value);
    });
  });
}

/** A sentence of the answer that is said more than once; a parrot does not add anything. */
function repeats(text: string): boolean {
  const sentences = sentencesOf(text);
  return new Set(sentences).size < sentences.length;
}

/**
 * Grades free text by the rules that the generator writes by: 5 right, reasoned and checked; 4 right and reasoned; 3 the
 * result or the reason alone; 2 a wrong result, a wrong reason or two results; 1 a wrong result sold as certain, no
 * answer, or one to another question. Saying a sentence twice costs a grade, as does boasting about a right result.
 *
 * It knows the truth and reads no tone beyond that: a gold standard for policies that learned from these answers, not for
 * free prose.
 *
 * @example
 * ```ts
 * const [problem] = syntheticProblems({ questions: 10, seed: 42 }).values();
 * console.log(judgeAnswer(problem, "I do not know."));
 * ```
 */
export function judgeAnswer(problem: Problem, answer: string): Grade {
  const text = plain(answer);
  const right = says(text, statements(problem, problem.value));
  const wrong = statesAnother(text, problem);
  const misled = says(
    text,
    problem.mistakes.map(({ because }) => because),
  );
  const boasts = says(text, OVERCONFIDENT);
  const dismisses = says(text, DISMISSIVE);
  const reasoned = says(text, problem.because);
  const checked = says(text, problem.check);
  const merit = (): number => {
    if (right && (wrong || misled)) return 2;
    if (wrong || misled) return boasts && dismisses ? 1 : 2;
    if (right) return (reasoned ? (checked ? 5 : 4) : 3) - (boasts || dismisses ? 1 : 0);
    return reasoned && !says(text, RUDE) ? 3 : 1;
  };
  return Math.max(1, merit() - (repeats(text) ? 1 : 0)) as Grade;
}

/**
 * An answer without the sentences that only level its length.
 *
 * @example
 * ```ts
 * console.log(withoutFillers("Good question. The answer is 12."));
 * ```
 */
export function withoutFillers(answer: string): string {
  const filler = new Set<string>(FILLERS);
  const sentences = answer.split(/(?<=[.!?]["']?)\s+/);
  return sentences.filter((sentence) => !filler.has(sentence)).join(" ");
}
