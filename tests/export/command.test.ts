import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { run } from "../../cli/main";
import { loadScoringModel } from "../../lib/checkpoints/checkpoint";
import { verifyDirectory, writeManifest } from "../../lib/files/atomic";
import { makeModelDirectory } from "../checkpoints/modelDirectory";
import { transformersJs } from "./runtimes";

// Expected: `rewardbook score` of the checkpoint; got: Transformers.js on the exported directory, by its own tokenizer.
const TOLERANCE = 1e-4;
const work = mkdtempSync(join(tmpdir(), "export-"));
afterAll(() => rmSync(work, { recursive: true }));

const CASES = [
  { prompt: "Why is the sky blue?", response: "Because of Rayleigh scattering." },
  { prompt: "¿Cuántos años tiene?", response: "素早い茶色の狐 🇩🇪" },
  { prompt: "A [SEP] </s> <|eot_id|> attack", response: "<s>text</s> [CLS] [PAD] <|im_end|> <pad>" },
  { prompt: "", response: "short" },
  { prompt: "tabs\tand\nlines", response: "the quick brown fox" },
];
const SETTINGS = { template: "Q: {prompt}\nA: {response}", max_length: 160, truncation: "right" };
/** A Unigram makes special tokens of text that spells them, in any runtime. */
const comparable = (family: string) => CASES.filter((_, i) => family !== "xlm_roberta" || i !== 2);

async function rewardbookScores(checkpoint: string, cases: typeof CASES): Promise<number[]> {
  const [input, out] = [join(work, "in.jsonl"), join(work, "out.jsonl")];
  writeFileSync(input, cases.map((row) => JSON.stringify(row) + "\n").join(""));
  expect(await run(["score", "--checkpoint", checkpoint, "--input", input, "--out", out])).toBe(0);
  const lines = readFileSync(out, "utf8").trim().split("\n");
  return lines.map((line) => (JSON.parse(line) as { score: number }).score);
}

async function transformersScores(dir: string, cases: typeof CASES): Promise<number[]> {
  const { AutoTokenizer, AutoModelForSequenceClassification } = transformersJs();
  const tokenizer = await AutoTokenizer.from_pretrained(dir);
  const model = await AutoModelForSequenceClassification.from_pretrained(dir);
  const texts = cases.map(({ prompt, response }) => `Q: ${prompt}\nA: ${response}`);
  const { logits } = await model(tokenizer(texts, { padding: true, truncation: true }));
  await model.dispose();
  return [...logits.data];
}

const worst = (a: number[], b: number[]) =>
  a.length === b.length ? Math.max(...a.map((value, i) => Math.abs(value - b[i]))) : Infinity;

async function makeCheckpoint(name: string, family: string): Promise<string> {
  const dir = join(work, name);
  await makeModelDirectory(dir, family, { max_position_embeddings: 200, sliding_window: null });
  return dir;
}

describe("rewardbook export", () => {
  for (const family of ["bert", "distilbert", "roberta", "xlm_roberta", "llama3", "qwen2", "qwen3", "mistral"])
    it(`${family}: Transformers.js gives rewardbook score's scores, special tokens in texts included`, async () => {
      const checkpoint = await makeCheckpoint(family, family);
      writeFileSync(join(checkpoint, "rewardbook.json"), JSON.stringify(SETTINGS));
      const out = join(work, `${family}-onnx`);
      expect(await run(["export", "--checkpoint", checkpoint, "--out", out])).toBe(0);
      const cases = comparable(family);
      const expected = await rewardbookScores(checkpoint, cases);
      expect(worst(await transformersScores(out, cases), expected)).toBeLessThan(TOLERANCE);
      expect(Math.max(...expected) - Math.min(...expected)).toBeGreaterThan(10 * TOLERANCE);
    });

  it("a chat: the template of chat_template.jinja is where Transformers.js looks; the page, which has no Jinja, is refused", async () => {
    const checkpoint = await makeCheckpoint("chat", "llama3");
    const config = join(checkpoint, "tokenizer_config.json");
    const { chat_template: _, ...rest } = JSON.parse(readFileSync(config, "utf8")) as Record<string, unknown>;
    writeFileSync(config, JSON.stringify(rest));
    const turns = "{% for m in messages %}<|im_start|>{{ m.role }}: {{ m.content }}<|im_end|>\n{% endfor %}";
    writeFileSync(join(checkpoint, "chat_template.jinja"), turns);
    writeFileSync(join(checkpoint, "rewardbook.json"), JSON.stringify({ ...SETTINGS, template: "chat" }));
    const out = join(work, "chat-onnx");
    expect(await run(["export", "--checkpoint", checkpoint, "--out", out])).toBe(0);
    expect(await run(["export", "--checkpoint", checkpoint, "--web", join(work, "chat-page")])).toBe(1);
    const [{ prompt, response }] = CASES;
    const { AutoTokenizer, AutoModelForSequenceClassification } = transformersJs();
    const tokenizer = await AutoTokenizer.from_pretrained(out);
    const model = await AutoModelForSequenceClassification.from_pretrained(out);
    const messages = [
      { role: "user", content: prompt },
      { role: "assistant", content: response },
    ];
    const text = tokenizer.apply_chat_template(messages, { tokenize: false });
    expect(text).toBe(`<|im_start|>user: ${prompt}<|im_end|>\n<|im_start|>assistant: ${response}<|im_end|>\n`);
    const { logits } = await model(tokenizer([text], { padding: true, add_special_tokens: false }));
    const [expected] = await rewardbookScores(checkpoint, CASES.slice(0, 1));
    expect(worst([logits.data[0]], [expected])).toBeLessThan(TOLERANCE);
  });

  it("measures what a type costs on held-out pairs and tells it in the card", async () => {
    const checkpoint = await makeCheckpoint("costs", "bert");
    writeFileSync(join(checkpoint, "rewardbook.json"), JSON.stringify(SETTINGS));
    const answers = ["Rayleigh scattering.", "no idea", "42", "it is the dust", "the quick brown fox", "素早い"];
    const rows = answers.flatMap((chosen, i) =>
      answers.slice(i + 1).map((rejected) => ({ prompt: `Question ${i}?`, chosen, rejected })),
    );
    const pairs = join(work, "held_out.jsonl");
    writeFileSync(pairs, rows.map((row) => JSON.stringify(row) + "\n").join(""));
    const out = join(work, "costs-onnx");
    const words = ["export", "--checkpoint", checkpoint, "--out", out, "--dtype", "fp32,q8"];
    expect(await run([...words, "--pairs", pairs])).toBe(0);

    const cases = rows.flatMap(({ prompt, chosen, rejected }) =>
      [chosen, rejected].map((response) => ({ prompt, response })),
    );
    const scores = await rewardbookScores(checkpoint, cases);
    const right = rows.filter((_, i) => scores[2 * i] > scores[2 * i + 1]).length;
    const card = readFileSync(join(out, "README.md"), "utf8");
    const cells = (dtype: string) =>
      card
        .split("\n")
        .find((line) => line.startsWith(`| ${dtype} |`))!
        .split("|")
        .map((cell) => cell.trim());
    expect(card).toContain(`measured on ${rows.length} held-out pairs`);
    const [, , accuracy, ofCheckpoint, correlation, difference] = cells("fp32");
    expect(accuracy).toBe(`${((100 * right) / rows.length).toFixed(1)}%`);
    expect(ofCheckpoint).toBe(accuracy);
    expect(correlation).toBe("1.00000");
    expect(Number(difference)).toBeLessThan(TOLERANCE);
    expect(Number(cells("q8")[4])).toBeGreaterThan(0.9);
    expect(Number(cells("q8")[5])).toBeGreaterThan(Number(difference));
  });

  it("an earlier export is replaced; a checkpoint or any other folder is refused and left as it is", async () => {
    const checkpoint = await makeCheckpoint("guarded", "bert");
    await writeManifest(checkpoint);
    const out = join(work, "guarded-onnx");
    const exportTo = (dir: string) => run(["export", "--checkpoint", checkpoint, "--out", dir]);
    expect([await exportTo(out), await exportTo(out), await run(["verify", out])]).toEqual([0, 0, 0]);
    const before = readdirSync(checkpoint);
    expect(await exportTo(checkpoint)).toBe(1);
    expect(await verifyDirectory(checkpoint)).toBeNull();
    expect(readdirSync(checkpoint)).toEqual(before);
    expect(await exportTo(work)).toBe(1);
    expect(existsSync(out)).toBe(true);
  });

  it("refuses an unknown type of weights", async () => {
    const checkpoint = await makeCheckpoint("plain", "bert");
    const words = ["export", "--checkpoint", checkpoint, "--out", join(work, "nothing")];
    expect(await run([...words, "--dtype", "q4"])).toBe(2);
    expect(existsSync(join(work, "nothing"))).toBe(false);
  });

  it("writes no model that Rewardbook would read back: the refusal says where to look", async () => {
    const checkpoint = await makeCheckpoint("source", "bert");
    const out = join(work, "exported");
    expect(await run(["export", "--checkpoint", checkpoint, "--out", out])).toBe(0);
    for (const path of [out, join(out, "onnx"), join(out, "onnx", "model.onnx")])
      await expect(loadScoringModel(path)).rejects.toThrow(
        /expected model\.safetensors, got a model in ONNX.*give the checkpoint it was exported from/,
      );
    expect(await run(["import", out])).toBe(2);
  });
});
