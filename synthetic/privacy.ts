// Data protection in the European Union: looked up.
import { type Fact, problemOf } from "./fact";
import type { Domain } from "./problem";

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

export const privacy: Domain = {
  name: "privacy law",
  risk: "Medium",
  make: (random) => problemOf(random, random.pick(PRIVACY)),
};
