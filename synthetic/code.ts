// What a line of Python prints, and what follows from two sentences: computed.
import type { Random } from "../lib/random";
import { type Domain, type Problem, between } from "./problem";

const WORDS = [
  "reward",
  "notebook",
  "tensor",
  "gradient",
  "answer",
  "question",
  "python",
  "garden",
  "window",
  "kernel",
  "batch",
  "margin",
  "letter",
  "planet",
];
const listener = (random: Random) =>
  random.pick(["", " I am new to Python.", " Please keep it short.", " This was in a test."]);

function integerDivision(random: Random): Problem {
  const [b, q] = [between(random, 2, 12), between(random, 2, 30)];
  const a = b * q + between(random, 1, b - 1);
  const remainder = random.next() < 0.5;
  const operator = remainder ? "%" : "//";
  const extra = listener(random);
  return {
    ask: [
      `What does print(${a} ${operator} ${b}) show in Python?${extra}`,
      `Which output has the Python line print(${a} ${operator} ${b})?${extra}`,
    ],
    frames: ["It prints {}.", "The output is {}.", "Python shows {}."],
    value: String(remainder ? a % b : q),
    because: remainder
      ? [
          `The operator % gives the remainder: ${a} is ${q} times ${b} plus ${a % b}.`,
          `Modulo returns what is left after whole division of ${a} by ${b}.`,
        ]
      : [
          `The operator // divides and drops the fraction: ${b} fits ${q} times into ${a}.`,
          "Floor division rounds the quotient down to a whole number.",
        ],
    check: remainder
      ? [
          `The remainder is always smaller than the divisor ${b}.`,
          "For negative numbers Python's remainder takes the sign of the divisor.",
        ]
      : [
          "A single slash would give a float with decimals instead.",
          "For negative numbers it rounds down, not towards zero.",
        ],
    mistakes: [
      { value: String(a * b), because: `The operator ${operator} multiplies the two numbers.`, kind: "lexical swap" },
      {
        value: "a syntax error",
        because: "Python knows no such operator, so the line cannot run.",
        kind: "wrong cause",
      },
      {
        value: `"${a} ${operator} ${b}"`,
        because: "print shows the characters between the brackets without computing anything.",
        kind: "wrong unit",
      },
    ],
  };
}

function slice(random: Random): Problem {
  const word = random.pick(WORDS);
  const from = between(random, 0, 2);
  const to = between(random, from + 1, word.length - 1);
  const extra = listener(random);
  return {
    ask: [
      `What is "${word}"[${from}:${to}] in Python?${extra}`,
      `Which text does "${word}"[${from}:${to}] give in Python?${extra}`,
    ],
    frames: ["It is {}.", "You get {}.", "The slice gives {}."],
    value: `"${word.slice(from, to)}"`,
    because: [
      `A slice starts at index ${from}, counted from zero, and stops before index ${to}.`,
      `Indexes begin at 0 and the end, ${to}, is not included.`,
    ],
    check: [
      `Its length is ${to} minus ${from}, that is ${to - from}.`,
      "A slice never raises an error when the end lies beyond the text.",
    ],
    mistakes: [
      {
        value: `"${word.slice(from, to + 1)}"`,
        because: `A slice includes the end index ${to} as well, because both ends count.`,
        kind: "wrong cause",
      },
      {
        value: `"${word.slice(Math.max(0, from - 1), to - 1) || word[0]}"`,
        because: "Python counts the letters from one, so every index moves by one.",
        kind: "wrong cause",
      },
      {
        value: String(to - from),
        because: "A slice returns a number, namely how many letters it has.",
        kind: "wrong unit",
      },
    ],
  };
}

function range(random: Random): Problem {
  const [from, step] = [between(random, 0, 9), between(random, 2, 5)];
  const to = from + between(random, 7, 24);
  const items: number[] = [];
  for (let i = from; i < to; i += step) items.push(i);
  const sum = items.reduce((a, b) => a + b, 0);
  const extra = listener(random);
  return {
    ask: [
      `What is sum(range(${from}, ${to}, ${step})) in Python?${extra}`,
      `What does print(sum(range(${from}, ${to}, ${step}))) print?${extra}`,
    ],
    frames: ["It is {}.", "It gives {}.", "Python computes {}."],
    value: String(sum),
    because: [
      `The range holds ${items.join(", ")}: it starts at ${from}, goes in steps of ${step} and stops before ${to}.`,
      `It adds ${items.length} numbers, ${items.join(" + ")}.`,
    ],
    check: [
      `The end ${to} itself never belongs to the range.`,
      `You can see the numbers with list(range(${from}, ${to}, ${step})).`,
    ],
    mistakes: [
      {
        value: String(from + to + step),
        because: "sum adds the three numbers in the brackets of range.",
        kind: "lexical swap",
      },
      { value: "an error", because: "range can only be used in a for loop and never inside sum.", kind: "wrong cause" },
      {
        value: `[${items.slice(0, 3).join(", ")}]`,
        because: "sum returns the list of the numbers, because it collects them.",
        kind: "wrong unit",
      },
    ],
  };
}

const KINDS: readonly (readonly [string, string, string])[] = [
  ["roses", "flowers", "plants"],
  ["sparrows", "birds", "animals"],
  ["violins", "string instruments", "instruments"],
  ["squares", "rectangles", "polygons"],
  ["poodles", "dogs", "mammals"],
  ["oaks", "trees", "plants"],
  ["sonnets", "poems", "texts"],
  ["trams", "rail vehicles", "vehicles"],
  ["salmon", "fish", "vertebrates"],
  ["novels", "books", "publications"],
  ["cellos", "string instruments", "instruments"],
  ["ants", "insects", "animals"],
];
const NAMES = ["Mia", "Noah", "Lena", "Omar", "Iris", "Paul", "Nora", "Hugo", "Ada", "Yusuf", "Clara", "Jonas"];

function syllogism(random: Random): Problem {
  const [small, middle, large] = random.pick(KINDS);
  const name = random.pick(NAMES);
  const valid = random.next() < 0.5;
  const premises = valid
    ? `All ${small} are ${middle}, and all ${middle} are ${large}.`
    : `All ${small} are ${middle}, and some ${middle} are on ${name}'s list.`;
  const claim = valid ? `all ${small} are ${large}` : `some ${small} are on ${name}'s list`;
  return {
    ask: [
      `${premises} Does it follow that ${claim}? (asked by ${name})`,
      `${name} says: ${premises} Therefore ${claim}. Is that valid?`,
    ],
    frames: ["{}", "The answer: {}"],
    value: valid ? `Yes, it follows that ${claim}.` : `No, it does not follow that ${claim}.`,
    because: valid
      ? [
          `What holds for every one of the ${middle} holds for the ${small} among them, so the two inclusions chain.`,
          "Set inclusion is transitive: the first set lies in the second and the second in the third.",
        ]
      : [
          `The ${middle} on the list may all be other ones, so none of the ${small} has to be among them.`,
          "Some of a larger set tells nothing about a particular part of it.",
        ],
    check: valid
      ? [
          `The reverse, that all ${large} are ${small}, would not follow.`,
          "Validity speaks of the form; whether the premises are true is another question.",
        ]
      : [
          "A single counterexample is enough to show that the step is not valid.",
          "It may still be true by chance; it is only not proved.",
        ],
    mistakes: [
      {
        value: valid ? "No, nothing follows from it." : `Yes, it follows that ${claim}.`,
        because: `Two sentences are always ${valid ? "too short" : "enough"} for a proof, whatever they say.`,
        kind: "wrong cause",
      },
      {
        value: valid ? `No, because ${large} are not ${small}.` : `Yes, because some means all.`,
        because: `The words can be turned around: if all ${small} are ${middle}, then all ${middle} are ${small}.`,
        kind: "lexical swap",
      },
      {
        value: valid ? "No, the majority decides." : "Yes, the majority decides.",
        because: `It depends on how many people have seen ${small}.`,
        kind: "wrong unit",
      },
    ],
  };
}

export const programming: Domain = {
  name: "programming",
  risk: "Low",
  make: (random) => random.pick([integerDivision, slice, range])(random),
};
export const logic: Domain = { name: "logic", risk: "Low", make: syllogism };
