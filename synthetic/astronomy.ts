// Order and years of the planets: looked up.
import type { Random } from "../lib/random";
import { type Domain, type Problem, other } from "./problem";

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

export const astronomy: Domain = { name: "astronomy", risk: "Low", make: planet };
