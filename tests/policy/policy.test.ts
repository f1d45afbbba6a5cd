// Log-probabilities, losses, gradients and greedy answers of a tiny Llama against transformers and TRL; see goldens/policy.py.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { writeManifest } from "../../lib/files/atomic";
import { writeSafetensors } from "../../lib/files/safetensors";
import {
  answerBatch,
  createAnswerScorer,
  tokenLogProbabilities,
  type AnswerBatch,
} from "../../lib/policy/logProbabilities";
import { createDraw } from "../../lib/policy/course";
import { dpoLoss, rewardWeights, sequenceLogProbabilities, weightedLikelihoodLoss } from "../../lib/policy/losses";
import { copyPolicy, openPolicy, savePolicy, writeFreshPolicy, type Policy } from "../../lib/policy/policy";
import { drawToken } from "../../lib/policy/decode";
import { encodeAnswers, encodePrompts, sampleAnswers } from "../../lib/policy/sample";
import { fitAnswers, fitPreferences } from "../../lib/policy/train";
import { createRandom } from "../../lib/random";

interface Packed {
  shape: number[];
  data: string;
}
const golden = JSON.parse(readFileSync(join(__dirname, "../goldens/policy/policy.json"), "utf8"));
const unpack = ({ data }: Packed) => new Float32Array(Uint8Array.from(Buffer.from(data, "base64")).buffer);
const folder = mkdtempSync(join(tmpdir(), "rewardbook-policy-"));
const TEMPLATE = "Question:\n{prompt}\n\nAnswer:\n{response}";
let policy: Policy;
let start: Policy;

async function write(name: "policy" | "start"): Promise<Policy> {
  const dir = join(folder, name);
  await writeFreshPolicy(dir, [], { shape: { hiddenSize: 16, layers: 2, heads: 4, maxLength: 32 }, seed: 0 });
  writeFileSync(join(dir, "config.json"), JSON.stringify(golden.config));
  const tensors = Object.entries(golden[name] as Record<string, Packed>);
  await writeSafetensors(
    join(dir, "model.safetensors"),
    tensors.map(([key, packed]) => [key, { shape: packed.shape, data: unpack(packed) }] as const),
  );
  await writeManifest(dir);
  return openPolicy(dir);
}

beforeAll(async () => {
  await initBackend();
  [policy, start] = [await write("policy"), await write("start")];
});

afterAll(() => {
  for (const one of [policy, start]) one.dispose();
  rmSync(folder, { recursive: true });
});

/** Largest distance of gradients from the golden ones. */
function gradientGap(loss: (batch: AnswerBatch) => tf.Scalar, expected: Record<string, Packed>): number {
  return tf.tidy(() => {
    const variables = [...policy.parameters.values()] as unknown as tf.Tensor[];
    const batch = answerBatch(golden.rows, 32);
    const { grads } = tf.engine().gradients(() => loss(batch), variables);
    return Math.max(
      ...[...policy.parameters.keys()].map((name, i) => {
        const wanted = unpack(expected[name]);
        return Math.max(...grads[i].dataSync().map((value, k) => Math.abs(value - wanted[k])));
      }),
    );
  });
}

describe("against transformers and TRL", () => {
  // Would fail for a shift of targets by one, padding that counts, or the prompt in the sum.
  test("log-probabilities of answers", () => {
    for (const [name, one] of Object.entries({ policy, start })) {
      const scorer = createAnswerScorer(one, 3); // 3 + 1: the last run is filled up
      const found = scorer.logProbabilities(golden.rows);
      scorer.dispose();
      found.forEach((value, i) => expect(value).toBeCloseTo(golden.log_probabilities[name][i], 3));
    }
  });

  test("the DPO loss of TRL's DPOTrainer and its gradients", () => {
    const reference = golden.log_probabilities.start as number[];
    const loss = (batch: AnswerBatch) => {
      const sums = sequenceLogProbabilities(tokenLogProbabilities(policy, batch));
      return dpoLoss(
        {
          chosen: tf.slice(sums, [0], [2]),
          rejected: tf.slice(sums, [2], [2]),
          referenceChosen: tf.tensor1d(reference.slice(0, 2)),
          referenceRejected: tf.tensor1d(reference.slice(2)),
        },
        golden.beta,
      );
    };
    expect(tf.tidy(() => loss(answerBatch(golden.rows, 32)).dataSync()[0])).toBeCloseTo(golden.dpo.loss, 4);
    expect(gradientGap(loss, golden.dpo.gradients)).toBeLessThan(2e-4);
  });

  test("the weighted likelihood, which with weights of 1 is supervised fine-tuning", () => {
    const loss = (weights: number[]) => (batch: AnswerBatch) =>
      weightedLikelihoodLoss(tokenLogProbabilities(policy, batch), tf.tensor1d(weights));
    const value = (weights: number[]) => tf.tidy(() => loss(weights)(answerBatch(golden.rows, 32)).dataSync()[0]);
    expect(value(golden.weights)).toBeCloseTo(golden.weighted.loss, 4);
    expect(value([1, 1, 1, 1])).toBeCloseTo(golden.weighted.plain, 4);
    expect(gradientGap(loss(golden.weights), golden.weighted.gradients)).toBeLessThan(2e-4);
  });

  // Prompts of three lengths in one batch: would fail if padding on the left were seen, or the cache were out of step.
  test("greedy answers with the key-value cache are those of generate", async () => {
    const prompts = golden.greedy.map(({ prompt }: { prompt: number[] }) => prompt);
    const before = tf.memory().numTensors;
    const answers = await sampleAnswers(policy, prompts, { temperature: 0, maxNewTokens: 8, seed: 1 });
    expect(answers.map(({ answer }) => answer)).toEqual(
      golden.greedy.map(({ answer }: { answer: number[] }) => answer),
    );
    expect(tf.memory().numTensors).toBe(before);
  });
});

test("tokens are drawn with their probabilities", () => {
  const logits = Float32Array.from([0.1, 0.2, 0.7], Math.log);
  expect([0, 0.0999, 0.1001, 0.2999, 0.3001, 0.9999].map((at) => drawToken(logits, 1, at))).toEqual([0, 0, 1, 1, 2, 2]);
  expect(drawToken(logits, 0, 0.01)).toBe(2);
  // squared at temperature one half: 1 : 4 : 49 of 54
  expect([1 / 54 - 0.001, 1 / 54 + 0.001, 5 / 54 + 0.001].map((at) => drawToken(logits, 0.5, at))).toEqual([0, 1, 2]);
});

test("reward weights sum to the number of answers and lean to the best", () => {
  // exp(0), exp(1), exp(2) over their sum, times three
  const expected = [0.2701, 0.7342, 1.9957];
  rewardWeights([0, 1, 2], 1).forEach((weight, i) => expect(weight).toBeCloseTo(expected[i], 3));
  expect(rewardWeights([1000, 1000], 0.1)).toEqual([1, 1]);
});

describe("the order of a course", () => {
  const lengths = Array.from({ length: 35 }, (_, i) => (i * 13) % 35);
  const rounds = (count: number, draws: number, seed: number) => {
    const draw = createDraw(lengths, count, createRandom(seed).shuffle);
    return Array.from({ length: draws }, draw);
  };

  test("every item comes before any comes again, in whole batches", () => {
    const items = rounds(4, 35, 1).flat(); // 140 = 4 rounds of 35
    expect(items).toHaveLength(140);
    for (let i = 0; i < lengths.length; i++) expect(items.filter((item) => item === i)).toHaveLength(4);
    expect(new Set(rounds(4, 8, 1).flat()).size).toBe(32);
    expect(rounds(50, 2, 1).every((batch) => batch.length === 50)).toBe(true); // more than there are
  });

  test("a batch holds items of about one length, and another seed gives other batches", () => {
    const spread = (batch: number[]) =>
      Math.max(...batch.map((i) => lengths[i])) - Math.min(...batch.map((i) => lengths[i]));
    const spreads = rounds(4, 8, 2).map(spread);
    expect(spreads.reduce((a, b) => a + b) / 8).toBeLessThan(6); // four of 35 drawn at random: 21 on average
    expect(rounds(4, 8, 2)).toEqual(rounds(4, 8, 2));
    expect(rounds(4, 8, 2)).not.toEqual(rounds(4, 8, 3));
  });
});

describe("a policy of its own words", () => {
  const prompts = ["What is 2 plus 3?", "Where is Rome?"];
  const answers = ["It is 5.", "It lies in Italy, says <eos> Anna."];
  const dir = join(folder, "own");
  let own: Policy;

  beforeAll(async () => {
    const texts = prompts.map((prompt, i) => TEMPLATE.replace("{prompt}", prompt).replace("{response}", answers[i]));
    await writeFreshPolicy(dir, texts, { shape: { hiddenSize: 32, layers: 1, heads: 2, maxLength: 64 }, seed: 1 });
    own = await openPolicy(dir);
  });
  afterAll(() => own.dispose());

  test("reads and writes its words without loss, and takes no special token from data", async () => {
    const ids = await encodeAnswers(own, answers);
    expect(ids.every((answer) => answer.indexOf(1) === answer.length - 1)).toBe(true);
    for (const [i, answer] of ids.entries()) expect(await own.tokenizer.decode(answer)).toBe(answers[i]);
    const unknown = await encodeAnswers(own, ["It is Zanzibar."]);
    expect(unknown[0]).toContain(2);
  });

  test("learns its answers by heart, and is saved and copied as it stands", async () => {
    const [asked, told] = [await encodePrompts(own, prompts, TEMPLATE), await encodeAnswers(own, answers)];
    const examples = asked.map((prompt, i) => ({ prompt, answer: told[i], weight: 1 }));
    const losses = await fitAnswers(own, examples, { steps: 60, batchSize: 2, learningRate: 0.02, seed: 1 });
    expect(losses[0]).toBeGreaterThan(2);
    expect(losses.at(-1)).toBeLessThan(0.1);
    const texts = (await sampleAnswers(own, asked, { temperature: 0, seed: 1 })).map(({ text }) => text);
    expect(texts).toEqual(answers);
    await savePolicy(own, join(folder, "saved"));
    const again = await openPolicy(join(folder, "saved"));
    expect((await sampleAnswers(again, asked, { temperature: 0, seed: 1 })).map(({ text }) => text)).toEqual(answers);
    again.dispose();
  });

  // Would fail if chosen and rejected changed places, or the reference moved with the policy.
  test("training that diverges stops, and leaves finite weights", async () => {
    const [prompt] = await encodePrompts(own, prompts, TEMPLATE);
    const [chosen, rejected] = await encodeAnswers(own, answers);
    const options = { steps: 20, batchSize: 1, learningRate: 1e30, seed: 1 };
    for (const diverge of [
      (one: Policy) => fitAnswers(one, [{ prompt, answer: chosen, weight: 1 }], options),
      (one: Policy) => fitPreferences(one, [{ prompt, chosen, rejected }], { ...options, beta: 0.1 }),
    ]) {
      const copy = copyPolicy(own);
      await expect(diverge(copy)).rejects.toThrow(
        /policy: expected finite numbers.*in a row.*learningRate than 1e\+30/,
      );
      for (const variable of copy.parameters.values())
        expect((variable.dataSync() as Float32Array).every(Number.isFinite)).toBe(true);
      copy.dispose();
    }
  });

  test("DPO makes the chosen answer more probable than the rejected one, starting from ln 2", async () => {
    const copy = copyPolicy(own);
    const [asked, told] = [await encodePrompts(own, prompts, TEMPLATE), await encodeAnswers(own, answers)];
    const pairs = [{ prompt: asked[0], chosen: told[1], rejected: told[0] }];
    const losses = await fitPreferences(copy, pairs, {
      steps: 30,
      batchSize: 1,
      learningRate: 0.005,
      seed: 1,
      beta: 0.1,
    });
    expect(losses[0]).toBeCloseTo(Math.LN2, 5);
    expect(losses.at(-1)).toBeLessThan(0.5);
    const scorer = createAnswerScorer(copy);
    const [chosen, rejected] = scorer.logProbabilities([
      { prompt: asked[0], answer: told[1] },
      { prompt: asked[0], answer: told[0] },
    ]);
    expect(chosen - rejected).toBeGreaterThan(0);
    scorer.dispose();
    copy.dispose();
  });

  test("the same seed draws the same answers, whatever else is asked", async () => {
    const [asked] = await encodePrompts(own, prompts, TEMPLATE);
    const draw = (seed: number, times: number) =>
      sampleAnswers(own, new Array<number[]>(times).fill(asked), { temperature: 2, maxNewTokens: 6, seed });
    const [some, more, other] = [await draw(1, 4), await draw(1, 8), await draw(2, 4)];
    expect(more.slice(0, 4)).toEqual(some);
    expect(other).not.toEqual(some);
  });

  test("a policy whose file was damaged is refused by name", async () => {
    const dir = join(folder, "damaged");
    const shape = { hiddenSize: 16, layers: 1, heads: 2, maxLength: 32 };
    await writeFreshPolicy(dir, ["a b"], { shape, seed: 1 });
    const weights = join(dir, "model.safetensors");
    const bytes = readFileSync(weights);
    bytes[bytes.length - 1] ^= 0x80; // the sign of the last weight
    writeFileSync(weights, bytes);
    await expect(openPolicy(dir)).rejects.toThrow(/damaged.model\.safetensors: expected the file as it was written/);
    writeFileSync(join(dir, "config.json"), "{");
    rmSync(join(dir, "manifest.json"));
    await expect(openPolicy(dir)).rejects.toThrow(/damaged.config\.json: expected JSON/);
  });

  test("a directory that is no language model is refused by name", async () => {
    writeFileSync(
      join(dir, "config.json"),
      JSON.stringify({ ...golden.config, architectures: ["LlamaForSequenceClassification"], num_labels: 1 }),
    );
    await writeManifest(dir);
    await expect(openPolicy(dir)).rejects.toThrow(/architectures: expected a …ForCausalLM/);
  });
});
