// Physics (computed), chemistry and astronomy (looked up).
import type { Random } from "../../random";
import { type Domain, type Problem, between, other, plainNumber as n } from "./problem";

function speed(random: Random): Problem {
  const hours = between(random, 2, 9);
  const rate = 5 * between(random, 6, 40);
  const thing = random.pick(["train", "car", "ship", "coach", "lorry", "drone"]);
  return {
    ask: [
      `A ${thing} covers ${n(hours * rate)} km in ${hours} hours. What is its average speed?`,
      `How fast does a ${thing} go on average if it needs ${hours} hours for ${n(hours * rate)} km?`,
    ],
    frames: ["The average speed is {}.", "It goes at {}.", "That makes {}."],
    value: `${n(rate)} km per hour`,
    because: [
      `Speed is distance divided by time: ${n(hours * rate)} km over ${hours} h.`,
      "Average speed is the whole distance divided by the whole time.",
    ],
    check: [
      `At that speed ${hours} hours give back the ${n(hours * rate)} km.`,
      "It is an average; at any moment the speed may differ.",
    ],
    mistakes: [
      {
        value: `${n(hours * hours * rate)} km per hour`,
        because: "Speed is distance multiplied by time, because both grow on the way.",
        kind: "wrong cause",
      },
      {
        value: `${n(rate)} kilograms`,
        because: "Divide distance by time; the speed is given in kilograms.",
        kind: "wrong unit",
      },
      {
        value: `${n(hours * rate - hours)} km per hour`,
        because: "Take the hours away from the distance, because time slows the motion.",
        kind: "wrong cause",
      },
    ],
  };
}

function force(random: Random): Problem {
  const [mass, acceleration] = [between(random, 2, 90), between(random, 2, 12)];
  return {
    ask: [
      `Which force accelerates a mass of ${mass} kg by ${acceleration} m/s²?`,
      `A ${mass} kg cart accelerates at ${acceleration} m/s². What net force acts on it?`,
    ],
    frames: ["The force is {}.", "A net force of {} acts.", "It takes {}."],
    value: `${n(mass * acceleration)} newtons`,
    because: [
      `Newton's second law says force is mass times acceleration: ${mass} times ${acceleration}.`,
      "Force equals mass times acceleration, and kg times m/s² is the newton.",
    ],
    check: [
      "Friction is left out; with friction the driving force must be larger.",
      `Twice the mass would need ${n(2 * mass * acceleration)} newtons.`,
    ],
    mistakes: [
      {
        value: `${n(mass / acceleration)} newtons`,
        because: "Force is mass divided by acceleration, because light things accelerate more.",
        kind: "wrong cause",
      },
      {
        value: `${n(mass * acceleration)} volts`,
        because: "Mass times acceleration gives the force, and force is measured in volts.",
        kind: "wrong unit",
      },
      {
        value: `${n(mass + acceleration)} newtons`,
        because: "Mass and acceleration are added, because both push the body.",
        kind: "wrong cause",
      },
    ],
  };
}

function ohm(random: Random): Problem {
  const [resistance, current] = [between(random, 2, 60), between(random, 1, 12)];
  const voltage = resistance * current;
  return {
    ask: [
      `A resistor of ${resistance} ohms is connected to ${voltage} volts. Which current flows?`,
      `What current does ${voltage} V drive through ${resistance} ohms?`,
    ],
    frames: ["The current is {}.", "{} flow through it.", "You get {}."],
    value: `${current} amperes`,
    because: [
      `Ohm's law: current is voltage divided by resistance, ${voltage} over ${resistance}.`,
      "Voltage divided by resistance gives the current.",
    ],
    check: [
      `The resistor then turns ${n(voltage * current)} watts into heat, so mind its rating.`,
      "This holds while the resistance does not change with temperature.",
    ],
    mistakes: [
      {
        value: `${n(voltage * resistance)} amperes`,
        because: "Current is voltage multiplied by resistance, because resistance pushes the current.",
        kind: "wrong cause",
      },
      {
        value: `${current} metres`,
        because: "Divide voltage by resistance; a current is a length and comes in metres.",
        kind: "wrong unit",
      },
      {
        value: `${n(voltage - resistance)} amperes`,
        because: "The resistance is subtracted from the voltage, and the rest flows.",
        kind: "wrong cause",
      },
    ],
  };
}

function density(random: Random): Problem {
  const [volume, rho] = [between(random, 2, 40), between(random, 2, 20)];
  return {
    ask: [
      `A body of ${volume} cm³ has a mass of ${n(volume * rho)} g. What is its density?`,
      `What is the density of ${n(volume * rho)} g of a material that fills ${volume} cm³?`,
    ],
    frames: ["The density is {}.", "It has {}.", "That gives {}."],
    value: `${rho} grams per cubic centimetre`,
    because: [
      `Density is mass divided by volume: ${n(volume * rho)} g over ${volume} cm³.`,
      "Mass per volume is the density, so divide the grams by the cubic centimetres.",
    ],
    check: [
      "Water has 1 gram per cubic centimetre, so this body sinks.",
      "The density does not depend on how much of the material there is.",
    ],
    mistakes: [
      {
        value: `${n(volume * volume * rho)} grams per cubic centimetre`,
        because: "Density is mass multiplied by volume, because large bodies are dense.",
        kind: "wrong cause",
      },
      { value: `${rho} degrees`, because: "Divide mass by volume; densities are read in degrees.", kind: "wrong unit" },
      {
        value: `${n(volume + rho)} grams per cubic centimetre`,
        because: "Mass and volume are added up, because both describe the size.",
        kind: "wrong cause",
      },
    ],
  };
}

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

type Planet = readonly [name: string, place: number, kind: string, year: string];
const PLANETS: readonly Planet[] = [
  ["Mercury", 1, "rocky planet", "88 Earth days"],
  ["Venus", 2, "rocky planet", "225 Earth days"],
  ["Earth", 3, "rocky planet", "365 days"],
  ["Mars", 4, "rocky planet", "687 Earth days"],
  ["Jupiter", 5, "gas giant", "12 Earth years"],
  ["Saturn", 6, "gas giant", "29 Earth years"],
  ["Uranus", 7, "ice giant", "84 Earth years"],
  ["Neptune", 8, "ice giant", "165 Earth years"],
];
const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"];

function planet(random: Random): Problem {
  const item = random.pick(PLANETS);
  const wrong = other(random, PLANETS, item);
  const [name, place, kind, year] = item;
  const listener = random.pick([
    "",
    " Please explain it to a child.",
    " I am preparing a talk.",
    " It came up in a quiz.",
    " My daughter asked me.",
  ]);
  if (random.next() < 0.5)
    return {
      ask: [
        `Which planet from the Sun is ${name}?${listener}`,
        `What place does ${name} have, counted from the Sun?${listener}`,
      ],
      frames: [`${name} is the {} planet.`, "It is the {} one."],
      value: ORDINALS[place - 1],
      because: [
        `Ordered by distance from the Sun, ${place === 1 ? "no planet comes before it" : `${PLANETS[place - 2][0]} comes before it`}${place < 8 ? ` and ${PLANETS[place][0]} after it` : ""}.`,
        "The order follows the mean distance from the Sun.",
      ],
      check: [
        `It is a ${kind} and needs about ${year} for one orbit.`,
        "Pluto is not counted since 2006, when it became a dwarf planet.",
      ],
      mistakes: [
        {
          value: ORDINALS[wrong[1] - 1],
          because: "Planets are ordered by their brightness in the evening sky.",
          kind: "wrong cause",
        },
        {
          value: ORDINALS[wrong[1] - 1],
          because: `${name} and ${wrong[0]} are two names of the same planet.`,
          kind: "lexical swap",
        },
        { value: "hottest", because: "The place of a planet is its temperature in the list.", kind: "wrong unit" },
      ],
    };
  return {
    ask: [`How long does ${name} take to orbit the Sun?${listener}`, `How long is a year on ${name}?${listener}`],
    frames: [`${name} needs about {}.`, "One orbit takes about {}.", "A year there lasts about {}."],
    value: year,
    because: [
      "Kepler's third law ties the time of an orbit to the distance: the farther out, the longer the year.",
      `It is number ${place} from the Sun, and its distance sets the time of the orbit.`,
    ],
    check: [
      "The number is rounded and means one turn around the Sun, not around the planet's own axis.",
      `For comparison, ${wrong[0]} needs about ${wrong[3]}.`,
    ],
    mistakes: [
      {
        value: wrong[3],
        because: "All that counts is the mass: heavy planets are pulled around faster.",
        kind: "wrong cause",
      },
      { value: wrong[3], because: "The year is the time of one turn around its own axis.", kind: "lexical swap" },
      {
        value: "40 million kilometres",
        because: "The length of a year is measured along the path, in kilometres.",
        kind: "wrong unit",
      },
    ],
  };
}

export const physics: Domain = {
  name: "physics",
  risk: "Medium",
  make: (random) => random.pick([speed, force, ohm, density])(random),
};
export const chemistry: Domain = { name: "chemistry", risk: "Medium", make: element };
export const astronomy: Domain = { name: "astronomy", risk: "Low", make: planet };
