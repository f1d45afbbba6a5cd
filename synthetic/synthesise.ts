// In: a number of questions and a seed. Out: preference pairs in the original notebook's schema, and candidates to rerank.
import { LABEL_NOISE } from "../lib/pairs/pair";
import { UsageError } from "../lib/errors";
import { type Random, createRandom } from "../lib/random";
import { type Flaw, type Grade, type GradedAnswer, RATINGS, answerOf } from "./answers";
import { arithmetic } from "./arithmetic";
import { astronomy } from "./astronomy";
import { calendar } from "./calendar";
import { chemistry } from "./chemistry";
import { dosing } from "./dosing";
import { firstAid } from "./firstAid";
import { food } from "./food";
import { household } from "./household";
import { physics } from "./physics";
import { privacy } from "./privacy";
import { units } from "./units";
import { logic, programming } from "./code";
import { type NearPrompts, createNearPrompts } from "./nearPrompts";
import { finance } from "./money";
import { geography } from "./places";
import type { Domain, Problem, Risk } from "./problem";

export const DOMAINS: readonly Domain[] = [
  arithmetic,
  units,
  calendar,
  geography,
  astronomy,
  programming,
  logic,
  physics,
  chemistry,
  finance,
  food,
  privacy,
  household,
  dosing,
  firstAid,
];

export interface SynthesisOptions {
  /** Number of questions; each gets two to four candidate answers. */
  readonly questions: number;
  readonly seed: number;
  /** Share of pairs whose label is flipped, as annotators err. Default 0.07. */
  readonly noise?: number;
}

interface SyntheticAnswer {
  readonly answer_text: string;
  readonly score: Grade;
  readonly rating: string;
  readonly reason: string;
  readonly flaw: Flaw;
}

/** A pair in the original notebook's schema, with what only a generator knows. */
export interface SyntheticPair {
  readonly question_id: string;
  readonly question_text: string;
  readonly preferred_answer: SyntheticAnswer;
  readonly rejected_answer: SyntheticAnswer;
  readonly risk_level: Risk;
  readonly confidence_penalty: number;
  readonly score_difference: number;
  /** The domain of the question. */
  readonly category: string;
  /** What the preferred answer does better. */
  readonly preference_type: "safety" | "correctness" | "completeness" | "relevance" | "consistency" | "calibration";
  /** The answers changed places as if an annotator had erred; scores and ratings are the annotator's. */
  readonly label_flipped: boolean;
}

/** One question with all its candidates, for best-of-n. */
export interface CandidateRow {
  readonly question_id: string;
  readonly prompt: string;
  readonly candidates: readonly { readonly text: string; readonly quality: Grade }[];
  /** Index of the best candidate. */
  readonly best: number;
  readonly risk_level: Risk;
  readonly category: string;
}

export interface Synthesis {
  readonly pairs: readonly SyntheticPair[];
  readonly candidates: readonly CandidateRow[];
  /** The best accuracy that a perfect judge can reach on these labels: 1 − share of flipped pairs. */
  readonly ceiling: number;
}

const GRADES: readonly Grade[] = [1, 2, 3, 4, 5];
/** Words of an answer; every grade draws from the same lengths. */
const SHORTEST = 34;
const LONGEST = 52;
/** Attempts at a prompt that has not been used. */
const ATTEMPTS = 200;
/** Attempts at one that is not nearly an earlier one, before it shares that one's question. */
const PATIENCE = 50;

interface Question {
  readonly id: string;
  readonly prompt: string;
  readonly domain: Domain;
  readonly problem: Problem;
  readonly answers: readonly GradedAnswer[];
}

/**
 * Questions of all domains in turn, each with two to four answers of different grades, and every pair of them.
 * The same seed gives the same pairs on every machine.
 *
 * @throws UsageError for a number of questions or a noise out of range
 * @example
 * ```ts
 * const { pairs: made, ceiling } = generatePairs({ questions: 500, seed: 42, noise: 0.07 });
 * console.log(made.length, `a perfect judge is right on ${percent(ceiling)}`);
 * ```
 */
export function generatePairs({ questions, seed, noise = LABEL_NOISE }: SynthesisOptions): Synthesis {
  if (!Number.isSafeInteger(questions) || questions < 1)
    throw new UsageError(`questions: expected a whole number of 1 or more, got ${questions}`);
  if (!(noise >= 0 && noise < 0.5)) throw new UsageError(`noise: expected a share from 0 to below 0.5, got ${noise}`);
  const random = createRandom(seed);
  const made = makeQuestions(random, questions);
  const clean = made.flatMap((question) => pairsOf(question));
  const flips = new Set(random.shuffle(clean.map((_, i) => i)).slice(0, Math.round(noise * clean.length)));
  return {
    pairs: clean.map((pair, i) => (flips.has(i) ? flipped(pair) : pair)),
    candidates: made.map(candidateRow),
    ceiling: 1 - flips.size / clean.length,
  };
}

/**
 * The problem behind each prompt of `generatePairs` with the same number of questions and seed: what is right, and why.
 *
 * @example
 * ```ts
 * const problems = syntheticProblems({ questions: 500, seed: 42 });
 * console.log([...problems.values()][0]);
 * ```
 */
export function syntheticProblems({ questions, seed }: SynthesisOptions): Map<string, Problem> {
  return new Map(makeQuestions(createRandom(seed), questions).map(({ prompt, problem }) => [prompt, problem]));
}

function makeQuestions(random: Random, questions: number): Question[] {
  const before = createNearPrompts();
  return Array.from({ length: questions }, (_, i) => makeQuestion(random, i, questions, before));
}

/**
 * A problem and a wording of it that nobody has asked. Where a domain has no other left, one that is nearly an earlier
 * prompt shares its question, so that no split parts them.
 */
function askAnew(random: Random, index: number, total: number, before: NearPrompts) {
  const domain = DOMAINS[index % DOMAINS.length];
  for (let attempt = 0; attempt <= ATTEMPTS; attempt++) {
    const problem = domain.make(random);
    const prompt = random.pick(problem.ask);
    const like = before.questionsLike(prompt);
    if (like === null || like.size > (attempt < PATIENCE ? 0 : 1)) continue;
    const id = [...like][0] ?? `q${String(index + 1).padStart(5, "0")}`;
    before.add(prompt, id);
    return { id, domain, problem, prompt };
  }
  throw new UsageError(
    `questions: expected a number that the domains can vary, got ${total} (${domain.name} has no more prompts); ask for fewer`,
  );
}

function makeQuestion(random: Random, index: number, total: number, before: NearPrompts): Question {
  const { id, domain, problem, prompt } = askAnew(random, index, total, before);
  const elsewhere = random.pick(DOMAINS.filter((other) => other !== domain)).make(random);
  const middle = SHORTEST + random.next() * (LONGEST - SHORTEST);
  const grades = pickGrades(random);
  const answers = grades.map((grade) =>
    answerOf(random, problem, grade, { elsewhere, target: Math.round(middle * (0.85 + 0.3 * random.next())) }),
  );
  return { id, prompt, domain, problem, answers };
}

/** Two to four different grades; two alone are two grades apart or more, so that an easy question is not a coin toss. */
function pickGrades(random: Random): Grade[] {
  const count = 2 + random.integer(3);
  for (;;) {
    const grades = random.shuffle(GRADES).slice(0, count);
    if (count > 2 || Math.abs(grades[0] - grades[1]) > 1) return grades;
  }
}

/** Every two answers of a question, the better one preferred. */
function pairsOf(question: Question): SyntheticPair[] {
  const { answers } = question;
  return answers.flatMap((first, i) =>
    answers.slice(i + 1).map((second) => {
      const [better, worse] = first.grade > second.grade ? [first, second] : [second, first];
      return toPair(question, better, worse);
    }),
  );
}

const RISK_FACTOR: Readonly<Record<Risk, number>> = { Low: 0.4, Medium: 0.7, High: 1 };

/** Being wrong and certain costs more where more is at stake: 1 for a wrong answer of high risk, half for a misleading one. */
const confidencePenalty = (worse: GradedAnswer, risk: Risk): number =>
  worse.overconfident ? Math.round(RISK_FACTOR[risk] * (worse.grade === 1 ? 1 : 0.5) * 100) / 100 : 0;

const toAnswer = ({ text, grade, reason, flaw }: GradedAnswer): SyntheticAnswer => ({
  answer_text: text,
  score: grade,
  rating: RATINGS[grade],
  reason,
  flaw,
});

function toPair({ id, prompt, domain }: Question, better: GradedAnswer, worse: GradedAnswer): SyntheticPair {
  return {
    question_id: id,
    question_text: prompt,
    preferred_answer: toAnswer(better),
    rejected_answer: toAnswer(worse),
    risk_level: domain.risk,
    confidence_penalty: confidencePenalty(worse, domain.risk),
    score_difference: better.grade - worse.grade,
    category: domain.name,
    preference_type: preferenceType(better, worse, domain.risk),
    label_flipped: false,
  };
}

function preferenceType(better: GradedAnswer, worse: GradedAnswer, risk: Risk): SyntheticPair["preference_type"] {
  if (worse.flaw === "off topic" || worse.flaw === "refusal") return "relevance";
  if (worse.flaw === "contradiction") return "consistency";
  if (worse.grade >= 3) return "completeness";
  if (better.grade <= 2) return "calibration";
  return risk === "High" ? "safety" : "correctness";
}

/** The annotator took one answer for the other: texts change places, scores and ratings stay. */
function flipped(pair: SyntheticPair): SyntheticPair {
  const { preferred_answer: preferred, rejected_answer: rejected } = pair;
  const labelled = (text: SyntheticAnswer, label: SyntheticAnswer): SyntheticAnswer => ({
    ...text,
    score: label.score,
    rating: label.rating,
  });
  return {
    ...pair,
    preferred_answer: labelled(rejected, preferred),
    rejected_answer: labelled(preferred, rejected),
    confidence_penalty: 0,
    label_flipped: true,
  };
}

function candidateRow({ id, prompt, domain, answers }: Question): CandidateRow {
  const qualities = answers.map(({ grade }) => grade);
  return {
    question_id: id,
    prompt,
    candidates: answers.map(({ text, grade }) => ({ text, quality: grade })),
    best: qualities.indexOf(Math.max(...qualities) as Grade),
    risk_level: domain.risk,
    category: domain.name,
  };
}
