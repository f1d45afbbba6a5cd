// First aid, after the common guidelines: looked up.
import { type Fact, problemOf } from "./fact";
import type { Domain } from "./problem";

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

export const firstAid: Domain = {
  name: "first aid",
  risk: "High",
  make: (random) => problemOf(random, random.pick(FIRST_AID)),
};
