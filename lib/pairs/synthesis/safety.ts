// Food and household safety, and data protection: looked up.
import { type Domain } from "./problem";
import { type Fact, problemOf } from "./fact";

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

/** Regulation (EU) 2016/679 (GDPR); the article is named in each reason. */
const PRIVACY: readonly Fact[] = [
  {
    ask: [
      "A company lost customer data. By when must the authority know? {who} works there.",
      "{who} asks: how soon must a data breach be reported under the GDPR?",
    ],
    value: "Within 72 hours after the company became aware of it.",
    because: [
      "Article 33 of the GDPR sets that term, unless no risk to people is likely.",
      "The regulation wants authorities to act while harm can still be prevented, hence the short term in Article 33.",
    ],
    check: [
      "If the risk is high, the people concerned must be told too.",
      "This is general information; a lawyer can judge the case.",
    ],
    myths: [
      ["Within a year.", "Breaches are part of the annual report."],
      ["Never, if the data were old.", "Old data belong to nobody."],
      ["Only when the press asks.", "The duty begins with publicity."],
    ],
  },
  {
    ask: [
      "{who} asks which data a shop holds. How long may the shop take to answer?",
      "How soon must a company answer a request for access by {who}?",
    ],
    value: "One month from the request.",
    because: [
      "Article 12 of the GDPR gives one month, which may be extended by two for complex requests.",
      "The term of one month in Article 12 starts when the request arrives.",
    ],
    check: ["An extension must be explained within the first month.", "The first copy is free of charge."],
    myths: [
      ["Five years.", "A company may wait until the tax records expire."],
      ["It need not answer.", "Data belong to whoever stores them."],
      ["Ten minutes.", "Computers know everything at once."],
    ],
  },
  {
    ask: [
      "May an employer publish a photo of {who} without asking?",
      "{who} found a personal photo on the company's site. Was consent needed?",
    ],
    value: "In general no, a legal basis such as consent is needed.",
    because: [
      "A recognisable photo is personal data, and Article 6 of the GDPR asks for a legal basis.",
      "Processing is only lawful under one of the grounds of Article 6.",
    ],
    check: ["Consent can be withdrawn at any time.", "Exceptions exist, so ask the data protection officer."],
    myths: [
      ["Yes, the camera belongs to the company.", "Who owns the camera owns the face."],
      ["Yes, every employee agrees by showing up.", "Work is public by nature."],
      ["Yes, photos are no data.", "Only numbers count as data."],
    ],
  },
  {
    ask: [
      "Can {who} demand that a web shop deletes an account?",
      "Does {who} have a right to have personal data erased?",
    ],
    value: "Yes, as a rule there is a right to erasure.",
    because: [
      "Article 17 of the GDPR grants it when the data are no longer needed or consent is withdrawn.",
      "The right to be forgotten in Article 17 covers data without a remaining purpose.",
    ],
    check: ["Invoices may have to be kept for tax law.", "Ask in writing and keep a copy."],
    myths: [
      ["No, data can never be deleted.", "The internet forbids deletion."],
      ["Yes, but only for a fee of 500 euros.", "Deleting costs electricity."],
      ["No, only courts may delete.", "A judge has to press the key."],
    ],
  },
  {
    ask: [
      "Must {who} accept every cookie to read a web page?",
      "A banner asks {who} to accept all cookies. Is one obliged to?",
    ],
    value: "No, cookies that are not necessary need a free choice.",
    because: [
      "Consent must be freely given under Article 7 of the GDPR, and refusing must be as easy.",
      "Tracking needs consent, and consent without a choice is void.",
    ],
    check: [
      "Cookies that are technically necessary are allowed without consent.",
      "Settings can be changed later in the browser.",
    ],
    myths: [
      ["Yes, by law.", "The page would otherwise be illegal."],
      ["Yes, cookies protect from viruses.", "A cookie is a kind of vaccine for the computer."],
      ["No, because cookies are sweets.", "They are delivered by post."],
    ],
  },
  {
    ask: [
      "May {who} share health data of a patient with a friend?",
      "{who}, a nurse, tells a friend about a patient. Is that allowed?",
    ],
    value: "No, health data are specially protected and confidential.",
    because: [
      "Article 9 of the GDPR forbids it without an exception, and professional secrecy applies as well.",
      "Health data belong to the special categories, whose disclosure needs explicit consent.",
    ],
    check: ["Breaking professional secrecy can be a crime.", "Even without the name a story may identify a person."],
    myths: [
      ["Yes, among friends.", "Friendship counts as consent."],
      ["Yes, without the surname.", "A first name makes data anonymous."],
      ["Yes, after work.", "Secrecy ends with the shift."],
    ],
  },
];

export const household: Domain = {
  name: "household safety",
  risk: "High",
  make: (random) => problemOf(random, random.pick(HOUSEHOLD)),
};
export const food: Domain = {
  name: "food safety",
  risk: "Medium",
  make: (random) => problemOf(random, random.pick(FOOD)),
};
export const privacy: Domain = {
  name: "privacy law",
  risk: "Medium",
  make: (random) => problemOf(random, random.pick(PRIVACY)),
};
