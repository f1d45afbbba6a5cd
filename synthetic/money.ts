// Interest, discounts and budgets: computed.
import type { Random } from "../lib/random";
import { type Domain, type Problem, between, plainNumber as n } from "./problem";

const euro = (value: number) => `${n(value)} euros`;

function simpleInterest(random: Random): Problem {
  const [principal, rate, years] = [500 * between(random, 1, 40), between(random, 1, 9), between(random, 2, 10)];
  const interest = (principal * rate * years) / 100;
  return {
    ask: [
      `How much simple interest do ${n(principal)} euros earn in ${years} years at ${rate}% a year?`,
      `I lend ${n(principal)} euros for ${years} years at ${rate}% simple interest. What interest do I get?`,
    ],
    frames: ["The interest is {}.", "You earn {}.", "It comes to {}."],
    value: euro(interest),
    because: [
      `Simple interest is principal times rate times years: ${n(principal)} times ${rate / 100} times ${years}.`,
      "Each year pays the same share of the principal, so multiply the yearly interest by the years.",
    ],
    check: [
      "With compound interest it would be more, because interest then earns interest.",
      "Taxes and fees are not included, so ask your bank what remains.",
    ],
    mistakes: [
      {
        value: euro((principal * rate) / 100 / years),
        because: "The yearly interest is divided by the years, because it is spread over them.",
        kind: "wrong cause",
      },
      {
        value: `${n(interest)} percent`,
        because: "Multiply principal, rate and years; interest is always a percentage.",
        kind: "wrong unit",
      },
      {
        value: euro(principal + rate + years),
        because: "Principal, rate and years are added, because each of them brings money.",
        kind: "wrong cause",
      },
    ],
  };
}

function compound(random: Random): Problem {
  const [principal, rate, years] = [500 * between(random, 1, 40), between(random, 2, 8), between(random, 2, 8)];
  const total = principal * (1 + rate / 100) ** years;
  return {
    ask: [
      `What do ${n(principal)} euros grow to in ${years} years at ${rate}% compound interest?`,
      `I save ${n(principal)} euros at ${rate}% a year and leave the interest in. What is there after ${years} years?`,
    ],
    frames: ["They grow to {}.", "After that time there are {}.", "The balance is {}."],
    value: euro(total),
    because: [
      `Each year the balance is multiplied by ${1 + rate / 100}, and that ${years} times over.`,
      "Interest earns interest, so the growth factor is raised to the number of years.",
    ],
    check: [
      "Simple interest would give less; the difference is the interest on interest.",
      "It assumes a constant rate, which banks seldom promise, and leaves out taxes.",
    ],
    mistakes: [
      {
        value: euro(principal + rate * years),
        because: "The rate is added once a year in euros, because a percent is a euro.",
        kind: "lexical swap",
      },
      {
        value: euro(principal * (1 - rate / 100) ** years),
        because: "The balance shrinks every year, because the bank keeps the interest.",
        kind: "wrong cause",
      },
      {
        value: `${n(total)} months`,
        because: "Raise the factor to the years; what comes out is the term in months.",
        kind: "wrong unit",
      },
    ],
  };
}

function discount(random: Random): Problem {
  const [price, rate] = [10 * between(random, 3, 90), 5 * between(random, 1, 12)];
  const final = price * (1 - rate / 100);
  const thing = random.pick(["coat", "bicycle", "laptop", "sofa", "camera", "tent", "printer"]);
  return {
    ask: [
      `A ${thing} costs ${price} euros and is reduced by ${rate}%. What do I pay?`,
      `What is the price of a ${thing} of ${price} euros after a discount of ${rate}%?`,
    ],
    frames: ["You pay {}.", "The new price is {}.", "It then costs {}."],
    value: euro(final),
    because: [
      `${rate}% of ${price} euros is ${n(price - final)} euros, which is taken off the price.`,
      `What remains is ${100 - rate}% of the price, so multiply ${price} by ${n(1 - rate / 100)}.`,
    ],
    check: [
      `The saving, ${n(price - final)} euros, and the new price add up to ${price} euros.`,
      "A second discount would be taken from the new price, not from the old one.",
    ],
    mistakes: [
      {
        value: euro(price - rate),
        because: `A discount of ${rate}% means ${rate} euros less, because percent and euros are the same.`,
        kind: "lexical swap",
      },
      {
        value: euro(price * (1 + rate / 100)),
        because: "The percentage is added to the price, because a discount covers the seller's costs.",
        kind: "wrong cause",
      },
      {
        value: `${n(final)} percent`,
        because: "Take the share off; the price is then a percentage.",
        kind: "wrong unit",
      },
    ],
  };
}

function monthly(random: Random): Problem {
  const [goal, months] = [120 * between(random, 5, 90), random.pick([6, 8, 10, 12, 15, 20, 24])];
  return {
    ask: [
      `I want to save ${n(goal)} euros in ${months} months. How much is that a month?`,
      `How much must I put aside monthly to have ${n(goal)} euros after ${months} months?`,
    ],
    frames: ["You need {} a month.", "Put aside {} every month.", "It takes {} each month."],
    value: euro(goal / months),
    because: [
      `Divide the goal by the number of months: ${n(goal)} over ${months}.`,
      "Equal instalments are the sum divided by their number.",
    ],
    check: [
      "Interest is left out, so a savings account would get you there slightly sooner.",
      `${months} such instalments add up to the goal again.`,
    ],
    mistakes: [
      {
        value: euro(goal * months),
        because: "The goal is multiplied by the months, because every month needs the whole sum.",
        kind: "wrong cause",
      },
      {
        value: euro(goal - months),
        because: "The months are subtracted from the goal, because time is money.",
        kind: "lexical swap",
      },
      {
        value: `${n(goal / months)} kilometres`,
        because: "Divide the goal by the months; an instalment is a distance.",
        kind: "wrong unit",
      },
    ],
  };
}

export const finance: Domain = {
  name: "finance",
  risk: "Medium",
  make: (random) => random.pick([simpleInterest, compound, discount, monthly])(random),
};
