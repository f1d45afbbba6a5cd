// Weekdays and leap years: computed.
import type { Random } from "../lib/random";
import { type Domain, type Problem, between } from "./problem";

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

export const calendar: Domain = {
  name: "calendar",
  risk: "Low",
  make: (random) => random.pick([weekday, leapYear])(random),
};
