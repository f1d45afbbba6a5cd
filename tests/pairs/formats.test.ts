// Each format: one literal row in the publisher's layout, and the pair it must give.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadPairs } from "../../lib/pairs/read";
import { failure, golden, scratch } from "./helpers";

const { lines } = scratch();
const read = (rows: readonly unknown[], options = {}) => loadPairs(lines("rows.jsonl", rows), options);

describe("formats", () => {
  it("original: scores, or the digit of the rating; the score difference 0 is a tie, kept as there", async () => {
    const row = {
      question_id: 12,
      question_text: "Q?",
      preferred_answer: { answer_text: "A", rating: "5-Complete" },
      rejected_answer: { answer_text: "B", score: 2, rating: "9-Ignored" },
      risk_level: "High",
      confidence_penalty: 0.25,
      score_difference: 3,
    };
    const rows = [row, { ...row, score_difference: 0, rejected_answer: { answer_text: "C", score: 1 } }];
    const { pairs, report } = await read(rows, { keep_ties: false });
    expect(report.format).toBe("original");
    expect(pairs).toHaveLength(1);
    expect(pairs[0]).toMatchObject({
      id: "line 1",
      questionId: "12",
      prompt: "Q?",
      chosen: "A",
      rejected: "B",
      scoreChosen: 5,
      scoreRejected: 2,
      riskLevel: "High",
      confidencePenalty: 0.25,
      line: 1,
      raw: row,
    });
    expect(report.counts).toEqual({ tie: 1 });
    const kept = await read(rows);
    expect([kept.pairs.length, kept.report.kept_ties]).toEqual([2, 1]);
  });

  it("plain: questions without an id are told apart by the normalised prompt", async () => {
    const { pairs } = await read([
      { prompt: "What  is\nit?", chosen: "a", rejected: "b" },
      { prompt: "WHAT is it?", chosen: "c", rejected: "d" },
      { prompt: "What is that?", chosen: "c", rejected: "d" },
    ]);
    expect(pairs[0].questionId).toBe(pairs[1].questionId);
    expect(pairs[2].questionId).not.toBe(pairs[0].questionId);
    expect(pairs[0]).toMatchObject({ riskLevel: "UNKNOWN", confidencePenalty: 0 });
  });

  it("HH: the prompt ends at the last shared Assistant turn", async () => {
    const head = "\n\nHuman: Hi\n\nAssistant: Hello\n\nHuman: Tell me more\n\nAssistant:";
    const { pairs, report } = await read([
      { chosen: `${head} Sure.\n\nHuman: ok\n\nAssistant: Bye`, rejected: `${head} Surely not.` },
    ]);
    expect(report.format).toBe("hh (implicit prompt)");
    expect(pairs[0]).toMatchObject({
      prompt: `${head} `,
      chosen: "Sure.\n\nHuman: ok\n\nAssistant: Bye",
      rejected: "Surely not.",
      chosenMessages: [
        { role: "assistant", content: "Sure." },
        { role: "user", content: "ok" },
        { role: "assistant", content: "Bye" },
      ],
    });
    expect(pairs[0].rejectedMessages).toBeUndefined();
    expect(pairs[0].promptMessages).toEqual([
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Hello" },
      { role: "user", content: "Tell me more" },
    ]);
  });

  it("answers of several turns stay messages, and the same text in other turns is another answer", async () => {
    const [ask, say] = ["user", "assistant"].map((role) => (content: string) => ({ role, content }));
    const [one, two] = [[say("A\n\nUser: Q2\n\nB")], [say("A"), ask("Q2"), say("B")]];
    const row = { prompt: [ask("Q")], chosen: one, rejected: two };
    const { pairs, report } = await read([row, { ...row, chosen: two }, { ...row, rejected: [say("C")] }], {});
    expect(report.counts).toEqual({ identical_answers: 1 });
    expect(pairs).toMatchObject([{ rejected: one[0].content, rejectedMessages: two }, { rejected: "C" }]);
    expect(pairs.map(({ chosenMessages }) => chosenMessages)).toEqual([undefined, undefined]);
    expect(pairs[0].chosen).toBe(pairs[0].rejected);
  });

  it("HH: conversations that share no prompt are a fault; identical ones a rule", async () => {
    const rows = [
      { chosen: "\n\nHuman: a\n\nAssistant: x", rejected: "\n\nHuman: b\n\nAssistant: y" },
      { chosen: "\n\nHuman: a\n\nAssistant: x", rejected: "\n\nHuman: a\n\nAssistant: x" },
      { chosen: "\n\nHuman: a\n\nAssistant: x", rejected: "\n\nHuman: a\n\nAssistant: z" },
    ];
    const { pairs, report } = await read(rows, { skip_bad_rows: true });
    expect(report.counts).toEqual({ no_common_prompt: 1, identical_answers: 1 });
    expect(pairs).toMatchObject([{ chosen: "x", rejected: "z" }]);
  });

  it("texts without a marker: the common prefix, never through a word", async () => {
    const { pairs, report } = await read([{ chosen: "The sky is blue.", rejected: "The sky is brown." }]);
    expect(report.format).toBe("implicit prompt");
    expect(pairs[0]).toMatchObject({ prompt: "The sky is ", chosen: "blue.", rejected: "brown." });
  });

  it("conversational with an implicit prompt, as TRL's extract_prompt cuts it (golden, read from Parquet)", async () => {
    const { trl_extract_prompt: trl } = JSON.parse(readFileSync(golden("expected.json"), "utf8"));
    const { pairs, report } = await loadPairs(golden("conversational.parquet"));
    expect(report.format).toBe("conversational");
    expect(pairs.map(({ promptMessages, chosen, rejected }) => ({ prompt: promptMessages, chosen, rejected }))).toEqual(
      trl.map((row: { prompt: unknown; chosen: { content: string }[]; rejected: { content: string }[] }) => ({
        prompt: row.prompt,
        chosen: row.chosen[0].content,
        rejected: row.rejected[0].content,
      })),
    );
    expect(pairs[1].prompt).toBe("System: Be kind.\n\nUser: Hi\n\nAssistant: Hello\n\nUser: Bye");
  });

  it("conversational with a stated prompt: a list, a text beside whole conversations, ShareGPT names, text parts", async () => {
    const answer = (content: unknown) => [{ role: "assistant", content }];
    const user = [{ role: "user", content: "Q" }];
    const rows = [
      { prompt: user, chosen: answer("A"), rejected: answer("B") },
      {
        prompt: "Q",
        chosen: [...user, ...answer("A")],
        rejected: [...user, ...answer("B")],
        messages: [...user, ...answer("A")],
      },
      {
        conversations: [{ from: "human", value: "Q" }],
        chosen: { from: "gpt", value: "A" },
        rejected: { from: "gpt", value: "B" },
      },
      { prompt: user, chosen: answer([{ type: "text", text: "A" }]), rejected: answer("B") },
    ];
    for (const row of rows)
      expect((await read([row])).pairs[0]).toMatchObject({
        prompt: "Q",
        promptMessages: user,
        chosen: "A",
        rejected: "B",
      });
    expect(
      (await failure(read([{ prompt: user, chosen: [{ role: "assistant" }], rejected: answer("B") }]))).message,
    ).toContain("chosen[0]: expected role and content");
  });

  it("ms-swift and LLaMA-Factory", async () => {
    const messages = [
      { role: "user", content: "Q" },
      { role: "assistant", content: "A" },
    ];
    expect((await read([{ messages, rejected_response: "B" }])).pairs[0]).toMatchObject({
      prompt: "Q",
      chosen: "A",
      rejected: "B",
    });
    expect((await read([{ instruction: "Add", input: "1+1", chosen: "2", rejected: "3" }])).pairs[0]).toMatchObject({
      prompt: "Add\n1+1",
      chosen: "2",
      rejected: "3",
    });
  });

  it("HelpSteer: consecutive answers to one prompt become all pairs with a sufficient gap", async () => {
    const rated = (prompt: string, response: string, helpfulness: number) => ({
      prompt,
      response,
      helpfulness,
      correctness: 4,
      coherence: 4,
      complexity: 1,
      verbosity: 1,
    });
    const rows = [
      rated("P", "a", 4),
      rated("P", "b", 1),
      rated("P", "c", 3),
      rated("P", "d", 4),
      rated("lonely", "x", 2),
      rated("R", "e", 0),
      rated("R", "f", 2),
    ];
    const { pairs, report } = await read(rows, { minimum_gap: 2 });
    expect(report.format).toBe("helpsteer");
    expect(
      pairs.map(({ chosen, rejected, scoreChosen, scoreRejected }) => [chosen, rejected, scoreChosen, scoreRejected]),
    ).toEqual([
      ["a", "b", 4, 1],
      ["c", "b", 3, 1],
      ["d", "b", 4, 1],
      ["f", "e", 2, 0],
    ]);
    expect(report.counts).toEqual({ tie: 1, gap_below_minimum: 2, single_answer: 1 });
    expect(new Set(pairs.map(({ id }) => id)).size).toBe(4);
    expect(pairs[0].raw).toMatchObject({ prompt: "P", chosen: "a", rejected: "b", score_chosen: 4, score_rejected: 1 });
  });

  it("HelpSteer 2-Preference: the sign names the better answer", async () => {
    const row = (preference_strength: number) => ({
      prompt: "P",
      response_1: "one",
      response_2: "two",
      preference_strength,
    });
    const { pairs, report } = await read([row(-3), row(0), row(2)]);
    expect(pairs).toMatchObject([
      { chosen: "one", rejected: "two" },
      { chosen: "two", rejected: "one", scoreChosen: 2, scoreRejected: 0 },
    ]);
    expect(report.counts).toEqual({ tie: 1 });
  });

  it("a format may be named, and must exist", async () => {
    expect((await failure(read([{ prompt: "p", chosen: "a", rejected: "b" }], { format: "nonsense" }))).name).toBe(
      "UsageError",
    );
    expect((await read([{ prompt: "p", chosen: "a", rejected: "b" }], { format: "plain" })).pairs).toHaveLength(1);
  });
});
