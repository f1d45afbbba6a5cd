// A looked-up fact with its myths, and the question it becomes.
import type { Random } from "../lib/random";
import type { MistakeKind, Problem } from "./problem";

export interface Fact {
  /** Wordings; `{who}` stands for a person. */
  readonly ask: readonly string[];
  readonly value: string;
  readonly because: readonly string[];
  readonly check: readonly string[];
  /** What people wrongly believe: the advice and its supposed reason. */
  readonly myths: readonly (readonly [advice: string, because: string])[];
}

const PEOPLE = [
  "my neighbour",
  "a colleague",
  "my son",
  "my grandmother",
  "a guest",
  "my flatmate",
  "a friend",
  "my aunt",
  "a customer",
  "my partner",
  "a teammate",
  "my daughter",
  "a passenger",
  "my father",
  "a tourist",
  "a student",
];
const PLACES = [
  "",
  " Please answer quickly.",
  " I want to be prepared.",
  " It is for a course.",
  " I could not find it in my books.",
  " We disagree about it.",
  " Please explain it in plain words.",
  " I heard different answers.",
  " It is the first time this comes up.",
  " Thanks in advance.",
];

/** A question about a fact; person and place vary, so that two questions about one fact differ. */
export function problemOf(random: Random, fact: Fact): Problem {
  const who = random.pick(PEOPLE);
  const place = random.pick(PLACES);
  const kinds: readonly MistakeKind[] = ["wrong cause", "wrong cause", "lexical swap"];
  const fill = (text: string) => {
    const filled = text.replaceAll("{who}", who);
    return filled[0].toUpperCase() + filled.slice(1) + place;
  };
  return {
    ask: fact.ask.map(fill),
    frames: ["{}"],
    value: fact.value,
    because: fact.because,
    check: fact.check,
    mistakes: fact.myths.map(([value, because], i) => ({ value, because, kind: kinds[i % kinds.length] })),
  };
}
