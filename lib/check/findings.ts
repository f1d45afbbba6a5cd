// In: a file of pairs. Out: everything that one pass over it tells; a pass that was stopped goes on from there the next time.
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { yieldToEvents } from "../interrupt";
import type { Watch } from "../longWork";
import type { PreferencePair } from "../pairs/pair";
import { type ReadOptions, type ReadReport, readPairs, type PairStream } from "../pairs/read";
import { hashText } from "../pairs/hash";
import { createHashGroups } from "../pairs/hashGroups";
import { tallyInto } from "../pairs/tally";
import { type Profile, createProfile } from "./profile";
import { type NearPrompts, createPromptIndex } from "./prompts";
import { type Repeats, createRepeats } from "./repeats";

/** Everything one pass tells; pairs are named by their place. */
export interface Findings {
  readonly read: ReadReport;
  readonly pairs: number;
  readonly questions: number;
  readonly prompts: ReturnType<typeof createPromptIndex>;
  readonly repeats: Repeats;
  readonly near: NearPrompts;
  readonly profile: Profile;
  readonly risks: ReadonlyMap<string, number>;
  readonly categories: ReadonlyMap<string, number>;
  /** Pairs whose chosen score is below the rejected one: how many, and the first. */
  readonly inverted: { count: number; readonly first: number[] };
}

/** Pairs between two looks at what else has happened. */
const PAIRS_AT_ONCE = 256;
const LARGEST_TALLY = 1000;
/** Pairs with inverted scores that are told by their places. */
const LISTED = 50;

/** The last pass that was stopped, its file still open. */
let stopped: { readonly key: string; readonly pass: Pass } | null = null;

/**
 * @returns the findings, and `keep`, which leaves them to the next call where what follows is stopped
 * @throws the signal's reason, or as reading does
 */
export async function collectFindings(path: string, reading: ReadOptions, watch: Watch): Promise<Kept> {
  const key = passKey(path, reading);
  const pass = await resumed(key, () => beginPass(path, reading));
  const keep = () => void (stopped = { key, pass });
  try {
    return { findings: await pass.run(watch), keep };
  } catch (error) {
    if (watch.signal.aborted) keep();
    throw error;
  }
}

interface Kept {
  readonly findings: Findings;
  keep(): void;
}

/** The pass that was stopped where it is the one that is asked for; any other one is given up. */
async function resumed(key: string, begin: () => Pass): Promise<Pass> {
  const before = stopped;
  stopped = null;
  if (before?.key === key) return before.pass;
  await before?.pass.close();
  return begin();
}

/** Stands for the file as it is now and how it is read. */
function passKey(path: string, reading: ReadOptions): string {
  const { size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { size: 0, mtimeMs: 0 };
  return JSON.stringify([resolve(path), size, mtimeMs, reading]);
}

interface Pass {
  /** Goes on to the end. */
  run(watch: Watch): Promise<Findings>;
  close(): Promise<unknown>;
}

function beginPass(path: string, reading: ReadOptions): Pass {
  const stream = readPairs(path, reading);
  const tallies = createTallies(stream);
  let findings: Findings | null = null;
  return {
    close: () => stream.return(undefined),
    async run(watch) {
      watch.onKnown(tallies.size());
      if (findings) return findings;
      // Not `for await`, which would close the stream when it is left.
      for (let next = await stream.next(); !next.done; next = await stream.next()) {
        const pairs = tallies.add(next.value);
        if (pairs % PAIRS_AT_ONCE > 0) continue;
        watch.onProgress(pairs, Infinity);
        await yieldToEvents();
        watch.signal.throwIfAborted();
      }
      findings = tallies.findings();
      watch.onProgress(findings.pairs, findings.pairs);
      return findings;
    },
  };
}

/** What is counted of pairs as they come. */
function createTallies({ report }: PairStream) {
  const [repeats, profile, prompts] = [createRepeats(), createProfile(), createPromptIndex()];
  const questions = createHashGroups(1);
  const [risks, categories] = [new Map<string, number>(), new Map<string, number>()];
  const inverted: Findings["inverted"] = { count: 0, first: [] };
  let place = 0;
  return {
    size: () => place,
    /** @returns pairs so far */
    add(pair: PreferencePair): number {
      repeats.add(pair);
      profile.add(pair);
      prompts.add(pair, place);
      questions.add(hashText(pair.questionId));
      tallyInto(risks, pair.riskLevel, LARGEST_TALLY);
      if (pair.category !== undefined) tallyInto(categories, pair.category, LARGEST_TALLY);
      const { scoreChosen, scoreRejected } = pair;
      if (scoreChosen !== undefined && scoreRejected !== undefined && scoreChosen < scoreRejected)
        if (inverted.count++ < LISTED) inverted.first.push(place);
      return ++place;
    },
    /** Once, at the end. */
    findings: (): Findings => ({
      ...{ read: report, pairs: place, prompts, risks, categories, inverted },
      questions: questions.forEach(1, () => {}),
      repeats: repeats.result(),
      near: prompts.near(),
      profile: profile.result(),
    }),
  };
}

/** The same items; the signal is heard between them. */
export async function* watched<T>(items: AsyncIterable<T>, { signal }: Pick<Watch, "signal">): AsyncGenerator<T> {
  let seen = 0;
  for await (const item of items) {
    if (++seen % PAIRS_AT_ONCE === 0) await yieldToEvents();
    signal.throwIfAborted();
    yield item;
  }
}
