import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { code, markdownText, yaml } from "../../lib/report/markdown";
import { modelCard } from "../../lib/report/card";
import type { ModelCardOptions } from "../../lib/runs/cardOptions";
import { HOSTILE } from "./fixture";

const golden = (name: string) => readFileSync(join(__dirname, "../goldens/report", name), "utf8");

const WORDPIECE = {
  appendEos: false,
  frame: { head: 1, tail: 1 },
  chatTemplate: null,
  plainSpecials: true,
  specialTexts: ["[CLS]", "[SEP]"],
};

const options: ModelCardOptions = {
  tokenizer: WORDPIECE,
  config: { run: "r1", model: "models/all-MiniLM-L6-v2", epochs: 2, learning_rate: 5e-5, seed: 42 },
  modelConfig: { modelType: "bert", head: "classification" },
  settings: { template: "Question:\n{prompt}\n\nAnswer:\n{response}", max_length: 256, truncation: "right" },
  evaluation: {
    n_pairs: 400,
    n_prompts: 200,
    accuracy: 0.8125,
    accuracy_ci95: [0.77, 0.85],
    ece: 0.0321,
    baselines: { random: 0.5, longer_answer: 0.575 },
    by_risk: { LOW: { n: 300, accuracy: 0.85, ci95: [0.8, 0.89] }, HIGH: { n: 100, accuracy: 0.7, ci95: [0.6, 0.78] } },
  },
  data: {
    sources: [
      { file: "data/pairs.jsonl", sha256: "abcd", format: "original", rows: 10, used: 8, not_used: { tie: 2 } },
    ],
  },
};

describe("yaml", () => {
  // frontMatter.py: PyYAML reads frontMatter.yaml back as frontMatter.json, huggingface_hub reads its model index.
  test("is what PyYAML reads back to the same values", () => {
    expect(yaml(JSON.parse(golden("frontMatter.json")))).toBe(golden("frontMatter.yaml"));
  });
});

describe("modelCard", () => {
  test("front matter: what the hub looks for", () => {
    const [, front] = modelCard(options).split("---\n");
    for (const line of [
      'license: "apache-2.0"',
      'base_model: "sentence-transformers/all-MiniLM-L6-v2"',
      'pipeline_tag: "text-classification"',
      '- "reward-model"',
      "      value: 0.8125",
      "        - 0.77",
      '        sha256: "abcd"',
    ]) {
      expect(front.split("\n")).toContain(line);
    }
  });

  test("an unknown base keeps its name and leaves the licence to it", () => {
    const card = modelCard({ ...options, config: { model: "/models/my-bert/" } });
    expect(card).toContain('license: "other"\nlicense_name: "as-the-base-model"\nbase_model: "my-bert"');
    expect(modelCard({ ...options, config: { model: "microsoft/deberta" } })).toContain(
      'base_model: "microsoft/deberta"',
    );
  });

  test("results, data and limits carry their figures", () => {
    const card = modelCard(options);
    expect(card).toContain("| This model | 81.3% | 77.0% to 85.0% | 400 |");
    expect(card).toContain("`pairs.jsonl` (original): 8 of 10 rows used; left out: 2 tie; sha256 `abcd`");
    expect(card).toContain("Least accurate at risk level HIGH: 70.0% of 100 pairs.");
    expect(card).not.toContain("data/pairs.jsonl"); // folders of the machine are nobody's business
  });

  test("a template becomes an expression in which a prompt cannot pose as a placeholder", () => {
    expect(modelCard(options)).toContain('text = "Question:\\n" + prompt + "\\n\\nAnswer:\\n" + response');
    expect(modelCard({ ...options, settings: { template: "chat", max_length: 64 } })).toContain("apply_chat_template");
  });

  test("a head that transformers does not have is not promised to load there", () => {
    const card = (modelType: "bert" | "llama", head: "cls" | "value" | "mean") =>
      modelCard({ ...options, modelConfig: { modelType, head } });
    for (const [head, reads] of [
      ["cls", "x[0]"],
      ["value", "x[-1]"],
      ["mean", "x.mean(0)"],
    ] as const) {
      expect(card("bert", head)).not.toContain("ForSequenceClassification");
      expect(card("bert", head)).toContain(`(${reads} @ head["score.weight"]`);
    }
    expect(card("llama", "value")).toContain("AutoModelForSequenceClassification");
    expect(card("llama", "mean")).not.toContain("score.bias");
  });

  test("architecture, and every setting of the run", () => {
    const config = {
      run: "r1",
      pairs: "/secret/pairs.jsonl",
      epochs: 2,
      adam_beta2: 0.999,
      template: "a|b",
      keep_ties: false,
    };
    const modelConfig = { modelType: "bert", head: "classification", layers: 6, hiddenSize: 384 } as const;
    const card = modelCard({ ...options, config, modelConfig, parameters: { all: 22_713_601, trained: 385 } });
    for (const row of [
      "| class | BertForSequenceClassification, one label |",
      "| layers | 6 |",
      "| hidden size | 384 |",
      "| parameters | 22,713,601 |",
      "| parameters trained | 385 |",
      "| epochs | 2 |",
      "| adam\\_beta2 | 0.999 |",
      "| keep\\_ties | false |",
    ]) {
      expect(card).toContain(row);
    }
    expect(card).not.toContain("/secret");
  });

  test("a state between validations has no metrics", () => {
    const card = modelCard({ ...options, evaluation: null });
    expect(card).not.toContain("model-index");
    expect(card).toContain("it has not been evaluated");
  });

  test.each(HOSTILE)("a hostile name stays text: %s", (text) => {
    const card = modelCard({
      ...options,
      config: { ...options.config, run: `---\n${text}` },
      evaluation: { ...options.evaluation!, by_risk: { [text]: { n: 1, accuracy: 1 } } },
    });
    const [front, ...rest] = card.slice(4).split("\n---\n");
    expect(front).toContain("model-index:");
    expect(rest.join("")).not.toMatch(/<(script|img|svg|a |iframe|!--)/);
  });

  test("inline code is fenced by more backticks than it holds", () => {
    expect(code("a``b")).toBe("``` a``b ```");
    expect(markdownText("a|b\n*c* [d](e) <f>")).toBe("a\\|b \\*c\\* \\[d\\]\\(e\\) &lt;f>");
  });
});
