// What a model is meant to read beside prompt and answer: rendered, or refused by line and name, never lost. The rows are
// in the layouts of TRL, LLaMA-Factory, ms-swift and the OpenAI API; expected values stand in the test.
import { describe, expect, it } from "vitest";
import { readRerankRows } from "../../lib/reranking/rerankRows";
import { readingNotes, loadPairs } from "../../lib/pairs/read";
import { readResponses } from "../../lib/pairs/responses";
import { assistant, failure, scratch, system, user } from "./helpers";

const { lines, write } = scratch();
const read = (rows: readonly unknown[], options = {}) => loadPairs(lines("rows.jsonl", rows), options);
const refusal = async (row: unknown) => (await failure(read([row]))).message;
const plain = { prompt: "Hello?", chosen: "Bonjour", rejected: "Hi" };

describe("system prompt and history become messages", () => {
  const conversation = [system("Answer in French."), user("Hello?")];
  const rows: Record<string, object> = {
    plain: { ...plain, system: "Answer in French." },
    "plain, system_prompt": { ...plain, system_prompt: "Answer in French." },
    question: { question: "Hello?", chosen: "Bonjour", rejected: "Hi", system: "Answer in French." },
    TRL: {
      system: "Answer in French.",
      prompt: [user("Hello?")],
      chosen: [assistant("Bonjour")],
      rejected: [assistant("Hi")],
    },
    "TRL, implicit": {
      system: "Answer in French.",
      chosen: [user("Hello?"), assistant("Bonjour")],
      rejected: [user("Hello?"), assistant("Hi")],
    },
    "TRL, said twice": {
      system: "Answer in French.",
      prompt: conversation,
      chosen: [...conversation, assistant("Bonjour")],
      rejected: [assistant("Hi")],
    },
    ShareGPT: {
      system: "Answer in French.",
      conversations: [{ from: "human", value: "Hello?" }],
      chosen: { from: "gpt", value: "Bonjour" },
      rejected: { from: "gpt", value: "Hi" },
    },
    "ms-swift": {
      system: "Answer in French.",
      messages: [user("Hello?"), assistant("Bonjour")],
      rejected_response: "Hi",
    },
    "ms-swift 2": { system: "Answer in French.", query: "Hello?", response: "Bonjour", rejected_response: "Hi" },
    "ms-swift, messages": {
      messages: [...conversation, assistant("Bonjour")],
      rejected_messages: [user("Hello?"), assistant("Hi")],
    },
    Alpaca: { instruction: "Hello?", system: "Answer in French.", chosen: "Bonjour", rejected: "Hi" },
    "Alpaca list": { instruction: "Hello?", system: "Answer in French.", output: ["Bonjour", "Hi"] },
    Argilla: {
      instruction: "Hello?",
      system: "Answer in French.",
      chosen_response: "Bonjour",
      rejected_response: "Hi",
    },
  };
  for (const [name, row] of Object.entries(rows))
    it(name, async () => {
      const { pairs } = await read([row]);
      expect(pairs).toMatchObject([
        {
          prompt: "System: Answer in French.\n\nUser: Hello?",
          promptMessages: conversation,
          chosen: "Bonjour",
          rejected: "Hi",
        },
      ]);
    });

  it("half of a surrogate pair, in prompt, system prompt and answers, is no context that was not read", async () => {
    const broken = (row: object): unknown =>
      JSON.parse(JSON.stringify(row).replaceAll("Hello", "Hel\ud800lo").replaceAll("French", "Fren\udfffch"));
    for (const [name, row] of Object.entries(rows)) {
      const { pairs } = await read([broken(row)]);
      expect(pairs, name).toMatchObject([{ prompt: "System: Answer in Fren\ufffdch.\n\nUser: Hel\ufffdlo?" }]);
    }
    const asked = { prompt: "Hel\ud800lo?", response: "a \ud800" };
    expect((await readResponses(lines("half.jsonl", [asked])))!.rows).toMatchObject([
      { prompt: "Hel\ufffdlo?", response: "a \ufffd" },
    ]);
    const candidates = { prompt: "Hel\ud800lo?", candidates: ["a \ud800", "b"] };
    expect((await readRerankRows(lines("halves.jsonl", [candidates]))).rows[0].prompt).toBe("Hel\ufffdlo?");
  });

  it("history: pairs of texts, or messages, before the question", async () => {
    const turns = [user("Tell me about Norway"), assistant("It is in the north."), user("And its capital?")];
    const history = [["Tell me about Norway", "It is in the north."]];
    for (const row of [
      { instruction: "And its capital?", input: "", history, chosen: "Oslo", rejected: "Rome" },
      { prompt: "And its capital?", history: turns.slice(0, 2), chosen: "Oslo", rejected: "Rome" },
      { query: "And its capital?", history, response: "Oslo", rejected_response: "Rome" },
      { instruction: "And its capital?", history, output: ["Oslo", "Rome"] },
    ])
      expect((await read([row])).pairs).toMatchObject([{ promptMessages: turns, chosen: "Oslo", rejected: "Rome" }]);
    expect(await refusal({ ...plain, history: "User: before" })).toContain(":1: history: expected a list");
    expect(await refusal({ ...plain, history: [["only a question"]] })).toContain("history[0]");
  });

  it("two system prompts that differ are refused", async () => {
    const row = { system: "A", prompt: [system("B"), user("Q")], chosen: [assistant("x")], rejected: [assistant("y")] };
    expect(await refusal(row)).toContain("another in the conversation");
    expect(await refusal({ ...plain, system: "A", system_prompt: "B" })).toContain(
      "got two in system and system_prompt",
    );
  });
});

describe("context that is not read is refused by line and name", () => {
  const call = [{ type: "function", function: { name: "weather", arguments: { city: "Oslo" } } }];
  const chat = (message: object) => ({ prompt: [user("Q")], chosen: [message], rejected: [assistant("no")] });
  const cases: [string, unknown, string][] = [
    ["calls beside empty content", chat({ ...assistant(""), tool_calls: call }), "chosen[0].tool_calls"],
    ["calls without content", chat({ role: "assistant", tool_calls: call }), "chosen[0].tool_calls"],
    ["calls beside null", chat({ role: "assistant", content: null, tool_calls: call }), "chosen[0].tool_calls"],
    ["function_call", chat({ ...assistant("x"), function_call: { name: "f" } }), "chosen[0].function_call"],
    ["a thought", chat({ ...assistant("x"), reasoning_content: "hm" }), "chosen[0].reasoning_content"],
    ["images of a message", chat({ ...assistant("x"), images: ["a.png"] }), "chosen[0].images"],
    ["a picture as a part", chat({ role: "assistant", content: [{ type: "image_url", image_url: "u" }] }), "image_url"],
    [
      "an unknown role",
      { ...chat(assistant("x")), prompt: [{ from: "function_call", value: "f()" }] },
      "prompt[0].role",
    ],
    [
      "an observation",
      { ...chat(assistant("x")), prompt: [user("Q"), { from: "observation", value: "3" }] },
      "prompt[1].role",
    ],
    ...[
      "tools",
      "images",
      "videos",
      "audios",
      "documents",
      "context",
      "image_path",
      "function_calls",
      "rejected_images",
    ].map((name): [string, unknown, string] => [
      name,
      { ...plain, [name]: ["something"] },
      `${name}: expected no context`,
    ]),
    ...["systemPrompt", "System Instruction", "preamble", "previous_turns", "tool_definitions", "tools_json"].map(
      (name): [string, unknown, string] => [name, { ...plain, [name]: "something" }, `${name}: expected no context`],
    ),
    ["messages under any name", { ...plain, earlier: [user("Good day")] }, "earlier: expected no context"],
    ["tools under any name", { ...plain, abilities: call }, "abilities: expected no context"],
    [
      "a system prompt whose word the answer has",
      { ...plain, prompt: "Name a city", chosen: "Oslo it is", context: "Oslo" },
      "context: expected no",
    ],
    ["a system prompt in a record", { ...plain, meta: { a: 1, system: "Be kind." } }, "meta.system: expected no"],
    ["images in a record in a record", { ...plain, meta: { extra: { images: ["x"] } } }, "meta.extra.images: expected"],
    ["tools as text", { ...plain, tools: '[{"name":"f"}]' }, "tools: expected no context"],
    ["a second prompt", { ...plain, input: "It says 5." }, "input: expected no context"],
    ["a query beside a prompt", { ...plain, query: "And why?" }, "query: expected no context"],
    [
      "a system prompt of HelpSteer",
      { prompt: "P", response_1: "a", response_2: "b", preference_strength: 1, system: "Be kind." },
      "system: expected no context",
    ],
    [
      "messages that are not the prompt",
      { prompt: "Q", messages: [user("other")], chosen: [assistant("x")], rejected: [assistant("y")] },
      "messages: expected no context",
    ],
  ];
  for (const [name, row, words] of cases)
    it(name, async () => {
      const message = await refusal(row);
      expect(message).toContain("rows.jsonl:1: ");
      expect(message).toContain(words);
    });

  it("nothing in it, or said already: no fault, and harmless fields are listed once", async () => {
    const { pairs, report } = await read([
      { ...plain, tools: "[]", images: [], history: [], system: null, question: "Hello?", model: "m", meta: { a: 1 } },
      {
        ...plain,
        prompt: "Other",
        question: " Other ",
        model: "n",
        tool_used: false,
        meta: { question: "?", system: "" },
      },
    ]);
    expect(pairs).toHaveLength(2);
    expect(report.unread).toEqual({ model: 2, meta: 2, tool_used: 1 });
    expect(readingNotes(report)).toEqual(["not read: model, meta, tool_used"]);
  });

  it("messages keys of no consequence are listed, null calls are none", async () => {
    const message = { ...assistant("x"), tool_calls: null, weight: 1 };
    const { report } = await read([{ prompt: [user("Q")], chosen: [message], rejected: [assistant("y")] }]);
    expect(report.unread).toEqual({ "chosen[].weight": 1 });
  });

  it("--ignore-fields goes on without them, at every depth", async () => {
    const rows = [
      { ...plain, context: "somewhere" },
      { ...plain, context: "elsewhere", prompt: "Else?" },
    ];
    expect((await read(rows, { ignore_fields: "context, tools" })).pairs).toHaveLength(2);
    const message = { ...assistant("x"), tool_calls: call };
    const row = { prompt: [user("Q")], chosen: [message], rejected: [assistant("y")] };
    expect((await read([row], { ignore_fields: "tool_calls" })).pairs[0]).toMatchObject({ chosen: "x" });
  });

  it("rows to score and candidates to rerank hold to the same", async () => {
    const asked = { prompt: "Q", response: "A", system: "Be kind." };
    expect((await readResponses(lines("score.jsonl", [asked])))!.rows).toMatchObject([
      { prompt: "System: Be kind.\n\nUser: Q", promptMessages: [system("Be kind."), user("Q")], response: "A" },
    ]);
    const messages = { prompt: [user("a"), assistant("b"), user("c")], response: "A" };
    expect((await readResponses(lines("chat.jsonl", [messages])))!.rows[0].promptMessages).toEqual(messages.prompt);
    const lost = { prompt: "Q", response: "A", tools: ["f"] };
    expect((await failure(readResponses(lines("lost.jsonl", [lost])))).message).toContain(":1: tools: ");
    const turns = [assistant("A"), user("more"), assistant("B")];
    const [spoken] = (await readResponses(lines("turns.jsonl", [{ prompt: "Q", response: turns }])))!.rows;
    expect(spoken).toMatchObject({ response: "A\n\nUser: more\n\nB", responseMessages: turns });
    const given = [turns, { messages: turns, quality: 2 }, [assistant("A")]].map((answer, i) =>
      i === 1 ? answer : { messages: answer, quality: i },
    );
    const asTurns = await readRerankRows(lines("t.jsonl", [{ prompt: "Q", candidates: given }]));
    const text = "A\n\nUser: more\n\nB";
    expect(asTurns.rows[0].candidates).toEqual([
      { text, messages: turns, quality: 0 },
      { text, messages: turns, quality: 2 },
      { text: "A", quality: 2 },
    ]);
    const candidates = { prompt: "Q", candidates: ["A", "B"] };
    const reranked = await readRerankRows(lines("r.jsonl", [{ ...candidates, system: "Be kind." }]));
    expect(reranked.rows[0].promptMessages).toEqual([system("Be kind."), user("Q")]);
    expect((await failure(readRerankRows(lines("r2.jsonl", [{ ...candidates, history: [["x"]] }])))).message).toContain(
      "history[0]",
    );
  });

  it("messages printed as text are refused with the remedy", async () => {
    const printed = "[{'role': 'user', 'content': 'Q'}, {'role': 'assistant', 'content': \"It's\"}]";
    const cells = [printed, printed.replace("It's", "No")].map((cell) => `"${cell.replaceAll('"', '""')}"`);
    for (const path of [
      write("repr.csv", `chosen,rejected\n${cells.join(",")}\n`),
      lines("repr.jsonl", [{ ...plain, chosen: printed }]),
      lines("twice.jsonl", [{ ...plain, prompt: JSON.stringify([user("Q")]) }]),
      lines("numpy.jsonl", [
        { ...plain, prompt: "[{'content': 'Q', 'role': 'user'}\n {'content': 'A', 'role': 'assistant'}]" },
      ]),
      lines("object.jsonl", [
        { question_text: "Q", preferred_answer: "{'answer_text': 'a'}", rejected_answer: "{'answer_text': 'b'}" },
      ]),
    ]) {
      const { name, message } = await failure(loadPairs(path));
      expect([name, message]).toEqual([
        "InputError",
        expect.stringMatching(/printed as text; write the rows with json.dumps/),
      ]);
    }
    const quoting = "Python prints [{'role': 'user'}] for a list.";
    expect((await read([{ ...plain, chosen: quoting }])).pairs[0].chosen).toBe(quoting);
  });
});
