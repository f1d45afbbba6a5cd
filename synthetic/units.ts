// Units of measure and temperatures: computed.
import type { Random } from "../lib/random";
import { type Domain, type Problem, between, plainNumber as n } from "./problem";

interface Unit {
  readonly from: string;
  readonly to: string;
  readonly factor: number;
  readonly wrongUnit: string;
}
const UNITS: readonly Unit[] = [
  { from: "miles", to: "kilometres", factor: 1.609344, wrongUnit: "kilograms" },
  { from: "inches", to: "centimetres", factor: 2.54, wrongUnit: "degrees" },
  { from: "feet", to: "metres", factor: 0.3048, wrongUnit: "litres" },
  { from: "pounds", to: "kilograms", factor: 0.45359237, wrongUnit: "kilometres" },
  { from: "US gallons", to: "litres", factor: 3.785411784, wrongUnit: "metres" },
  { from: "ounces", to: "grams", factor: 28.349523125, wrongUnit: "seconds" },
  { from: "hectares", to: "acres", factor: 2.471053815, wrongUnit: "hours" },
  { from: "nautical miles", to: "kilometres", factor: 1.852, wrongUnit: "litres" },
];

function conversion(random: Random): Problem {
  const unit = random.pick(UNITS);
  const amount = between(random, 2, 400);
  const { from, to, factor } = unit;
  const one = from
    .replace(/feet$/, "foot")
    .replace(/inches$/, "inch")
    .replace(/s$/, "");
  return {
    ask: [
      `Convert ${amount} ${from} to ${to}.`,
      `How many ${to} are ${amount} ${from}?`,
      `What is ${amount} ${from} in ${to}?`,
    ],
    frames: [`${amount} ${from} are {}.`, "That is {}.", "The conversion gives {}."],
    value: `${n(amount * factor)} ${to}`,
    because: [
      `One ${one} is ${n(factor, 4)} ${to}, so multiply ${amount} by ${n(factor, 4)}.`,
      `You multiply by the factor ${n(factor, 4)}, the number of ${to} in one ${one}.`,
    ],
    check: [
      `A ${one} is ${factor > 1 ? "larger" : "smaller"} than one of the ${to}, so the number must ${factor > 1 ? "grow" : "shrink"}.`,
      "The result is rounded to two decimals.",
    ],
    mistakes: [
      {
        value: `${n(amount / factor)} ${to}`,
        because: `You divide ${amount} by ${n(factor, 4)}, because the factor always goes below.`,
        kind: "wrong cause",
      },
      {
        value: `${n(amount * factor)} ${unit.wrongUnit}`,
        because: `Multiply by the factor; the result is measured in ${unit.wrongUnit}.`,
        kind: "wrong unit",
      },
      {
        value: `${n(amount)} ${to}`,
        because: `Both units have the same size, because ${from} is only another word for ${to}.`,
        kind: "lexical swap",
      },
    ],
  };
}

function temperature(random: Random): Problem {
  const celsius = 5 * between(random, -6, 22);
  const fahrenheit = celsius * 1.8 + 32;
  return {
    ask: [
      `What is ${celsius} degrees Celsius in Fahrenheit?`,
      `Convert ${celsius} °C to Fahrenheit.`,
      `The forecast says ${celsius} °C. What is that in °F?`,
    ],
    frames: ["It is {}.", "That equals {}.", "You get {}."],
    value: `${n(fahrenheit)} degrees Fahrenheit`,
    because: [
      `Multiply by 9/5 and add 32, because both scales differ in step and in zero.`,
      `Fahrenheit is Celsius times 1.8 plus 32: ${n(celsius * 1.8)} plus 32.`,
    ],
    check: [
      "Water freezes at 32 and boils at 212 degrees Fahrenheit, which brackets everyday values.",
      "At minus 40 both scales agree, which is a good test of the rule.",
    ],
    mistakes: [
      {
        value: `${n(celsius + 32)} degrees Fahrenheit`,
        because: "Adding 32 is all that is needed, because the degrees have the same size.",
        kind: "wrong cause",
      },
      {
        value: `${n((celsius - 32) / 1.8)} degrees Fahrenheit`,
        because: "Subtract 32 and divide by 1.8, because Fahrenheit numbers are always smaller.",
        kind: "wrong cause",
      },
      {
        value: `${n(fahrenheit)} kelvin`,
        because: "Multiply by 1.8 and add 32; the Fahrenheit scale counts kelvin.",
        kind: "wrong unit",
      },
    ],
  };
}

export const units: Domain = {
  name: "units",
  risk: "Low",
  make: (random) => random.pick([conversion, conversion, temperature])(random),
};
