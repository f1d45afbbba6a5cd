// What a notebook shows by itself while its work runs, and that `quiet` keeps all of it away.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { findModel } from "../lib/checkpoints/findModel";
import { loadRewardModel } from "../lib/checkpoints/loadCheckpoint";
import { SETTINGS_FILE } from "../lib/checkpoints/settings";
import { MANIFEST } from "../lib/files/atomic";
import { loadPairs } from "../lib/pairs/read";
import { openScoring } from "../lib/scoring/members";
import { scorePairs } from "../lib/scoring/score";
import { trainRewardModel } from "../lib/training";
import { inOwnFolder } from "./training/ownFolder";

const OBSERVER = Symbol.for("rewardbook.observer");
const kernel = globalThis as unknown as Record<symbol, unknown>;
/** Large enough to be read in several pieces. */
const ENCODER = findModel("all-MiniLM-L6-v2");
const { base } = inOwnFolder();
let shown: string[];

beforeEach(() => {
  shown = [];
  const bar = (label: string) => (shown.push(`bar: ${label}`), { update: () => {}, end: () => {} });
  kernel[OBSERVER] = { say: (text: string) => shown.push(text), bar };
  let clock = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (clock += 500)); // a bar is for long work
});
afterEach(() => {
  delete kernel[OBSERVER];
  vi.restoreAllMocks();
});

const work: [name: string, does: (options: { quiet?: boolean }) => Promise<unknown>, shows: RegExp][] = [
  ["loadRewardModel", (options) => loadRewardModel(ENCODER, options), /^bar: loading all-MiniLM-L6-v2$/m],
  [
    "openScoring",
    (options) => {
      // how texts are made is then assumed, which is said
      for (const file of [SETTINGS_FILE, MANIFEST]) rmSync(join(base.model!, file), { force: true });
      return openScoring(base.model!, options);
    },
    /^.*tiny-bert: no rewardbook.json: texts are made with/,
  ],
  [
    "scorePairs",
    async (options) => {
      const { pairs } = await loadPairs(base.pairs as string);
      return scorePairs(await loadRewardModel(base.model!, { quiet: true }), pairs, {
        tokensPerBatch: 256,
        ...options,
      });
    },
    /^bar: scoring$/m,
  ],
  [
    "trainRewardModel",
    (options) =>
      trainRewardModel(
        { ...base, model: ENCODER, run: `quiet-${options.quiet}`, max_steps: 1, max_length: 16 },
        options,
      ),
    /^bar: loading all-MiniLM-L6-v2\n[\s\S]*^model: .*\n[\s\S]*^bar: training$/m,
  ],
];

test.each(work)("%s", async (_, does, shows) => {
  await does({});
  expect(shown.join("\n")).toMatch(shows);
  shown.length = 0;
  await does({ quiet: true });
  expect(shown).toEqual([]);
});
