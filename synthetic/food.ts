// Food safety: looked up.
import { type Fact, problemOf } from "./fact";
import type { Domain } from "./problem";

const FOOD: readonly Fact[] = [
  {
    ask: [
      "To which core temperature must chicken be cooked? {who} is the cook.",
      "How hot must chicken get inside, when {who} cooks it?",
    ],
    value: "At least 74 degrees Celsius in the thickest part.",
    because: [
      "That heat kills salmonella and campylobacter reliably.",
      "The germs on poultry survive below it and die within seconds above.",
    ],
    check: ["Measure with a thermometer, without touching the bone.", "Colour alone is no safe sign."],
    myths: [
      ["40 degrees are enough.", "Germs die at the temperature of the body."],
      ["It is done when the skin is brown.", "The colour of the skin shows the heat inside."],
      ["Raw is fine after a rinse.", "Tap water washes all germs off."],
    ],
  },
  {
    ask: ["How cold should a fridge be? {who} asked me.", "At what temperature should {who} keep the fridge?"],
    value: "Between 0 and 5 degrees Celsius.",
    because: [
      "Most germs grow slowly at that temperature, but do not die.",
      "The warmer it is, the faster bacteria multiply.",
    ],
    check: [
      "Put a thermometer on the middle shelf, since dials are not exact.",
      "Let hot dishes cool a little before they go in.",
    ],
    myths: [
      ["About 15 degrees, like a cellar.", "Food keeps best at the temperature of wine."],
      ["Exactly minus 18 degrees.", "Fridge and freezer must have the same temperature."],
      ["It does not matter with the door closed.", "Germs need light to grow."],
    ],
  },
  {
    ask: [
      "Cooked rice stood on the table overnight. May {who} eat it?",
      "{who} left cooked rice out all night. Is it still safe?",
    ],
    value: "No, throw it away.",
    because: [
      "Spores of Bacillus cereus survive cooking and form a poison at room temperature.",
      "The toxin that bacteria make in warm rice is not destroyed by heating.",
    ],
    check: [
      "Cool rice within an hour and keep it in the fridge for one day at most.",
      "Children and the elderly are at particular risk.",
    ],
    myths: [
      ["Yes, after heating it up.", "Heat destroys every poison in food."],
      ["Yes, if it smells good.", "Spoiled food always smells."],
      ["Yes, with a little lemon.", "Acid turns toxins into vitamins."],
    ],
  },
  {
    ask: [
      "How should frozen meat be thawed? {who} wants to cook tonight.",
      "What is the safe way for {who} to thaw frozen meat?",
    ],
    value: "In the fridge, in a dish, well in advance.",
    because: [
      "There the outside stays cold while the inside thaws, so germs can hardly grow.",
      "At room temperature bacteria multiply on the surface long before the core is soft.",
    ],
    check: ["Throw the liquid away and wash hands and board.", "Cook it soon and do not freeze it raw again."],
    myths: [
      ["On the radiator for a day.", "Warmth lets the meat rest and kills germs."],
      ["In the sun on the balcony.", "Sunlight disinfects meat."],
      ["In a warm bed of towels.", "Meat has to reach body temperature slowly."],
    ],
  },
  {
    ask: [
      "May a baby under one year have honey? {who} offered some.",
      "{who} wants to give honey to a baby of eight months. Is that fine?",
    ],
    value: "No, no honey before the first birthday.",
    because: [
      "Honey can carry spores that cause infant botulism.",
      "The gut of an infant cannot yet keep the spores of Clostridium botulinum down.",
    ],
    check: [
      "Baked goods with honey do not make it safe either.",
      "Weakness or constipation after honey is a reason to see a doctor at once.",
    ],
    myths: [
      ["Yes, a spoon a day.", "Natural sugar makes babies immune."],
      ["Yes, if it is organic.", "Organic honey has no spores."],
      ["Yes, in warm milk.", "Milk dissolves all spores."],
    ],
  },
];

export const food: Domain = {
  name: "food safety",
  risk: "Medium",
  make: (random) => problemOf(random, random.pick(FOOD)),
};
