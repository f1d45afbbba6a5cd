// In: the kind of a model's head. Out: the lines of Python that load the model and give a text's score, for model cards.
import { isDecoder, type HeadKind, type ModelConfig } from "../models/config";
import { isStandardHead } from "../models/heads";

/** Lines of Python. */
export interface PythonHead {
  readonly imports: readonly string[];
  readonly load: readonly string[];
  /** An expression of `model` and of `ids`, one tokenised text. */
  readonly score: string;
}

/** Which of a text's hidden states `x` [T, H] the heads read that transformers does not have. */
const READS: Readonly<Record<Exclude<HeadKind, "classification">, string>> = { cls: "x[0]", value: "x[-1]", mean: "x.mean(0)" };

/** @param dir the directory, as an expression of Python */
export function pythonHead(config: Pick<ModelConfig, "modelType" | "head">, dir: string): PythonHead {
  const { head } = config;
  if (head === "classification" || isStandardHead(config)) {
    const load = `model = AutoModelForSequenceClassification.from_pretrained(${dir}).eval()`;
    const imports = ["from transformers import AutoModelForSequenceClassification, AutoTokenizer"];
    return { imports, load: [load], score: "model(**ids).logits[0, 0].item()" };
  }
  const bias = isDecoder(config) ? "" : ' + head["score.bias"].float()[0]';
  return {
    imports: ["from safetensors.torch import load_file", "from transformers import AutoModel, AutoTokenizer"],
    load: [
      `model = AutoModel.from_pretrained(${dir}).eval()`,
      `head = load_file(${dir} + "/model.safetensors")`,
      `read = lambda x: (${READS[head]} @ head["score.weight"].float()[0]${bias}).item()`,
    ],
    score: "read(model(**ids).last_hidden_state[0].float())",
  };
}
