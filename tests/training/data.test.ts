// Pairs whose answers have one text and other turns are other pairs: in hashes, fingerprints and candidates.
import { expect, test } from "vitest";
import type { Message, PreferencePair } from "../../lib/pairs/pair";
import { candidatesFromPairs } from "../../lib/reranking/candidates";
import { checkData } from "../../lib/training/data";

const say = (role: string, content: string): Message => ({ role, content });
const turns = [say("assistant", "A"), say("user", "Q2"), say("assistant", "B")];
const others = [say("assistant", "A"), say("tool", "Q2"), say("assistant", "B")];
const pair = (id: string, chosenMessages?: readonly Message[]): PreferencePair => ({
  id,
  questionId: id,
  prompt: "Q",
  chosen: "A\n\nUser: Q2\n\nB",
  rejected: "no",
  chosenMessages,
  riskLevel: "UNKNOWN",
  confidencePenalty: 0,
  line: 1,
  raw: {},
});

test("a validation pair of the same text in other turns is not trained on; in the same turns it is", async () => {
  await expect(checkData({ train: [pair("a", turns)], val: [pair("b", turns)] })).rejects.toThrow(
    "got 1 training pairs that are also validation pairs",
  );
  for (const other of [undefined, others])
    await expect(checkData({ train: [pair("a", turns)], val: [pair("b", other)] })).resolves.toBeDefined();
});

test("the fingerprint is one of texts and turns", async () => {
  const val = [{ ...pair("v"), prompt: "another" }];
  const prints = await Promise.all(
    [undefined, turns, others].map(async (messages) => {
      const { record } = await checkData({ train: [pair("a", messages)], val });
      return record.fingerprints.train;
    }),
  );
  expect(new Set(prints).size).toBe(3);
});

test("candidates are told apart by their turns", () => {
  const [{ candidates }] = candidatesFromPairs([pair("a", turns), pair("b"), pair("c", turns)], 1);
  const quality = (messages?: readonly Message[]) =>
    candidates.find((candidate) => candidate.messages === messages && candidate.text !== "no")?.quality;
  expect(candidates).toHaveLength(3);
  expect([quality(turns), quality()]).toEqual([2, 1]);
});
