// Ratings and ranks: one scale in a row or none; what nobody rated is left out by rule and counted. The rows are in the
// layouts of the data cards; expected values stand in the test.
import { describe, expect, it } from "vitest";
import { loadPairs } from "../../lib/pairs/read";
import { failure, scratch } from "./helpers";

const { lines } = scratch();
const read = (rows: readonly unknown[], options = {}) =>
  loadPairs(lines("rows.jsonl", rows), { allow_none: true, ...options });
const user = (content: string) => ({ role: "user", content });
const answers = (pairs: readonly { chosen: string; rejected: string }[]) =>
  pairs.map(({ chosen, rejected }) => `${chosen} > ${rejected}`);

describe("UltraFeedback", () => {
  const ASPECTS = ["helpfulness", "honesty", "instruction_following", "truthfulness"];
  const completion = (response: string, overall_score: number, ratings: readonly unknown[]) => ({
    response,
    overall_score,
    annotations: Object.fromEntries(ASPECTS.map((name, i) => [name, { Rating: ratings[i], Rationale: "r" }])),
  });
  const row = (...completions: object[]) => ({ source: "s", instruction: "Name a fruit", completions });
  const apple = completion("apple", 7, ["4", "4", "4", "4"]);

  for (const none of ["N/A", "n/a", null, "", "None"])
    it(`an aspect of ${JSON.stringify(none)} leaves the answer out: no overall score beside means`, async () => {
      const brick = completion("brick", 10, ["1", none, "1", "1"]);
      const { pairs, report } = await read([
        row(brick, apple),
        row(brick, apple, completion("pear", 1, ["5", "5", "5", "5"])),
      ]);
      expect(answers(pairs)).toEqual(["pear > apple"]);
      expect(report.counts).toEqual({ unrated: 2, single_answer: 1 });
    });

  it("the fine-grained score of all, where it rates more of them than the aspects do", async () => {
    const scored = (response: string, fine: unknown) => ({ response, "fine-grained_score": fine, overall_score: 9 });
    const mixed = row({ ...apple, "fine-grained_score": 2 }, scored("plum", 4.5), scored("stone", null));
    const { pairs, report } = await read([mixed]);
    expect(answers(pairs)).toEqual(["plum > apple"]);
    expect(report.counts).toEqual({ unrated: 1 });
  });

  // Would fail if the row that a split writes for such a pair lost a field that the reader takes.
  it("a row of several pairs gives each what it says of all of them", async () => {
    const about = { risk_level: "High", confidence_penalty: 0.5, preference_type: "correctness", category: "fruit" };
    const { pairs } = await read([{ ...row(apple, completion("brick", 1, ["1", "1", "1", "1"])), ...about }]);
    expect(pairs).toMatchObject([{ riskLevel: "High", confidencePenalty: 0.5, preferenceType: "correctness" }]);
    expect(pairs[0].raw).toMatchObject(about);
  });

  it("the overall score where a row has nothing else", async () => {
    const { pairs } = await read([row({ response: "a", overall_score: 2 }, { response: "b", overall_score: 8 })]);
    expect(pairs).toMatchObject([{ chosen: "b", scoreChosen: 8, scoreRejected: 2 }]);
  });
});

describe("other ratings", () => {
  it("HelpSteer: null and N/A are counted, a missing field is a fault", async () => {
    const rated = (response: string, helpfulness: unknown) => ({ prompt: "P", response, helpfulness });
    const { pairs, report } = await read([rated("a", 4), rated("b", null), rated("c", "N/A"), rated("d", 1)]);
    expect(answers(pairs)).toEqual(["a > d"]);
    expect(report.counts).toEqual({ unrated: 2 });
    expect((await failure(read([rated("a", 4), rated("b", "good")]))).message).toContain(
      ":2: helpfulness: expected a finite",
    );
  });

  it("plain scores: two or none, never one", async () => {
    const plain = { prompt: "P", chosen: "a", rejected: "b", score_chosen: 3, score_rejected: "N/A" };
    const { pairs, report } = await read([plain]);
    expect([pairs[0].scoreChosen, pairs[0].scoreRejected]).toEqual([undefined, undefined]);
    expect(report.notes).toEqual({ "one of the two answers has no score; neither score is used": 1 });
  });

  it("Argilla: both ratings of one pair of names", async () => {
    const row = {
      instruction: "P",
      chosen_response: "a",
      rejected_response: "b",
      chosen_rating: 5,
      "rejected-rating": 9,
    };
    expect((await read([row])).pairs[0].scoreChosen).toBeUndefined();
    const whole = { ...row, chosen_avg_rating: 4, rejected_avg_rating: 2 };
    expect((await read([whole])).pairs[0]).toMatchObject({ scoreChosen: 4, scoreRejected: 2 });
  });

  it("HelpSteer3: a conversation, the sign names the answer, 0 is a tie", async () => {
    const context = [user("Name a fruit"), { role: "assistant", content: "A pear" }, user("Another")];
    const row = (overall_preference: unknown) => ({
      domain: "general",
      language: "english",
      context,
      response1: "apple",
      response2: "brick",
      overall_preference,
      individual_preference: [{ score: -2, reasoning: "r", feedback1: "a", feedback2: "b" }],
    });
    const { pairs, report } = await read([row(-2), row(3), row(0), row(null)]);
    expect(report.format).toBe("helpsteer3");
    expect(answers(pairs)).toEqual(["apple > brick", "brick > apple"]);
    expect(pairs[0]).toMatchObject({ promptMessages: context, category: "general", scoreChosen: 2, scoreRejected: 0 });
    expect(report.counts).toEqual({ tie: 1, unrated: 1 });
  });

  it("NeMo-RL: the lowest rank is best, every two ranks make a pair", async () => {
    const completion = (rank: unknown, content: string) => ({ rank, completion: [{ role: "assistant", content }] });
    const completions = [completion(1, "brick"), completion(0, "apple"), completion(1, "stone"), completion(null, "?")];
    const { pairs, report } = await read([{ context: [user("Name a fruit")], completions }]);
    expect(report.format).toBe("nemo-rl");
    expect(answers(pairs)).toEqual(["apple > brick", "apple > stone"]);
    expect(pairs[0]).toMatchObject({ prompt: "Name a fruit", promptMessages: [user("Name a fruit")] });
    expect(pairs[0].scoreChosen).toBeUndefined();
    expect(report.counts).toEqual({ tie: 1, unrated: 1 });
    // The pair's own row keeps the conversation.
    expect(pairs[0].raw).toMatchObject({
      prompt: [user("Name a fruit")],
      chosen: [{ role: "assistant", content: "apple" }],
    });
  });

  it("Alpaca lists: preferred answers before rejected ones", async () => {
    const { pairs } = await read([{ instruction: "Add", input: "1+1", output: ["2", "3", "4"] }]);
    expect(answers(pairs)).toEqual(["2 > 3", "2 > 4", "3 > 4"]);
    expect(pairs[0].prompt).toBe("Add\n1+1");
    expect((await read([{ instruction: "Add", output: ["2"] }])).report.counts).toEqual({ single_answer: 1 });
  });
});

describe("OpenAssistant", () => {
  const prompter = (text: string, replies: object[] = []) => ({ role: "prompter", text, lang: "en", replies });
  const reply = (text: string, rank: unknown, replies: object[] = []) => ({ role: "assistant", text, rank, replies });
  const tree = {
    message_tree_id: "t",
    tree_state: "ready_for_export",
    prompt: prompter("Q", [
      reply("good", 0, [prompter("More", [reply("deep good", 0), reply("deep bad", 1)])]),
      reply("bad", 2),
      reply("fair", 1),
      reply("unread", null),
    ]),
  };

  it("a tree a row: siblings that were ranked make pairs, at every depth, of one question", async () => {
    const { pairs, report } = await read([tree, { ...tree, prompt: prompter("lonely", [reply("x", 0)]) }]);
    expect(report.format).toBe("openassistant-tree");
    expect(answers(pairs)).toEqual(["good > bad", "good > fair", "fair > bad", "deep good > deep bad"]);
    expect(pairs[3].promptMessages).toEqual([user("Q"), { role: "assistant", content: "good" }, user("More")]);
    expect(new Set(pairs.map(({ questionId }) => questionId))).toEqual(new Set(["t"]));
    expect(report.counts).toEqual({ unrated: 1, single_answer: 1 });
  });

  it("a message a row: the same pairs; what hangs on nothing is counted", async () => {
    const rows: Record<string, unknown>[] = [];
    const flatten = (node: Record<string, unknown>, parent_id: string | null) => {
      const message_id = `m${rows.length}`;
      const { replies, ...fields } = node;
      rows.push({ message_id, parent_id, message_tree_id: "t", ...fields });
      for (const child of (replies ?? []) as Record<string, unknown>[]) flatten(child, message_id);
    };
    flatten(tree.prompt, null);
    rows.push({ message_id: "x", parent_id: "nobody", message_tree_id: "t", role: "assistant", text: "?", rank: 0 });
    const { pairs, report } = await read(rows);
    expect(report.format).toBe("openassistant");
    expect(answers(pairs)).toEqual(answers((await read([tree])).pairs));
    expect(report.counts).toEqual({ unrated: 1, unanswered: 1 });
  });
});

describe("ties", () => {
  const original = (score_difference: number) => ({
    question_id: `q${score_difference}`,
    question_text: `Q${score_difference}?`,
    preferred_answer: { answer_text: "a", score: 3 },
    rejected_answer: { answer_text: "b", score: 3 - score_difference },
    score_difference,
  });
  const plain = (gap: number) => ({
    prompt: `P${gap}`,
    chosen: "a",
    rejected: "b",
    score_chosen: 3,
    score_rejected: 3 - gap,
  });

  it("stay in the original's schema, as its notebook keeps them, and go elsewhere, unless told", async () => {
    const count = async (rows: readonly unknown[], keep_ties?: boolean) => {
      const { pairs, report } = await read(rows, { keep_ties });
      return [pairs.length, report.kept_ties, report.counts.tie ?? 0];
    };
    const [own, other] = [
      [original(0), original(1)],
      [plain(0), plain(1)],
    ];
    expect(await count(own)).toEqual([2, 1, 0]);
    expect(await count(own, false)).toEqual([1, 0, 1]);
    expect(await count(other)).toEqual([1, 0, 1]);
    expect(await count(other, true)).toEqual([2, 1, 0]);
  });
});

describe("category_field", () => {
  const row = (topic: unknown, extra = {}) => ({
    prompt: `about ${String(topic)}`,
    chosen: "a",
    rejected: "b",
    topic,
    ...extra,
  });

  it("names a column of one's own, nested ones too", async () => {
    const { pairs, report } = await read([row("law", { category: "x" }), row(7), row(null)], {
      category_field: "topic",
    });
    expect(pairs.map(({ category }) => category)).toEqual(["law", "7", undefined]);
    expect(report.unread).toEqual({});
    const nested = await read([row("law", { meta: { area: "tax" } })], { category_field: "meta.area" });
    expect(nested.pairs[0].category).toBe("tax");
  });

  it("must be there", async () => {
    expect((await failure(read([row("law")], { category_field: "subject" }))).message).toContain(
      'the field "subject", got none',
    );
  });
});
