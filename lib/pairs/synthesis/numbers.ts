// Arithmetic, unit conversion and the calendar: everything is computed.
import type { Random } from "../../random";
import { type Domain, type Problem, between, plainNumber as n } from "./problem";

function percentage(random: Random): Problem {
  const rate = 5 * between(random, 1, 15);
  const base = 20 * between(random, 2, 60);
  const value = (rate * base) / 100;
  return {
    ask: [
      `What is ${rate}% of ${n(base)}?`,
      `How much is ${rate} percent of ${n(base)}?`,
      `I need ${rate}% of ${n(base)}. What is it?`,
    ],
    frames: [`${rate}% of ${n(base)} is {}.`, "The result is {}.", "That comes to {}."],
    value: n(value),
    because: [
      `A percentage is a part of one hundred, so you multiply ${n(base)} by ${rate} and divide by 100.`,
      `Percent means per hundred: ${n(base)} times ${n(rate / 100)} gives the share.`,
    ],
    check: [
      `As a check, 10% of ${n(base)} is ${n(base / 10)}, which fits the size of the result.`,
      `Half of ${n(base)} would be 50%, so the size is plausible.`,
    ],
    mistakes: [
      {
        value: n(base / rate),
        because: `You divide ${n(base)} by ${rate}, because percent means division by the rate.`,
        kind: "wrong cause",
      },
      {
        value: n(base - rate),
        because: `You take ${rate} away from ${n(base)}, because a percentage is subtracted.`,
        kind: "wrong cause",
      },
      {
        value: n(value * 10),
        because: `You multiply by ${rate} and divide by 10, since percent means per ten.`,
        kind: "lexical swap",
      },
    ],
  };
}

function average(random: Random): Problem {
  const values = Array.from({ length: between(random, 3, 5) }, () => between(random, 2, 60));
  const sum = values.reduce((a, b) => a + b, 0);
  const list = `${values.slice(0, -1).join(", ")} and ${values.at(-1)}`;
  return {
    ask: [`What is the mean of ${list}?`, `Find the average of ${list}.`, `My scores are ${list}. What is my average?`],
    frames: ["The mean is {}.", "The average is {}.", "You get {} as the average."],
    value: n(sum / values.length),
    because: [
      `Add all numbers to get ${sum} and divide by how many there are, which is ${values.length}.`,
      `The mean is the sum divided by the count: ${sum} over ${values.length}.`,
    ],
    check: [
      `It lies between the smallest number, ${Math.min(...values)}, and the largest, ${Math.max(...values)}, as a mean must.`,
      "Rounded to two decimals; the order of the numbers does not matter.",
    ],
    mistakes: [
      {
        value: n(sum),
        because: "Adding all numbers is enough, because the average is their total.",
        kind: "wrong cause",
      },
      {
        value: n(Math.max(...values)),
        because: "The average is the largest number of the list, because it outweighs the others.",
        kind: "wrong cause",
      },
      {
        value: n(sum / 2),
        because: "The sum is divided by two, because an average is always half of the total.",
        kind: "wrong cause",
      },
    ],
  };
}

function rectangle(random: Random): Problem {
  const [a, b] = [between(random, 2, 40), between(random, 2, 40)];
  return {
    ask: [
      `A room is ${a} m long and ${b} m wide. What is its floor area?`,
      `What is the area of a rectangle of ${a} m by ${b} m?`,
      `How many square metres does a garden of ${a} by ${b} metres have?`,
    ],
    frames: ["The area is {}.", "It covers {}.", "That makes {}."],
    value: `${n(a * b)} square metres`,
    because: [
      `The area of a rectangle is length times width: ${a} times ${b}.`,
      `Multiply the two sides, ${a} m and ${b} m, to get the area.`,
    ],
    check: [
      "Metres times metres give square metres, so the unit is right.",
      `The perimeter, ${2 * (a + b)} m, is something else.`,
    ],
    mistakes: [
      {
        value: `${2 * (a + b)} square metres`,
        because: "Add the sides and double the sum, because the area goes once around the edge.",
        kind: "wrong cause",
      },
      {
        value: `${n(a * b)} metres`,
        because: "Multiply the sides; the area is a length and is given in metres.",
        kind: "wrong unit",
      },
      {
        value: `${a + b} square metres`,
        because: "Add length and width, because an area is the sum of its sides.",
        kind: "wrong cause",
      },
    ],
  };
}

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

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;

function weekday(random: Random): Problem {
  const date = new Date(Date.UTC(between(random, 1950, 2049), random.integer(12), between(random, 1, 28)));
  const day = date.getUTCDay();
  const name = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
  const shift = between(random, 1, 6);
  return {
    ask: [
      `What day of the week is ${name}?`,
      `On which weekday does ${name} fall?`,
      `Which day of the week belongs to ${name}?`,
    ],
    frames: [`${name} is a {}.`, "It is a {}.", "That date falls on a {}."],
    value: DAYS[day],
    because: [
      "Count the days from a known date and take the remainder after division by seven, leap days included.",
      "The remainder of the day count after division by 7 gives the weekday in the Gregorian calendar.",
    ],
    check: [
      `A week later, the same weekday returns, so you can check it against any calendar of ${date.getUTCFullYear()}.`,
      "This holds for the Gregorian calendar; the older Julian calendar differs.",
    ],
    mistakes: [
      {
        value: DAYS[(day + shift) % 7],
        because: "Every month begins with a Monday, so the day of the month alone decides.",
        kind: "wrong cause",
      },
      {
        value: DAYS[(day + shift) % 7],
        because: "Weekdays repeat every ten days, so the remainder after division by ten decides.",
        kind: "lexical swap",
      },
      {
        value: MONTHS[(date.getUTCMonth() + shift) % 12],
        because: "The name of the day follows from the position of the month.",
        kind: "wrong unit",
      },
    ],
  };
}

function leapYear(random: Random): Problem {
  const year = random.next() < 0.3 ? 100 * between(random, 15, 28) : between(random, 1804, 2240);
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const rule =
    year % 400 === 0
      ? "it can be divided by 400"
      : year % 100 === 0
        ? "it is a century that cannot be divided by 400"
        : leap
          ? "it can be divided by 4 and is no century"
          : "it cannot be divided by 4";
  return {
    ask: [`Is ${year} a leap year?`, `Does February have 29 days in ${year}?`, `Has the year ${year} 366 days?`],
    frames: [`{}`, `The answer for ${year} is: {}`],
    value: leap ? `Yes, ${year} is a leap year with 366 days.` : `No, ${year} is a common year with 365 days.`,
    because: [
      `The rule looks at division by 4, 100 and 400, and for ${year} it says: ${rule}.`,
      `In the Gregorian calendar this holds because ${rule}.`,
    ],
    check: [
      `So February ${year} has ${leap ? 29 : 28} days.`,
      "The exception for centuries keeps the calendar in step with the seasons.",
    ],
    mistakes: [
      {
        value: leap ? `No, ${year} is a common year.` : `Yes, ${year} is a leap year.`,
        because: "Leap years come every five years, counted from the last census.",
        kind: "lexical swap",
      },
      {
        value: leap ? `No, ${year} is a common year.` : `Yes, ${year} is a leap year.`,
        because: "A year is a leap year whenever its digits add up to an even number.",
        kind: "wrong cause",
      },
      {
        value: leap ? `No, ${year} has only 28 days.` : `Yes, ${year} has 366 weeks.`,
        because: "The moon decides each spring whether a day is added.",
        kind: "wrong unit",
      },
    ],
  };
}

export const arithmetic: Domain = {
  name: "arithmetic",
  risk: "Low",
  make: (random) => random.pick([percentage, average, rectangle])(random),
};
export const units: Domain = {
  name: "units",
  risk: "Low",
  make: (random) => random.pick([conversion, conversion, temperature])(random),
};
export const calendar: Domain = {
  name: "calendar",
  risk: "Low",
  make: (random) => random.pick([weekday, leapYear])(random),
};
