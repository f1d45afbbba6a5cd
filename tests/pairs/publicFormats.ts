// Rows in the shape of the public formats' data cards, made from a seed. All texts are invented.
import { createRandom, type Random } from "../../lib/random";

type Json = Record<string, unknown>;

/** A generator of the rows of one question: most formats have one row a question. */
export type Maker = (random: Random, index: number) => Json[];

const WORDS = "the a sun moon apple river stone blue red walks says and or why how number seven paper cold warm".split(
  " ",
);
export const sentence = (random: Random, least = 3, most = 14): string =>
  Array.from({ length: least + random.integer(most - least + 1) }, () => random.pick(WORDS)).join(" ");
const question = (random: Random, i: number) => `Question ${i}: ${sentence(random)}?`;
const answers = (random: Random, i: number) =>
  [`Yes ${i} ${sentence(random)}.`, `No ${i} ${sentence(random)}.`] as const;
const user = (content: string) => ({ role: "user", content });
const assistant = (content: string) => ({ role: "assistant", content });

const plain: Maker = (random, i) => {
  const [chosen, rejected] = answers(random, i);
  return [{ prompt: question(random, i), chosen, rejected, margin: random.next(), source: "made", turns: 1 }];
};
const original: Maker = (random, i) => {
  const [good, bad] = answers(random, i);
  const score = 2 + random.integer(4);
  return [
    {
      question_id: `q${i}`,
      question_text: question(random, i),
      preferred_answer: { answer_text: good, score, rating: `${score}-Complete`, reason: "r" },
      rejected_answer: { answer_text: bad, score: score - 1, rating: `${score - 1}-Partial`, reason: "r" },
      risk_level: random.pick(["Low", "High"]),
      confidence_penalty: 0.5,
      score_difference: 1,
    },
  ];
};
const hh: Maker = (random, i) => {
  const head = `\n\nHuman: ${question(random, i)}\n\nAssistant: ${sentence(random)}\n\nHuman: Go on\n\nAssistant:`;
  const [chosen, rejected] = answers(random, i);
  return [{ chosen: `${head} ${chosen}`, rejected: `${head} ${rejected}` }];
};
const ultrachat: Maker = (random, i) => {
  const prompt = question(random, i);
  const [chosen, rejected] = answers(random, i).map((text) => [user(prompt), assistant(text)]);
  const scores = { score_chosen: 8 + random.next(), score_rejected: 7 * random.next() };
  return [{ prompt, prompt_id: `p${i}`, chosen, rejected, messages: chosen, ...scores }];
};
const trl: Maker = (random, i) => {
  const [chosen, rejected] = answers(random, i).map((text) => [assistant(text)]);
  const prompt = [{ role: "system", content: sentence(random) }, user(question(random, i))];
  return [{ prompt, chosen, rejected, tools: null, chat_template_kwargs: {} }];
};
const llamaFactoryShareGpt: Maker = (random, i) => {
  const [chosen, rejected] = answers(random, i).map((value) => ({ from: "gpt", value }));
  const conversations = [
    { from: "human", value: sentence(random) },
    { from: "gpt", value: sentence(random) },
    { from: "human", value: question(random, i) },
  ];
  return [{ conversations, chosen, rejected, system: sentence(random), tools: "[]" }];
};
const llamaFactoryAlpaca: Maker = (random, i) => {
  const [chosen, rejected] = answers(random, i);
  const history = random.next() < 0.5 ? [] : [[sentence(random), sentence(random)]];
  return [{ instruction: question(random, i), input: sentence(random), chosen, rejected, history, system: "" }];
};
const alpacaList: Maker = (random, i) => [
  { instruction: question(random, i), input: "", output: [...answers(random, i)] },
];
const swift: Maker = (random, i) => {
  const [chosen, rejected_response] = answers(random, i);
  return [{ messages: [user(question(random, i)), assistant(chosen)], rejected_response, images: [] }];
};
const helpsteer2: Maker = (random, i) => {
  const prompt = question(random, i);
  const rest = { correctness: 3, coherence: 4, complexity: 1, verbosity: 1 };
  return answers(random, i).map((response, k) => ({ prompt, response, helpfulness: 4 - 2 * k, ...rest }));
};
const helpsteer2Preference: Maker = (random, i) => {
  const [response_1, response_2] = answers(random, i);
  const preference_strength = random.pick([-3, -2, -1, 1, 2, 3]);
  return [{ split: "train", prompt: question(random, i), response_1, response_2, preference_strength }];
};
const helpsteer3: Maker = (random, i) => {
  const [response1, response2] = answers(random, i);
  const overall_preference = random.pick([-3, -2, -1, 0, 1, 2, 3]);
  const context = [user(sentence(random)), assistant(sentence(random)), user(question(random, i))];
  const individual_preference = [{ score: 1, reasoning: sentence(random), feedback1: "f", feedback2: "g" }];
  return [
    { domain: "stem", language: "english", context, response1, response2, overall_preference, individual_preference },
  ];
};
const ultrafeedback: Maker = (random, i) => {
  const aspect = () => ({ Rating: random.next() < 0.03 ? "N/A" : String(1 + random.integer(5)), Rationale: "r" });
  const completions = [0, 1, 2, 3].map((k) => ({
    annotations: { helpfulness: aspect(), honesty: aspect(), instruction_following: aspect(), truthfulness: aspect() },
    custom_system_prompt: "You are an assistant.",
    model: `m${k}`,
    principle: "helpfulness",
    response: `${k} ${sentence(random)}`,
    critique: "c",
    overall_score: 1 + random.integer(10),
  }));
  return [{ source: "made", instruction: question(random, i), models: ["m0"], completions, correct_answers: ["None"] }];
};
const argilla: Maker = (random, i) => {
  const [chosen, rejected] = answers(random, i).map((text) => [user(question(createRandom(i), i)), assistant(text)]);
  return [{ source: "made", chosen, rejected, "chosen-rating": 5, "rejected-rating": 2, "chosen-model": "m" }];
};
const nemo: Maker = (random, i) => {
  const completions = answers(random, i).map((text, rank) => ({ rank, completion: [assistant(text)] }));
  return [{ context: [user(question(random, i))], completions: random.shuffle(completions), task_name: "HelpSteer3" }];
};
const openAssistant: Maker = (random, i) => {
  const message = (id: string, parent_id: string | null, role: string, text: string, rank: number | null) => ({
    message_id: `${i}${id}`,
    parent_id: parent_id === null ? null : `${i}${parent_id}`,
    user_id: "u",
    created_date: "2023-02-05T14:23:50.983374+00:00",
    text,
    role,
    lang: "en",
    review_count: 3,
    review_result: true,
    deleted: false,
    rank,
    synthetic: false,
    model_name: null,
    detoxify: { toxicity: 0.1 },
    message_tree_id: `${i}a`,
    tree_state: "ready_for_export",
    emojis: null,
    labels: { name: ["spam"], value: [0], count: [3] },
  });
  const [good, bad] = answers(random, i);
  return [
    message("a", null, "prompter", question(random, i), null),
    message("b", "a", "assistant", good, 0),
    message("c", "a", "assistant", bad, 1),
  ];
};
const openAssistantTree: Maker = (random, i) => {
  const replies = answers(random, i).map((text, rank) => ({ text, role: "assistant", lang: "en", rank, replies: [] }));
  const prompt = { message_id: `t${i}`, text: question(random, i), role: "prompter", lang: "en", replies };
  return [{ message_tree_id: `t${i}`, tree_state: "ready_for_export", prompt }];
};
const rewardBench: Maker = (random, i) => {
  const [chosen, rejected] = answers(random, i);
  const models = { chosen_model: "m", rejected_model: "n" };
  return [{ id: i, prompt: question(random, i), chosen, rejected, ...models, subset: random.pick(["math", "chat"]) }];
};
const rewardBench2: Maker = (random, i) => {
  const [chosen, rejected] = answers(random, i);
  const wrong = [rejected, `${rejected} too`, `${rejected} also`];
  return [
    {
      id: `b${i}`,
      prompt: question(random, i),
      chosen: [chosen],
      rejected: wrong,
      num_correct: 1,
      num_incorrect: 3,
      subset: "Math",
      models: ["m"],
    },
  ];
};
const stage3: Maker = (random, i) => {
  const prompt = question(random, i);
  const [chosen, rejected] = answers(random, i);
  return [{ input_chosen: `${prompt} ${chosen}`, input_rejected: `${prompt} ${rejected}`, label: 1 }];
};

/** By the name under which the reader knows each. */
export const MAKERS: Readonly<Record<string, { readonly format: string; readonly make: Maker }>> = {
  plain: { format: "plain", make: plain },
  original: { format: "original", make: original },
  "Anthropic HH": { format: "hh (implicit prompt)", make: hh },
  "UltraFeedback binarised": { format: "conversational", make: ultrachat },
  TRL: { format: "conversational", make: trl },
  "LLaMA-Factory ShareGPT": { format: "conversational", make: llamaFactoryShareGpt },
  "LLaMA-Factory Alpaca": { format: "alpaca", make: llamaFactoryAlpaca },
  "Alpaca list": { format: "alpaca-list", make: alpacaList },
  "ms-swift": { format: "ms-swift", make: swift },
  "HelpSteer 2": { format: "helpsteer", make: helpsteer2 },
  "HelpSteer 2-Preference": { format: "helpsteer-preference", make: helpsteer2Preference },
  "HelpSteer 3": { format: "helpsteer3", make: helpsteer3 },
  UltraFeedback: { format: "ultrafeedback", make: ultrafeedback },
  Argilla: { format: "argilla", make: argilla },
  "NeMo-RL": { format: "nemo-rl", make: nemo },
  OpenAssistant: { format: "openassistant", make: openAssistant },
  "OpenAssistant trees": { format: "openassistant-tree", make: openAssistantTree },
  "RewardBench 1": { format: "rewardbench", make: rewardBench },
  "RewardBench 2": { format: "rewardbench-2", make: rewardBench2 },
  "stage 3": { format: "stage3", make: stage3 },
};

/** `count` rows of a format. */
export function makeRows(make: Maker, count: number, seed: number): Json[] {
  const random = createRandom(seed);
  const rows: Json[] = [];
  for (let i = 0; rows.length < count; i++) rows.push(...make(random, i));
  return rows;
}
