// Our side of reading pairs from disk, one after another: time and memory against their number.
import { createWriteStream } from "node:fs";
import { mkdtempSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readPairs } from "../lib/pairs/read";
import { serve } from "./serve";

export interface ReadingSettings {
  readonly count: number;
}

void serve<ReadingSettings>(async ({ count }) => {
  const path = join(mkdtempSync(join(tmpdir(), "rewardbook-bench-")), "pairs.jsonl");
  const file = createWriteStream(path);
  for (let i = 0; i < count; i++) {
    const pair = {
      prompt: `What is ${i} plus one?`,
      chosen: `It is ${i + 1}. `.repeat(20),
      rejected: `Perhaps ${i}. `.repeat(20),
    };
    if (!file.write(`${JSON.stringify(pair)}\n`)) await once(file, "drain");
  }
  file.end();
  await once(file, "close");
  return async () => {
    let [pairs, tokens] = [0, 0];
    for await (const pair of readPairs(path)) {
      pairs++;
      tokens += pair.chosen.length; // characters here; the runner wants the field
    }
    return { pairs, tokens };
  };
});
