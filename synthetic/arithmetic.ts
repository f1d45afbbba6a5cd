// Percentages, means and areas: computed.
import type { Random } from "../lib/random";
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

export const arithmetic: Domain = {
  name: "arithmetic",
  risk: "Low",
  make: (random) => random.pick([percentage, average, rectangle])(random),
};
