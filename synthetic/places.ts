// Countries: capital, continent and currency, looked up.
import type { Random } from "../lib/random";
import { type Domain, type Problem, other } from "./problem";

type Country = readonly [name: string, capital: string, biggest: string, continent: string, currency: string];
/** The largest city stands beside the capital: where both differ it is the classic mistake. */
const COUNTRIES: readonly Country[] = [
  ["Australia", "Canberra", "Sydney", "Oceania", "Australian dollar"],
  ["Brazil", "Brasília", "São Paulo", "South America", "real"],
  ["Canada", "Ottawa", "Toronto", "North America", "Canadian dollar"],
  ["Switzerland", "Bern", "Zürich", "Europe", "Swiss franc"],
  ["Turkey", "Ankara", "Istanbul", "Asia", "lira"],
  ["Morocco", "Rabat", "Casablanca", "Africa", "dirham"],
  ["New Zealand", "Wellington", "Auckland", "Oceania", "New Zealand dollar"],
  ["Vietnam", "Hanoi", "Ho Chi Minh City", "Asia", "dong"],
  ["Pakistan", "Islamabad", "Karachi", "Asia", "rupee"],
  ["India", "New Delhi", "Mumbai", "Asia", "rupee"],
  ["China", "Beijing", "Shanghai", "Asia", "renminbi"],
  ["Kazakhstan", "Astana", "Almaty", "Asia", "tenge"],
  ["Nigeria", "Abuja", "Lagos", "Africa", "naira"],
  ["Tanzania", "Dodoma", "Dar es Salaam", "Africa", "shilling"],
  ["Ecuador", "Quito", "Guayaquil", "South America", "US dollar"],
  ["France", "Paris", "Marseille", "Europe", "euro"],
  ["Germany", "Berlin", "Hamburg", "Europe", "euro"],
  ["Italy", "Rome", "Milan", "Europe", "euro"],
  ["Spain", "Madrid", "Barcelona", "Europe", "euro"],
  ["Portugal", "Lisbon", "Porto", "Europe", "euro"],
  ["Poland", "Warsaw", "Kraków", "Europe", "złoty"],
  ["Norway", "Oslo", "Bergen", "Europe", "krone"],
  ["Sweden", "Stockholm", "Gothenburg", "Europe", "krona"],
  ["Japan", "Tokyo", "Osaka", "Asia", "yen"],
  ["South Korea", "Seoul", "Busan", "Asia", "won"],
  ["Thailand", "Bangkok", "Chiang Mai", "Asia", "baht"],
  ["Kenya", "Nairobi", "Mombasa", "Africa", "shilling"],
  ["Ghana", "Accra", "Kumasi", "Africa", "cedi"],
  ["Ethiopia", "Addis Ababa", "Dire Dawa", "Africa", "birr"],
  ["Egypt", "Cairo", "Alexandria", "Africa", "pound"],
  ["Argentina", "Buenos Aires", "Córdoba", "South America", "peso"],
  ["Chile", "Santiago", "Valparaíso", "South America", "peso"],
  ["Peru", "Lima", "Arequipa", "South America", "sol"],
  ["Colombia", "Bogotá", "Medellín", "South America", "peso"],
  ["Mexico", "Mexico City", "Guadalajara", "North America", "peso"],
  ["Cuba", "Havana", "Santiago de Cuba", "North America", "peso"],
  ["Hungary", "Budapest", "Debrecen", "Europe", "forint"],
  ["Iceland", "Reykjavík", "Akureyri", "Europe", "króna"],
];
const CONTINENTS = ["Europe", "Asia", "Africa", "North America", "South America", "Oceania"];
const CONTEXTS = [
  "",
  " I am planning a trip.",
  " It is for a quiz.",
  " My son asked me.",
  " I have to fill in a form.",
  " Please explain briefly.",
];

function capital(random: Random): Problem {
  const item = random.pick(COUNTRIES);
  const [name, seat, biggest, continent] = item;
  const extra = random.pick(CONTEXTS);
  return {
    ask: [
      `What is the capital of ${name}?${extra}`,
      `Which city is the capital of ${name}?${extra}`,
      `Where does the government of ${name} sit?${extra}`,
    ],
    frames: [`The capital of ${name} is {}.`, "It is {}.", `{} is the capital of ${name}.`],
    value: seat,
    because: [
      `Parliament and government have their seat there, which is what makes a city the capital.`,
      `The state institutions of ${name} have their seat in that city.`,
    ],
    check: [
      `Do not mix it up with ${biggest}, another large city of ${name}.`,
      `${name} lies in ${continent}; ${biggest} is well known too but is not the capital.`,
    ],
    mistakes: [
      { value: biggest, because: "The best-known city of a country is always its capital.", kind: "wrong cause" },
      {
        value: other(random, COUNTRIES, item)[1],
        because: `The neighbouring countries share one capital, and ${name} belongs to them.`,
        kind: "lexical swap",
      },
      { value: continent, because: `The capital of a country is the continent that it lies in.`, kind: "wrong unit" },
    ],
  };
}

function currency(random: Random): Problem {
  const item = random.pick(COUNTRIES);
  const [name, seat, , , money] = item;
  const wrong = random.pick(COUNTRIES.filter((country) => country[4] !== money));
  const extra = random.pick(CONTEXTS);
  return {
    ask: [
      `Which currency is used in ${name}?${extra}`,
      `What money do I need in ${name}?${extra}`,
      `How do people pay in ${name}?${extra}`,
    ],
    frames: [`The currency of ${name} is the {}.`, "You pay with the {}.", "The {} is used there."],
    value: money,
    because: [
      `It is the legal tender of ${name}, issued under its monetary law.`,
      `Prices and wages in ${name} are set in it, because the law makes it legal tender.`,
    ],
    check: [
      `You can change money at banks in ${seat} or draw it from a cash machine.`,
      "Compare exchange rates before you travel, because fees differ a lot.",
    ],
    mistakes: [
      { value: wrong[4], because: "The currency goes by the first letter of a country's name.", kind: "wrong cause" },
      {
        value: wrong[4],
        because: `${name} and ${wrong[0]} are the same country under two names.`,
        kind: "lexical swap",
      },
      { value: seat, because: "Money is named after the capital, so you pay in the city.", kind: "wrong unit" },
    ],
  };
}

function continent(random: Random): Problem {
  const [name, seat, , where, money] = random.pick(COUNTRIES.filter((country) => country[0] !== "Turkey"));
  const wrong = other(random, CONTINENTS, where);
  const extra = random.pick(CONTEXTS);
  return {
    ask: [
      `On which continent is ${name}?${extra}`,
      `Which part of the world does ${name} belong to?${extra}`,
      `Where in the world is ${name}?${extra}`,
    ],
    frames: [`${name} lies in {}.`, "It belongs to {}.", "You find it in {}."],
    value: where,
    because: [
      `Its territory, with the capital ${seat}, is counted to that part of the world by geography.`,
      "Geographers divide the continents by coasts and mountain chains, and the country lies within these limits.",
    ],
    check: [
      `Its capital is ${seat} and its currency the ${money}.`,
      `A map shows it together with its neighbours there.`,
    ],
    mistakes: [
      { value: wrong, because: "The continent follows from the language that people speak.", kind: "wrong cause" },
      {
        value: wrong,
        because: `The names of ${name} and ${wrong} sound alike, so they belong together.`,
        kind: "lexical swap",
      },
      { value: seat, because: "The continent of a country is the city where its government sits.", kind: "wrong unit" },
    ],
  };
}

export const geography: Domain = {
  name: "geography",
  risk: "Low",
  make: (random) => random.pick([capital, capital, currency, continent])(random),
};
