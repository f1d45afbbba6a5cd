// Where the prompt ends and the answer begins: found by comparing, read once.
import { describe, expect, it } from "vitest";
import { readingNotes, loadPairs } from "../../lib/pairs/read";
import { renderTemplate } from "../../lib/text/template";
import { assistant, failure, scratch, system, user } from "./helpers";

const { lines } = scratch();
const read = (rows: readonly unknown[], options = {}) => loadPairs(lines("rows.jsonl", rows), options);
const refusal = async (row: unknown) => (await failure(read([row]))).message;
const plain = { prompt: "Hello?", chosen: "Bonjour", rejected: "Hi" };

describe("the prompt is read once, by comparing messages and text", () => {
  const [Q, A, B, S] = [user("Q"), assistant("A"), user("B"), system("S")];
  const [c, r] = [assistant("C1"), assistant("C2")];
  const cases: [string, object, object[], string[]][] = [
    ["turns after the prompt", { prompt: [Q], chosen: [A, B, c], rejected: [A, B, r] }, [Q, A, B], ["C1", "C2"]],
    ["one turn after it", { prompt: [Q], chosen: [A, c], rejected: [A, r] }, [Q, A], ["C1", "C2"]],
    ["its last message again", { prompt: [S, Q], chosen: [Q, c], rejected: [Q, r] }, [S, Q], ["C1", "C2"]],
    ["all of it again", { prompt: [Q, A, B], chosen: [Q, A, B, c], rejected: [Q, A, B, r] }, [Q, A, B], ["C1", "C2"]],
    ["again on one side", { prompt: [Q], chosen: [Q, c], rejected: [r] }, [Q], ["C1", "C2"]],
    [
      "its first and its last turn",
      { prompt: "Q", chosen: [Q, A, B, c], rejected: [Q, A, B, r] },
      [Q, A, B],
      ["C1", "C2"],
    ],
    ["the last turn as text", { prompt: "B", chosen: [Q, A, B, c], rejected: [Q, A, B, r] }, [Q, A, B], ["C1", "C2"]],
    ["after a system message", { prompt: [Q], chosen: [S, Q, c], rejected: [S, Q, r] }, [S, Q], ["C1", "C2"]],
    ["white space aside", { prompt: "Q ", chosen: [Q, c], rejected: [Q, r] }, [user("Q ")], ["C1", "C2"]],
    [
      "an answer of several turns",
      { prompt: [Q], chosen: [A, B, c], rejected: [r] },
      [Q],
      ["A\n\nUser: B\n\nAssistant: C1", "C2"],
    ],
  ];
  for (const [name, row, messages, [chosen, rejected]] of cases)
    it(name, async () => {
      const [pair] = (await read([row])).pairs;
      expect(pair.promptMessages).toEqual(messages);
      expect([pair.chosen.replace("\n\nC1", "\n\nAssistant: C1"), pair.rejected]).toEqual([chosen, rejected]);
    });

  it("conversations that disagree before the answer are refused", async () => {
    expect(await refusal({ prompt: [Q], chosen: [S, Q, c], rejected: [Q, r] })).toContain("before the prompt");
    expect(await refusal({ prompt: [Q], chosen: [B, c], rejected: [user("D"), r] })).toContain("got a user message");
    expect(await refusal({ prompt: [S, Q], chosen: [system("T"), c], rejected: [r] })).toContain(
      "got a system message",
    );
  });

  it("texts: prompt and answer give the text as it was, white space at the seam included", async () => {
    const texts: [string, string][] = [
      [
        "Question: what colour is the sky? Answer: it is blue today",
        "Question: what colour is the sky? Answer: it is red today",
      ],
      ["Q: sky?\nA:\n  blue", "Q: sky?\nA:\n  red"],
      ["\n\nHuman: Hi\n\nAssistant: Hello there", "\n\nHuman: Hi\n\nAssistant: Go away"],
      ["\n\nHuman: Hi\n\nAssistant:\nHello", "\n\nHuman: Hi\n\nAssistant: Go"],
    ];
    for (const [chosen, rejected] of texts) {
      const [pair] = (await read([{ chosen, rejected }])).pairs;
      const render = (response: string) => renderTemplate("{prompt}{response}", { prompt: pair.prompt, response });
      expect([render(pair.chosen), render(pair.rejected)]).toEqual([chosen, rejected]);
    }
  });

  it("plain answers that begin with the prompt: read once where the file does so as a rule, and said", async () => {
    const rows = ["sky", "sea"].map((what) => ({
      prompt: `What colour is the ${what}?`,
      chosen: `What colour is the ${what}? It is blue.`,
      rejected: `What colour is the ${what}?\nRed.`,
    }));
    const { pairs, report } = await read(rows);
    expect(pairs[0]).toMatchObject({ prompt: rows[0].prompt, chosen: " It is blue.", rejected: "\nRed." });
    expect(readingNotes(report)).toEqual(["2 rows: both answers begin with the prompt; it is read once"]);
    const greeting = { prompt: "Hello", chosen: "Hello there", rejected: "Hello!" };
    const mixed = await read([greeting, plain, { ...plain, prompt: "Why?" }]);
    expect(mixed.pairs[0]).toMatchObject(greeting);
    expect(readingNotes(mixed.report)[0]).toContain("1 row: both answers begin with the prompt; they are read as");
    const word = await read([{ prompt: "The", chosen: "Theatre is fun", rejected: "Theory is dull" }]);
    expect(word.pairs[0].chosen).toBe("Theatre is fun");
  });
});
