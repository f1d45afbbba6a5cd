// Doses by the label: computed.
import type { Random } from "../lib/random";
import { type Domain, type Problem, between, plainNumber as n } from "./problem";

function weightDose(random: Random): Problem {
  const [perKg, weight] = [random.pick([5, 10, 12, 15]), between(random, 8, 42)];
  const limit = random.pick([500, 750, 1000]);
  const dose = Math.min(perKg * weight, limit);
  const capped = perKg * weight > limit;
  const form = random.pick(["syrup", "suspension", "oral solution"]);
  return {
    ask: [
      `The label of a ${form} says ${perKg} mg per kg of body weight for one dose, at most ${limit} mg. What is one dose for a child of ${weight} kg?`,
      `A child weighs ${weight} kg. The leaflet gives ${perKg} mg/kg per dose with a maximum of ${limit} mg. How much is a single dose?`,
    ],
    frames: ["One dose is {}.", "The single dose is {}.", "By the label, one dose is {}."],
    value: `${n(dose)} mg`,
    because: capped
      ? [
          `${perKg} mg times ${weight} kg is ${n(perKg * weight)} mg, which is above the maximum of ${limit} mg, so the maximum counts.`,
          "The dose by weight exceeds the limit of the label, and the limit must not be exceeded.",
        ]
      : [
          `The dose goes by body weight: ${perKg} mg times ${weight} kg, which is below the maximum of ${limit} mg.`,
          "Multiply the milligrams per kilogram by the weight; the result stays under the limit.",
        ],
    check: [
      "Confirm the strength of the bottle with a pharmacist or doctor before giving it.",
      "Keep the interval that the label states, and ask a doctor if the child takes other medicine.",
    ],
    mistakes: [
      {
        value: `${n(perKg * weight * 2)} mg`,
        because: "Double the dose by weight, because a larger amount works sooner.",
        kind: "wrong cause",
      },
      {
        value: `${n(weight / perKg)} mg`,
        because: "Divide the weight by the milligrams, because children need a fraction.",
        kind: "wrong cause",
      },
      {
        value: `${n(dose)} g`,
        because: "Multiply by the weight; milligrams and grams are the same on a spoon.",
        kind: "wrong unit",
      },
      {
        value: `${limit + 250} mg`,
        because: "The maximum of the label is the usual dose, and a little more does no harm.",
        kind: "lexical swap",
      },
    ],
  };
}

function dailyDose(random: Random): Problem {
  const [tablet, hours] = [random.pick([200, 250, 400, 500]), random.pick([6, 8, 12])];
  const times = 24 / hours;
  return {
    ask: [
      `My prescription says one ${tablet} mg tablet every ${hours} hours. How much is that in 24 hours?`,
      `A patient takes ${tablet} mg every ${hours} hours. What is the total in one day?`,
    ],
    frames: ["The daily total is {}.", "In 24 hours it is {}.", "That adds up to {}."],
    value: `${n(tablet * times)} mg`,
    because: [
      `24 hours divided by ${hours} gives ${times} doses, and ${times} times ${tablet} mg is the total.`,
      `There are ${times} doses a day, each of ${tablet} mg.`,
    ],
    check: [
      "Do not make up for a missed dose by a double one; ask your doctor or pharmacist.",
      "Compare the total with the daily maximum in the leaflet before you start.",
    ],
    mistakes: [
      {
        value: `${n(tablet * hours)} mg`,
        because: `Multiply ${tablet} by the ${hours} hours, because every hour counts as a dose.`,
        kind: "wrong cause",
      },
      {
        value: `${n(tablet * (times + 2))} mg`,
        because: "Two extra tablets belong to each day, because more of it heals sooner.",
        kind: "wrong cause",
      },
      {
        value: `${n(tablet * times)} ml`,
        because: "Multiply the doses by the strength; tablets are measured in millilitres.",
        kind: "wrong unit",
      },
    ],
  };
}

export const dosing: Domain = {
  name: "medication",
  risk: "High",
  make: (random) => random.pick([weightDose, dailyDose])(random),
};
