// Safety at home: looked up.
import { type Fact, problemOf } from "./fact";
import type { Domain } from "./problem";

const HOUSEHOLD: readonly Fact[] = [
  {
    ask: [
      "May I mix bleach with an ammonia cleaner? {who} says it cleans better.",
      "{who} wants to mix bleach and ammonia. Is that a good idea?",
    ],
    value: "No, never mix bleach and ammonia.",
    because: [
      "The mixture releases chloramine gas, which harms the lungs.",
      "Both react to toxic gases even in small amounts.",
    ],
    check: [
      "If it has happened, leave the room, air it and call the poison centre.",
      "Use one product at a time and rinse in between.",
    ],
    myths: [
      ["Yes, mix them in equal parts.", "Two cleaners double each other's strength."],
      ["Yes, as long as the water is warm.", "Warm water keeps the gas in the bucket."],
      ["Yes, with the window closed.", "The vapour is needed to kill the germs."],
    ],
  },
  {
    ask: [
      "Oil in a pan is on fire at the place of {who}. How is it put out?",
      "How should {who} put out burning oil on the stove?",
    ],
    value: "Turn off the heat and cover the pan with a lid or a fire blanket.",
    because: [
      "A lid takes the oxygen away, and without oxygen the flame dies.",
      "Smothering works, because fire needs air.",
    ],
    check: [
      "Leave the lid on until it has cooled, and call the fire brigade if it spreads.",
      "Never carry the burning pan.",
    ],
    myths: [
      ["Pour water into the pan.", "Water cools the oil below its flash point at once."],
      ["Carry the pan outside quickly.", "Moving air blows the flame out."],
      ["Throw flour on it.", "Flour does not burn and soaks up the oil."],
    ],
  },
  {
    ask: [
      "{who} smells gas in the kitchen. What is right?",
      "What should {who} do about a strong smell of gas at home?",
    ],
    value: "Touch no switch, open the windows, leave the building and call the gas emergency line from outside.",
    because: [
      "A spark from a switch can ignite the mixture of gas and air.",
      "Fresh air thins the gas, and outside a call cannot set it off.",
    ],
    check: [
      "Warn the neighbours by knocking, not by ringing the bell.",
      "Close the gas tap on the way if it is within reach.",
    ],
    myths: [
      ["Light a match to find the leak.", "A small flame burns the gas away safely."],
      ["Switch on the fan.", "The motor of a fan is always safe in gas."],
      ["Wait, gas is heavier than walls.", "It sinks into the ground by itself."],
    ],
  },
  {
    ask: [
      "The carbon monoxide alarm sounds at the home of {who}. What now?",
      "What should {who} do when a carbon monoxide alarm goes off?",
    ],
    value: "Go outside at once, take everybody along and call emergency services.",
    because: [
      "Carbon monoxide has no smell and blocks oxygen in the blood.",
      "One cannot notice the gas, and it makes people unconscious.",
    ],
    check: ["Go back only when the fire brigade allows it.", "Headache and dizziness are signs that need a doctor."],
    myths: [
      ["Take out the battery and go to sleep.", "Such alarms react to dust most of the time."],
      ["Sniff whether there is a smell.", "Carbon monoxide smells of smoke, so no smell means no gas."],
      ["Open the fridge to cool the air.", "Cold air binds the gas."],
    ],
  },
];

export const household: Domain = {
  name: "household safety",
  risk: "High",
  make: (random) => problemOf(random, random.pick(HOUSEHOLD)),
};
