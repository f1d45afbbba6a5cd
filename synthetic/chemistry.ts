// Symbols and families of the elements: looked up.
import type { Random } from "../lib/random";
import { type Domain, type Problem, other } from "./problem";

type Element = readonly [name: string, symbol: string, number: number, family: string];
const ELEMENTS: readonly Element[] = [
  ["hydrogen", "H", 1, "nonmetal"],
  ["helium", "He", 2, "noble gas"],
  ["lithium", "Li", 3, "alkali metal"],
  ["carbon", "C", 6, "nonmetal"],
  ["nitrogen", "N", 7, "nonmetal"],
  ["oxygen", "O", 8, "nonmetal"],
  ["fluorine", "F", 9, "halogen"],
  ["neon", "Ne", 10, "noble gas"],
  ["sodium", "Na", 11, "alkali metal"],
  ["magnesium", "Mg", 12, "alkaline earth metal"],
  ["aluminium", "Al", 13, "post-transition metal"],
  ["silicon", "Si", 14, "metalloid"],
  ["phosphorus", "P", 15, "nonmetal"],
  ["sulphur", "S", 16, "nonmetal"],
  ["chlorine", "Cl", 17, "halogen"],
  ["argon", "Ar", 18, "noble gas"],
  ["potassium", "K", 19, "alkali metal"],
  ["calcium", "Ca", 20, "alkaline earth metal"],
  ["iron", "Fe", 26, "transition metal"],
  ["nickel", "Ni", 28, "transition metal"],
  ["copper", "Cu", 29, "transition metal"],
  ["zinc", "Zn", 30, "transition metal"],
  ["bromine", "Br", 35, "halogen"],
  ["krypton", "Kr", 36, "noble gas"],
  ["silver", "Ag", 47, "transition metal"],
  ["tin", "Sn", 50, "post-transition metal"],
  ["iodine", "I", 53, "halogen"],
  ["xenon", "Xe", 54, "noble gas"],
  ["barium", "Ba", 56, "alkaline earth metal"],
  ["tungsten", "W", 74, "transition metal"],
  ["platinum", "Pt", 78, "transition metal"],
  ["gold", "Au", 79, "transition metal"],
  ["mercury", "Hg", 80, "transition metal"],
  ["lead", "Pb", 82, "post-transition metal"],
  ["uranium", "U", 92, "actinide"],
];
const FAMILIES = [...new Set(ELEMENTS.map((element) => element[3]))];

function element(random: Random): Problem {
  const item = random.pick(ELEMENTS);
  const [name, symbol, number, family] = item;
  const wrong = other(random, ELEMENTS, item);
  const opening = random.pick(["", "For my homework: ", "Quick question: ", "In chemistry, "]);
  const Ask = (text: string) => (opening ? opening + text[0].toLowerCase() + text.slice(1) : text);
  if (random.next() < 0.5)
    return {
      ask: [
        Ask(`What is the chemical symbol of ${name}?`),
        Ask(`Which symbol stands for ${name} in the periodic table?`),
        Ask(`How is ${name} abbreviated in formulas?`),
      ],
      frames: [`The symbol of ${name} is {}.`, `${name[0].toUpperCase() + name.slice(1)} is written {}.`],
      value: symbol,
      because: [
        `${name[0].toUpperCase() + name.slice(1)} is element number ${number}, and the periodic table lists it under that symbol.`,
        `The symbol was fixed by IUPAC for the element with ${number} ${number === 1 ? "proton" : "protons"}.`,
      ],
      check: [
        `It belongs to the family of the ${family}${family.endsWith("s") ? "es" : "s"}, where you can look it up.`,
        "Only the first letter of a symbol is a capital, which matters in formulas.",
      ],
      mistakes: [
        {
          value: wrong[1],
          because: `That symbol follows from the English name of ${wrong[0]}, which is the same substance.`,
          kind: "lexical swap",
        },
        {
          value: `${name.slice(0, 3).toUpperCase()}`,
          because: "Symbols are the first three letters of the English name in capitals.",
          kind: "wrong cause",
        },
        {
          value: String(number),
          because: "Elements have no letters; chemists write the number alone.",
          kind: "wrong unit",
        },
      ],
    };
  const familyWrong = other(random, FAMILIES, family);
  return {
    ask: [
      Ask(`Which family of elements does ${name} belong to?`),
      Ask(`What kind of element is ${name}?`),
      Ask(`How is ${name} classified in the periodic table?`),
    ],
    frames: [`${name[0].toUpperCase() + name.slice(1)} is {}.`, "It is {}."],
    value: `${/^[aeiou]/.test(family) ? "an" : "a"} ${family}`,
    because: [
      `With atomic number ${number} its outer electrons place it in that group of the periodic table.`,
      `Its place in the periodic table, number ${number}, and its outer electrons decide this.`,
    ],
    check: [
      "Elements of one family react in a similar way because their outer shells are alike.",
      `Its symbol is ${symbol}, so you can check it in any periodic table.`,
    ],
    mistakes: [
      {
        value: `${/^[aeiou]/.test(familyWrong) ? "an" : "a"} ${familyWrong}`,
        because: "The family depends on the colour of the substance, not on its electrons.",
        kind: "wrong cause",
      },
      {
        value: `${/^[aeiou]/.test(familyWrong) ? "an" : "a"} ${familyWrong}`,
        because: `It shares its group with ${wrong[0]} because both names have similar letters.`,
        kind: "lexical swap",
      },
      {
        value: "a vitamin",
        because: "Elements that the body needs are counted among the vitamins.",
        kind: "wrong unit",
      },
    ],
  };
}

export const chemistry: Domain = { name: "chemistry", risk: "Medium", make: element };
