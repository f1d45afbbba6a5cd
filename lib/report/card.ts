// In: what a checkpoint was trained on and how it measured. Out: its README.md with Hugging Face front matter.
import { basename } from "node:path";
import { pythonExample } from "../checkpoints/pythonExample";
import { isDecoder, type HeadKind } from "../models/config";
import { DEFAULT_MODEL } from "../checkpoints/findModel";
import { className } from "../models/families";
import { isStandardHead } from "../models/heads";
import type { CardEvaluation, Interval, ModelCardOptions } from "../runs/cardOptions";
import { code, markdownTable, markdownText, yaml } from "./markdown";
import { percent } from "../wording";

/** Models whose own name on the hub and licence are known; others keep the folder's name. */
const KNOWN_BASES: Readonly<Record<string, { id: string; license: string }>> = {
  [DEFAULT_MODEL]: { id: "sentence-transformers/all-MiniLM-L6-v2", license: "apache-2.0" },
};

/**
 * The model card of a checkpoint.
 *
 * @example
 * ```ts
 * await writeFile("README.md", modelCard(card));
 * ```
 */
export function modelCard(options: ModelCardOptions): string {
  const run = String(options.config.run ?? "reward-model");
  const sections = [
    frontMatter(options),
    `# Reward model ${markdownText(run)}`,
    "It reads a prompt and an answer and returns one number: the higher, the better the answer. " +
      "Trained by Rewardbook on preference pairs with the Bradley-Terry loss.",
    results(options.evaluation),
    trainingData(options.data),
    architecture(options),
    training(options),
    usage(options),
    limits(options),
  ];
  return sections.filter(Boolean).join("\n\n") + "\n";
}

interface Source {
  readonly file?: unknown;
  readonly sha256?: unknown;
  readonly format?: unknown;
  readonly rows?: unknown;
  readonly used?: unknown;
  readonly not_used?: Readonly<Record<string, number>>;
}

const sourcesOf = (data: ModelCardOptions["data"]) => (Array.isArray(data?.sources) ? (data.sources as Source[]) : []);

function baseOf({ config }: ModelCardOptions): { id: string; license: string | null } {
  const given = String(config.model ?? DEFAULT_MODEL);
  const name = basename(given.replace(/[\\/]+$/, ""));
  if (Object.hasOwn(KNOWN_BASES, name)) return KNOWN_BASES[name];
  const isHubName = /^[\w.-]+\/[\w.-]+$/.test(given) && !/^(models|checkpoints|\.{1,2})\//.test(given);
  return { id: isHubName ? given : name, license: null };
}

function frontMatter(options: ModelCardOptions): string {
  const base = baseOf(options);
  const metrics = options.evaluation ? modelIndex(options) : {};
  const card = {
    ...(base.license ? { license: base.license } : { license: "other", license_name: "as-the-base-model" }),
    ...(base.id ? { base_model: base.id } : {}),
    library_name: "transformers",
    pipeline_tag: "text-classification",
    tags: ["reward-model", "preference-model", "bradley-terry", "rewardbook"],
    ...metrics,
  };
  return `---\n${yaml(card)}---`;
}

function modelIndex({ config, data, evaluation }: ModelCardOptions): Record<string, unknown> {
  const measured = evaluation!;
  const source = sourcesOf(data).at(-1) ?? {};
  const metric = (name: string, type: string, value: number | undefined, ci95?: Interval) =>
    value === undefined || !Number.isFinite(value)
      ? []
      : [{ name, type, value: rounded(value), ...(ci95 ? { args: { ci95: ci95.map(rounded) } } : {}) }];
  const dataset = {
    name: basename(String(source.file ?? "preference pairs")),
    type: "preference-pairs",
    split: "validation",
    ...(source.sha256 ? { args: { sha256: String(source.sha256), n_pairs: measured.n_pairs } } : {}),
  };
  const results = {
    task: { type: "text-classification", name: "Pairwise preference" },
    dataset,
    metrics: [
      ...metric("Pairwise accuracy", "accuracy", measured.accuracy, measured.accuracy_ci95),
      ...metric("Expected calibration error", "ece", measured.ece),
      ...metric("Brier score", "brier_score", measured.brier),
      ...metric("Negative log-likelihood", "nll", measured.nll),
    ],
  };
  return { "model-index": [{ name: String(config.run ?? "reward-model"), results: [results] }] };
}

const rounded = (value: number) => Number(value.toFixed(4));
const range = (ci95: Interval | undefined) => (ci95 ? `${percent(ci95[0])} to ${percent(ci95[1])}` : "–");

function results(evaluation: CardEvaluation | null): string {
  if (!evaluation)
    return "## Results\n\nThis checkpoint is the state of a training under way; it has not been evaluated.";
  const { accuracy, accuracy_ci95, baselines = {}, by_risk = {} } = evaluation;
  const rows = [
    ["This model", percent(accuracy), range(accuracy_ci95), String(evaluation.n_pairs)],
    ...Object.entries(baselines).map(([name, value]) => [
      `Baseline: ${name.replace(/_/g, " ")}`,
      percent(value),
      "–",
      "–",
    ]),
    ...Object.entries(by_risk)
      .filter(([risk]) => risk !== "UNKNOWN")
      .map(([risk, group]) => [`Risk ${risk}`, percent(group.accuracy), range(group.ci95), String(group.n)]),
  ];
  const prompts = evaluation.n_prompts ? ` of ${evaluation.n_prompts} prompts` : "";
  const calibration = [`ECE ${evaluation.ece.toFixed(4)}`];
  if (evaluation.ece_symmetric !== undefined) calibration.push(`symmetric ECE ${evaluation.ece_symmetric.toFixed(4)}`);
  if (evaluation.brier !== undefined) calibration.push(`Brier ${evaluation.brier.toFixed(4)}`);
  if (evaluation.temperature !== undefined) calibration.push(`temperature ${evaluation.temperature.toFixed(3)}`);
  return [
    "## Results",
    `Pairwise accuracy on ${evaluation.n_pairs} validation pairs${prompts} that were not trained on; a tie counts one half.`,
    markdownTable(["", "accuracy", "95% interval", "pairs"], rows),
    `Calibration: ${calibration.join(", ")}.`,
  ].join("\n\n");
}

function trainingData(data: ModelCardOptions["data"]): string {
  const sources = sourcesOf(data);
  if (!sources.length) return "";
  const lines = sources.map((source) => {
    const left = Object.entries(source.not_used ?? {}).map(([reason, n]) => `${n} ${markdownText(reason)}`);
    return (
      `- ${code(basename(String(source.file ?? "")))} (${markdownText(String(source.format ?? "pairs"))}): ` +
      `${source.used ?? "?"} of ${source.rows ?? "?"} rows used${left.length ? `; left out: ${left.join(", ")}` : ""}` +
      `${source.sha256 ? `; sha256 ${code(String(source.sha256))}` : ""}`
    );
  });
  return [
    "## Data",
    lines.join("\n"),
    "The texts may hold personal or harmful content of their source; see its own terms.",
  ].join("\n\n");
}

/** Files and names of the run; everything else of the configuration is a hyper-parameter. */
const NOT_TOLD = new Set(["run", "pairs", "val", "model", "resume", "skip_bad_rows"]);

function training({ config }: ModelCardOptions): string {
  const rows = Object.entries(config)
    .filter(([key, value]) => !NOT_TOLD.has(key) && value !== undefined)
    .map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]);
  return ["## Training", "All settings, defaults included:", markdownTable(["setting", "value"], rows)].join("\n\n");
}

/** What a text's hidden states become one number by. */
const HEAD_TEXTS: Readonly<Record<HeadKind, string>> = {
  classification: "as in transformers",
  cls: "a linear layer on the first token",
  value: "dropout and a linear layer on the last token",
  mean: "a linear layer on the mean over the tokens",
};

function architecture(options: ModelCardOptions): string {
  const { modelConfig: model, settings, parameters, adapter } = options;
  const count = (value: number | undefined) => (value === undefined ? undefined : value.toLocaleString("en"));
  const dropout =
    model.dropout &&
    `hidden ${model.dropout.hidden}, attention ${model.dropout.attention}, head ${model.dropout.classifier}`;
  const standard =
    className(model) +
    (isStandardHead(model) ? "ForSequenceClassification, one label" : `Model under a head of its own (${model.head})`);
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["base model", baseOf(options).id],
    ["class", standard],
    ["head", headText(model)],
    ["layers", count(model.layers)],
    ["hidden size", count(model.hiddenSize)],
    ["feed-forward size", count(model.intermediateSize)],
    ["attention heads", count(model.heads)],
    ["key-value heads", isDecoder(model) ? count(model.keyValueHeads) : undefined],
    ["vocabulary", count(model.vocabSize)],
    ["positions", count(model.maxPositions)],
    ["longest text, tokens", count(settings.max_length)],
    ["dropout rates", dropout],
    ["parameters", count(parameters?.all)],
    ["parameters trained", count(parameters?.trained)],
    ["saved", adapter ? "head and low-rank updates, on the base model" : undefined],
  ];
  const rows = facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return ["## Architecture", markdownTable(["", ""], rows)].join("\n\n");
}

function headText({ head, modelType, headBias }: ModelCardOptions["modelConfig"]): string {
  if (head !== "classification") return HEAD_TEXTS[head] + (headBias ? ", with a bias" : "");
  if (isDecoder({ modelType })) return "a linear layer without bias on the last token that is not padding";
  const first = { bert: "pooler", distilbert: "dense layer" }[modelType as string] ?? "dense layer";
  return `${first} and classifier on the first token, ${HEAD_TEXTS.classification}`;
}

function usage({ settings, modelConfig, tokenizer, adapter, padId }: ModelCardOptions): string {
  const python = pythonExample({ model: modelConfig, settings, tokenizer, adapter, padId });
  const head = isStandardHead(modelConfig)
    ? ""
    : `; transformers does not know its head (${modelConfig.head}), two lines add it`;
  const inPython = `In Python (\`DIR\` is this directory${head}; \`reward(prompt, response)\` gives Rewardbook's score):\n\n\`\`\`python\n${python}\n\`\`\``;
  const here =
    "```sh\nnpx rewardbook score --checkpoint DIR --input pairs.jsonl --out scored.jsonl\nnpx rewardbook serve --checkpoint DIR --port 8000\n```";
  return ["## How to use", inPython, `In Rewardbook:\n\n${here}`].join("\n\n");
}

function limits({ settings, evaluation }: ModelCardOptions): string {
  const points = [
    "A reward compares answers to one prompt. Rewards of different prompts, and a single reward by itself, mean nothing.",
    `Inputs longer than ${settings.max_length} tokens are cut (${settings.truncation ?? "right"}).`,
    "It prefers what the people or programs behind its training pairs preferred, their mistakes included; it knows no facts.",
    "Optimising against it too far finds its mistakes: watch a quality measure it has not seen.",
  ];
  const weakest = Object.entries(evaluation?.by_risk ?? {}).sort(([, a], [, b]) => a.accuracy - b.accuracy)[0];
  if (weakest && Object.keys(evaluation!.by_risk!).length > 1) {
    points.push(
      `Least accurate at risk level ${markdownText(weakest[0])}: ${percent(weakest[1].accuracy)} of ${weakest[1].n} pairs.`,
    );
  }
  if (evaluation?.length?.sentence) points.push(markdownText(evaluation.length.sentence));
  return ["## Limits", points.map((point) => `- ${point}`).join("\n")].join("\n\n");
}
