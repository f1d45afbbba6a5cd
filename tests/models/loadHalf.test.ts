// A checkpoint loaded with its trunk in bfloat16 against the same one loaded in float32.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { existsSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { scoreTexts } from "../../lib/scoring/score";
import { isHalf } from "../../lib/models/halfStorage";
import { loadRewardModel } from "../../lib/checkpoints/loadCheckpoint";
import { saveRewardModel } from "../../lib/checkpoints/saveCheckpoint";

const MINILM = join(__dirname, "../../models/all-MiniLM-L6-v2");
const scratch = mkdtempSync(join(tmpdir(), "rewardbook-half-"));
beforeAll(async () => {
  await initBackend();
});
afterAll(() => rmSync(scratch, { recursive: true }));

const items = [
  { prompt: "What is 2 + 2?", response: "4" },
  { prompt: "What is 2 + 2?", response: "Probably five, I am certain." },
];
const halves = (loaded: Awaited<ReturnType<typeof loadRewardModel>>) =>
  [...loaded.model.parameters].filter(([, v]) => isHalf(v)).map(([name]) => name);

test.skipIf(!existsSync(MINILM))(
  "bf16 checkpoints keep their type when asked, and are saved without loss",
  async () => {
    const full = await loadRewardModel(MINILM, { seed: 1 });
    const expected = await scoreTexts(full, items);
    await saveRewardModel(join(scratch, "narrow"), { loaded: full, settings: full.settings, dtype: "BF16" });

    // float32 files: only scoring rounds them, and embeddings never
    const rounded = await loadRewardModel(MINILM, { seed: 1, storage: "bf16" });
    expect(halves(rounded)).toHaveLength(6 * 6);
    const scores = await scoreTexts(rounded, items, { precision: "bf16" });
    scores.forEach((score, i) => expect(Math.abs(score - expected[i])).toBeLessThan(0.02));
    const kept = await loadRewardModel(MINILM, { seed: 1, storage: "as-stored" });
    expect(halves(kept)).toEqual([]);

    const narrow = await loadRewardModel(join(scratch, "narrow"), { storage: "as-stored" });
    const wide = await loadRewardModel(join(scratch, "narrow"));
    expect(halves(narrow)).toHaveLength(6 * 6 + 3);
    expect(halves(wide)).toEqual([]);
    const [a, b] = [await scoreTexts(narrow, items), await scoreTexts(wide, items)];
    a.forEach((score, i) => expect(Math.abs(score - b[i])).toBeLessThan(1e-5));
    await saveRewardModel(join(scratch, "again"), { loaded: narrow, settings: narrow.settings });
    const again = await scoreTexts(await loadRewardModel(join(scratch, "again")), items);
    again.forEach((score, i) => expect(Math.abs(score - b[i])).toBeLessThan(1e-6));
  },
);
