// In: real preference pairs (or synthetic ones). Out: the files that both sides of a comparison read.
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodePairs } from "../lib/dataset";
import { initBackend } from "../lib/engine/backend";
import type { PreferencePair } from "../lib/pairs/pair";
import { loadPairs } from "../lib/pairs/read";
import { generatePairs } from "../synthetic/synthesise";
import { projectPath } from "../lib/files/paths";
import { createRandom } from "../lib/random";
import { loadRewardModel, saveRewardModel } from "../lib/checkpoints/checkpoint";
import { DEFAULT_TEMPLATE } from "../lib/text/template";
import { openTokenizer } from "../lib/text/tokenizer";
import { sizeConfig, writeRandomModel, type Size } from "./models";

export interface Job {
  readonly dir: string;
  readonly dataName: string;
  /** The default encoder with a fresh head, the same for both sides. */
  model(): Promise<string>;
  randomModel(size: Size, changes?: Record<string, unknown>): Promise<string>;
  /** A file of B rows of T token ids without padding. */
  fixedBatch(B: number, T: number, vocabulary?: number): string;
  /** `count` pairs cut at `maxLength`: as pairs, as token ids (chosen, rejected in turn) and as prompt-response items. */
  pairs(count: number, maxLength: number): Promise<{ pairs: string; tokens: string; items: string }>;
}

const DATA = ["..", "shared", "data", "preference_pairs.jsonl.gz"];
const encoder = () => projectPath("models", "all-MiniLM-L6-v2");

async function readAll(file: string | undefined): Promise<{ pairs: PreferencePair[]; dataName: string }> {
  const found = file ?? (existsSync(projectPath(...DATA)) ? projectPath(...DATA) : undefined);
  if (found)
    return { pairs: (await loadPairs(found, { skip_bad_rows: true })).pairs, dataName: found.split("/").pop()! };
  const path = join(mkdtempSync(join(tmpdir(), "rewardbook-bench-")), "pairs.jsonl");
  const { pairs } = generatePairs({ questions: 1000, seed: 1 });
  writeFileSync(path, pairs.map((pair) => JSON.stringify(pair)).join("\n"));
  return { pairs: (await loadPairs(path)).pairs, dataName: "synthetic pairs" };
}

/** @param share of the pairs that the comparisons ask for, for a look at how they run */
export async function createJob(file: string | undefined, share = 1): Promise<Job> {
  const dir = mkdtempSync(join(tmpdir(), "rewardbook-bench-"));
  const { pairs: all, dataName } = await readAll(file);
  const place = new Map(
    createRandom(1)
      .shuffle([...new Set(all.map(({ questionId }) => questionId))])
      .map((id, i) => [id, i]),
  );
  const shuffled = [...all].sort((a, b) => place.get(a.questionId)! - place.get(b.questionId)!); // whole prompts, as a data set has them
  const made = new Map<string, Promise<string>>();
  const once = (name: string, make: (path: string) => Promise<void>): Promise<string> => {
    const path = join(dir, name);
    if (!made.has(path))
      made.set(
        path,
        make(path).then(() => path),
      );
    return made.get(path)!;
  };
  const write = (name: string, value: unknown) => {
    writeFileSync(join(dir, name), JSON.stringify(value));
    return join(dir, name);
  };
  return {
    dir,
    dataName,
    model: () =>
      once("encoder", async (path) => {
        await initBackend();
        const loaded = await loadRewardModel(encoder(), { seed: 1 });
        await saveRewardModel(path, { loaded, settings: loaded.settings });
        loaded.model.dispose();
      }),
    randomModel: (size, changes = {}) =>
      once(`${size}-${JSON.stringify(changes).replace(/\W+/g, "-")}`, (path) =>
        writeRandomModel(path, sizeConfig(size, changes)),
      ),
    fixedBatch: (B, T, vocabulary = 30000) => {
      const random = createRandom(B * T);
      const ids = Array.from({ length: B }, () =>
        Array.from({ length: T }, () => 1000 + random.integer(vocabulary - 1000)),
      );
      return write(`batch-${B}x${T}.json`, { ids, mask: ids.map((row) => row.map(() => 1)) });
    },
    pairs: async (asked, maxLength) => {
      const count = Math.max(2, Math.round(asked * share));
      const pairs = shuffled.slice(0, count);
      const options = { template: DEFAULT_TEMPLATE, max_length: maxLength, truncation: "right" } as const;
      const encoded = await encodePairs(pairs, openTokenizer(encoder()), options);
      const items = pairs.flatMap(({ prompt, chosen, rejected }) =>
        [chosen, rejected].map((response) => ({ prompt, response })),
      );
      return {
        pairs: write(`pairs-${count}.json`, pairs),
        tokens: write(
          `tokens-${count}-${maxLength}.json`,
          encoded.map(({ ids }) => Array.from(ids)),
        ),
        items: write(`items-${count}.json`, items),
      };
    },
  };
}
