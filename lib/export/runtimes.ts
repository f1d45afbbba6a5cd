// In: nothing. Out: the packages that run exported models, which `npm run setup -- --with-onnx` puts in place.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { InputError } from "../errors";
import { projectPath } from "../files/paths";

/** The project's own packages do not hold them: half a gigabyte. */
const FOLDER = [".cache", "onnx"];

/** Path of a file of one of the packages. */
export const runtimeFile = (name: string, file: string): string =>
  projectPath(...FOLDER, "node_modules", ...name.split("/"), ...file.split("/"));

const isThere = (name: string): boolean => existsSync(runtimeFile(name, "package.json"));

/** @throws InputError when one of the packages is not in place */
export function requireRuntimes(asked: string, names: readonly string[]): void {
  const missing = names.find((name) => !isThere(name));
  if (missing !== undefined)
    throw new InputError(
      `${asked}: expected ${missing} in ${FOLDER.join("/")}, got none; npm run setup -- --with-onnx puts it there`,
    );
}

/** A tensor of onnxruntime, as far as it is used here. */
export interface OnnxTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** onnxruntime-node, as far as it is used here. */
export interface OnnxRuntime {
  readonly Tensor: new (type: "int64", data: BigInt64Array, dims: readonly number[]) => OnnxTensor;
  readonly InferenceSession: {
    create(
      path: string,
      options?: object,
    ): Promise<{
      readonly inputNames: readonly string[];
      run(feeds: Record<string, OnnxTensor>): Promise<{ logits: OnnxTensor }>;
      release(): Promise<void>;
    }>;
  };
}

const requireRuntime = <T>(name: string): T => createRequire(projectPath(...FOLDER, "package.json"))(name) as T;

/** @throws InputError where set-up left it out */
export function onnxruntime(asked = "onnxruntime-node"): OnnxRuntime {
  requireRuntimes(asked, ["onnxruntime-node"]);
  return requireRuntime<OnnxRuntime>("onnxruntime-node");
}

/** A tokenizer of Transformers.js, as far as it is used here. */
export interface TransformersTokenizer {
  (texts: string[], options: object): { readonly input_ids: OnnxTensor };
  apply_chat_template(messages: readonly object[], options: { tokenize: false }): string;
}

/** A reward model in Transformers.js. */
export interface TransformersModel {
  (inputs: object): Promise<{ logits: OnnxTensor }>;
  dispose(): Promise<unknown>;
}

/** Transformers.js, as far as it is used here. */
export interface TransformersJs {
  readonly AutoTokenizer: { from_pretrained(dir: string): Promise<TransformersTokenizer> };
  readonly AutoModelForSequenceClassification: {
    from_pretrained(dir: string, options?: object): Promise<TransformersModel>;
  };
}

/**
 * Transformers.js, held to directories of this machine; null where set-up left it out. In a project of your own:
 * `import { AutoModelForSequenceClassification, AutoTokenizer } from "@huggingface/transformers"`.
 *
 * @example
 * ```ts
 * const js = transformersJs();
 * const tokenizer = await js?.AutoTokenizer.from_pretrained("./onnx-mine");
 * ```
 */
export function transformersJs(): TransformersJs | null {
  if (!isThere("@huggingface/transformers")) return null;
  type Module = TransformersJs & { readonly env: { allowRemoteModels: boolean; localModelPath: string } };
  const module = requireRuntime<Module>("@huggingface/transformers");
  module.env.allowRemoteModels = false;
  module.env.localModelPath = "/";
  return module;
}
