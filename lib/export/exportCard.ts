// In: what was exported. Out: its README.md: how to score with it from TypeScript and Python.
import type { RewardbookSettings } from "../checkpoints/settings";
import type { OnnxDtype } from "../models/onnx/weights";
import { isChat } from "../text/template";
import { percent } from "../wording";
import type { MeasuredCost } from "./measuredCost";

export interface ExportCardOptions {
  readonly settings: RewardbookSettings;
  readonly files: readonly { readonly dtype: OnnxDtype; readonly file: string; readonly bytes: number }[];
  /** What the types cost, where it was measured. */
  readonly costs: readonly MeasuredCost[];
}

/** Text of a model, made by JavaScript with the model's own template. */
function textExpression(template: string): string {
  if (isChat(template))
    return (
      'tokenizer.apply_chat_template([{ role: "user", content: prompt }, { role: "assistant", content: response }], ' +
      "{ tokenize: false })"
    );
  const parts = template.split(/(\{prompt\}|\{response\})/).filter((part) => part !== "");
  return parts
    .map((part) => (part === "{prompt}" || part === "{response}" ? part.slice(1, -1) : JSON.stringify(part)))
    .join(" + ");
}

/** Five lines that a TypeScript user copies; `DIR` stands for the directory, a path that begins with `.` or `/`. */
export function transformersExample(template: string): string {
  const options = isChat(template)
    ? "{ padding: true, truncation: true, add_special_tokens: false }"
    : "{ padding: true, truncation: true }";
  return [
    'import { AutoModelForSequenceClassification, AutoTokenizer } from "@huggingface/transformers";',
    'const tokenizer = await AutoTokenizer.from_pretrained("DIR");',
    'const model = await AutoModelForSequenceClassification.from_pretrained("DIR");',
    `const text = (prompt: string, response: string) => ${textExpression(template)};`,
    `console.log((await model(tokenizer([text("Why is the sky blue?", "Rayleigh scattering.")], ${options}))).logits.tolist());`,
  ].join("\n");
}

/** A table of what the types cost on held-out pairs, or nothing. */
function costTable(costs: readonly MeasuredCost[]): string {
  if (costs.length === 0) return "";
  const rows = costs.map(
    ({ dtype, accuracy, checkpointAccuracy, rankCorrelation, largestDifference }) =>
      `| ${dtype} | ${percent(accuracy)} | ${percent(checkpointAccuracy)} | ${rankCorrelation?.toFixed(5) ?? "–"} | ${largestDifference.toPrecision(2)} |`,
  );
  return `
What the types cost, measured on ${costs[0].pairs} held-out pairs with onnxruntime:

| type | accuracy | of the checkpoint in f32 | rank correlation of the scores | largest difference of a score |
|---|---|---|---|---|
${rows.join("\n")}
`;
}

export function exportCard({ settings, files, costs }: ExportCardOptions): string {
  const listed = files.map(({ dtype, file, bytes }) => `- \`${file}\` (${dtype}, ${(bytes / 1e6).toFixed(1)} MB)`);
  return `---
library_name: transformers.js
pipeline_tag: text-classification
tags: [reward-model, rewardbook, onnx]
---
# Reward model in ONNX

Gives one number for a prompt and an answer; only differences between answers to one prompt mean something.

${listed.join("\n")}
${costTable(costs)}
Inputs: int64 \`input_ids\`, \`attention_mask\` (and \`token_type_ids\` where the tokenizer gives them), [texts, tokens], padded at either end.
Output: f32 \`logits\`, [texts, 1].

\`\`\`ts
${transformersExample(settings.template)}
\`\`\`

Texts have at most ${settings.max_length} tokens: longer ones were cut in training (\`truncation: ${settings.truncation}\` in \`rewardbook.json\`); Transformers.js cuts the end, the closing token with it.
`;
}
