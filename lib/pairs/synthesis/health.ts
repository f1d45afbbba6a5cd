// Dosing by the label (computed) and first aid (looked up in the common guidelines).
import type { Random } from "../../random";
import { type Domain, type Problem, between, plainNumber as n } from "./problem";
import { type Fact, problemOf } from "./fact";

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

/** After the guidelines of the European Resuscitation Council and the Red Cross, in their common part. */
const FIRST_AID: readonly Fact[] = [
  {
    ask: [
      "{who} has burnt a hand on a pan. What should be done first?",
      "What is the first aid for a small burn? It happened to {who}.",
    ],
    value: "Cool the burn under cool running water for about twenty minutes.",
    because: [
      "Cooling stops the heat from going deeper into the skin and eases the pain.",
      "Running water carries the heat away, which limits the damage to the tissue.",
    ],
    check: [
      "Cover it loosely afterwards and see a doctor if it blisters widely or involves the face.",
      "Take rings off early, before the hand swells.",
    ],
    myths: [
      ["Spread butter on the burn.", "Butter draws the heat out of the skin."],
      ["Put ice straight on the burn for an hour.", "The colder the better, because frost heals burns."],
      ["Prick the blisters at once.", "The water in a blister keeps the burn hot."],
    ],
  },
  {
    ask: ["{who} has a nosebleed. What helps?", "How do I stop a nosebleed of {who}?"],
    value: "Sit up, lean forward and pinch the soft part of the nose for ten minutes.",
    because: [
      "Pressure closes the small vessels, and leaning forward keeps the blood out of the throat.",
      "The bleeding mostly comes from the front of the nose, where pressure reaches it.",
    ],
    check: [
      "If it has not stopped after half an hour, get medical help.",
      "Call a doctor sooner if blood thinners are taken.",
    ],
    myths: [
      ["Tilt the head far back.", "Blood then flows back into the vessels where it belongs."],
      ["Lie flat and blow the nose hard.", "Blowing closes the vessel by wind."],
      ["Stuff the ear with cotton.", "Nose and ear share one vessel."],
    ],
  },
  {
    ask: [
      "{who} is choking and cannot speak or cough. What now?",
      "What do I do when {who} chokes on food and cannot breathe?",
    ],
    value:
      "Give up to five blows between the shoulder blades, then up to five abdominal thrusts, and call emergency services.",
    because: [
      "Blows and thrusts raise the pressure in the chest, which can push the object out.",
      "Without air the brain is harmed within minutes, so the airway has to be freed at once.",
    ],
    check: [
      "Infants get chest thrusts instead of abdominal ones.",
      "If the person becomes unconscious, begin resuscitation.",
    ],
    myths: [
      ["Give a large glass of water.", "Water washes everything down, also from the windpipe."],
      ["Wait until it passes.", "The body always coughs it up in the end."],
      ["Feed dry bread.", "Bread pushes the object on."],
    ],
  },
  {
    ask: [
      "{who} does not react and does not breathe normally. What should I do?",
      "How do I help {who} in a cardiac arrest?",
    ],
    value: "Call emergency services, press hard and fast in the middle of the chest, and send for a defibrillator.",
    because: [
      "Compressions at 100 to 120 a minute keep blood flowing to the brain until the heart beats again.",
      "Each minute without circulation lowers the chance of survival.",
    ],
    check: [
      "Give two breaths after thirty compressions if you are trained; otherwise press on without a break.",
      "Follow the voice of the defibrillator.",
    ],
    myths: [
      ["Wait for the ambulance without touching the chest.", "Compressions do more harm than a heart at rest."],
      ["Put the person in a chair with coffee.", "Caffeine starts the heart again."],
      ["Raise the legs and fan air.", "Fresh air alone brings the pulse back."],
    ],
  },
  {
    ask: [
      "{who} may have swallowed drain cleaner. What should happen now?",
      "What is right after {who} drank a corrosive cleaner?",
    ],
    value: "Call the poison centre or emergency services at once and do not make the person vomit.",
    because: [
      "A corrosive liquid burns a second time on its way up.",
      "Vomiting brings the acid or lye back through the gullet and perhaps into the lungs.",
    ],
    check: [
      "Keep the container at hand, so that you can name the product.",
      "Rinse the mouth with water if the person is awake.",
    ],
    myths: [
      ["Make the person vomit with salt water.", "Whatever leaves the stomach can do no harm."],
      ["Give vinegar to drink.", "Vinegar neutralises every cleaner in the stomach."],
      ["Offer milk and let the person sleep.", "Sleep calms the stomach until it is over."],
    ],
  },
  {
    ask: [
      "{who} shows a drooping face and slurred speech. What should be done?",
      "Half of the face of {who} suddenly droops. What now?",
    ],
    value: "Call emergency services immediately, because it may be a stroke, and note when it began.",
    because: [
      "The treatment that dissolves a clot works only within the first hours.",
      "Brain cells die by the minute without blood, so time decides.",
    ],
    check: [
      "Give nothing to eat or drink, since swallowing may be disturbed.",
      "Stay with the person and check the breathing.",
    ],
    myths: [
      ["Let the person sleep until tomorrow.", "Such signs come from tiredness and go away overnight."],
      ["Give two aspirins and wait.", "Every stroke is dissolved by aspirin."],
      ["Massage the cheek.", "The face droops because its muscle is cold."],
    ],
  },
  {
    ask: ["{who} was bitten by a tick. How is it removed?", "How should I take a tick off {who}?"],
    value: "Grip it close to the skin with fine tweezers and pull it out slowly and straight.",
    because: [
      "A slow, straight pull keeps the mouthparts from tearing off and the tick from emptying itself.",
      "The sooner it is off, the less likely an infection is passed on.",
    ],
    check: [
      "Disinfect the spot and see a doctor if a red ring grows around it.",
      "Note the date, because symptoms can come weeks later.",
    ],
    myths: [
      ["Cover the tick with oil and wait.", "The tick loses its way without air and walks off."],
      ["Burn it with a match.", "Heat closes the wound behind the tick."],
      ["Leave it until it falls off.", "A full tick takes the germs away with it."],
    ],
  },
  {
    ask: [
      "{who} bleeds heavily from a cut on the arm. What should I do?",
      "How do I stop heavy bleeding on the arm of {who}?",
    ],
    value: "Press firmly and directly on the wound with a clean cloth and call emergency services.",
    because: [
      "Direct pressure closes the vessel and lets the blood clot.",
      "Blood loss leads to shock, and firm pressure is the quickest way to stop it.",
    ],
    check: [
      "Do not lift the cloth to look; put another one on top.",
      "If pressure fails on a limb, a tourniquet above the wound is the next step.",
    ],
    myths: [
      ["Rinse it with warm water until it stops.", "Warm water thickens the blood."],
      ["Let it bleed out for a while.", "Bleeding cleans the whole body."],
      ["Sprinkle flour into the wound.", "Flour glues the vessel."],
    ],
  },
  {
    ask: [
      "{who} has fainted and breathes normally. How should the person lie?",
      "What position is right for {who}, unconscious but breathing?",
    ],
    value: "Turn the person on the side into the recovery position and check the breathing.",
    because: [
      "On the side the tongue and any vomit cannot block the airway.",
      "The airway stays open when the head is tilted and the mouth points down.",
    ],
    check: [
      "Call emergency services and look at the breathing every minute.",
      "If the breathing stops, begin resuscitation.",
    ],
    myths: [
      ["Lay the person on the back with a pillow.", "A pillow makes breathing easier."],
      ["Sit the person up against a wall.", "Blood then returns to the heart by its weight."],
      ["Pour water into the mouth.", "A drink wakes everybody up."],
    ],
  },
  {
    ask: [
      "{who} has a severe allergic reaction and an adrenaline pen. What is right?",
      "The throat of {who} swells after a wasp sting. An adrenaline pen is there. What now?",
    ],
    value: "Use the adrenaline pen in the outer thigh at once and call emergency services.",
    because: [
      "Adrenaline narrows the vessels and opens the airways within minutes.",
      "The reaction can close the airway, and nothing else works as fast.",
    ],
    check: [
      "A second dose may be needed after five to fifteen minutes.",
      "The person has to be watched in hospital, as the reaction may return.",
    ],
    myths: [
      ["Wait to see whether it gets worse.", "The pen is only allowed after an hour."],
      ["Rub an ointment on the sting and lie down.", "The swelling of the throat comes from the skin."],
      ["Drink a lot of cold water.", "Cold water washes the venom out."],
    ],
  },
];

export const dosing: Domain = {
  name: "medication",
  risk: "High",
  make: (random) => random.pick([weightDose, dailyDose])(random),
};
export const firstAid: Domain = {
  name: "first aid",
  risk: "High",
  make: (random) => problemOf(random, random.pick(FIRST_AID)),
};
