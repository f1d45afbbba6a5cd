// In: the kind of a model's head, and whether it lies in an adapter. Out: the lines of Python that load the model and read a text's score.
import { isDecoder } from "../models/config";
import { isStandardHead, type HeadConfig } from "../models/heads";

/** Lines of Python. */
export interface PythonHead {
  readonly imports: readonly string[];
  /** Makes `model`, and `base` where the tokenizer lies elsewhere. */
  readonly load: readonly string[];
  /** An expression of `ids`, the tokens of one text [1, T]. */
  readonly score: string;
}

export interface PythonHeadOptions {
  /** The directory, as an expression of Python. */
  readonly dir: string;
  /** Whether the directory holds a PEFT adapter on a base model instead of a model. */
  readonly adapter?: boolean;
  /** A decoder's padding token, which the base of an adapter may not name. */
  readonly padId?: number | null;
}

/** Which of a text's hidden states `x` [T, H] the heads read that transformers does not have. */
const READS = { cls: "x[0]", value: "x[-1]", mean: "x.mean(0)" } as const;

/** Weights are read into float32: in bfloat16 Python's products would be rounded to it. */
export function pythonHead(config: HeadConfig, { dir, adapter = false, padId = null }: PythonHeadOptions): PythonHead {
  const standard = isStandardHead(config);
  const kind = standard || adapter ? "AutoModelForSequenceClassification" : "AutoModel";
  const imports = [`from transformers import ${kind}, AutoTokenizer`];
  const load = adapter
    ? [
        `base = PeftConfig.from_pretrained(${dir}).base_model_name_or_path`,
        `model = PeftModel.from_pretrained(${kind}.from_pretrained(base, num_labels=1), ${dir}).float().eval()`,
        ...(standard && isDecoder(config) && padId !== null ? [`model.config.pad_token_id = ${padId}`] : []),
      ]
    : [`model = ${kind}.from_pretrained(${dir}).float().eval()`];
  if (adapter) imports.unshift("from peft import PeftConfig, PeftModel");
  if (standard) return { imports, load, score: "model(input_ids=ids).logits[0, 0].item()" };
  const [file, prefix] = adapter ? ["adapter_model", "base_model.model."] : ["model", ""];
  const tensor = (part: string) => `head["${prefix}score.${part}"].float()[0]`;
  const bias = config.headBias || !isDecoder(config) ? ` + ${tensor("bias")}` : "";
  return {
    imports: ["from safetensors.torch import load_file", ...imports],
    load: [
      ...load,
      `head = load_file(${dir} + "/${file}.safetensors")`,
      `read = lambda x: (${READS[config.head as keyof typeof READS]} @ ${tensor("weight")}${bias}).item()`,
    ],
    score: adapter
      ? "read(model(input_ids=ids, output_hidden_states=True).hidden_states[-1][0])"
      : "read(model(input_ids=ids).last_hidden_state[0])",
  };
}
