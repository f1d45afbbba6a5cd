// In: nothing. Out: the packages that run exported models, which `npm run setup -- --with-onnx` puts in place.
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

export const RUNTIMES = join(__dirname, "..", "..", ".cache", "onnx");
const require = createRequire(join(RUNTIMES, "package.json"));

interface OnnxTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}
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

export const onnxruntime = (): OnnxRuntime => require("onnxruntime-node") as OnnxRuntime;

interface JsTokenizer {
  (texts: string[], options: object): object;
  apply_chat_template(messages: readonly object[], options: { tokenize: false }): string;
}
export interface TransformersJs {
  readonly env: { allowRemoteModels: boolean; localModelPath: string };
  readonly AutoTokenizer: {
    from_pretrained(dir: string): Promise<JsTokenizer>;
  };
  readonly AutoModelForSequenceClassification: {
    from_pretrained(
      dir: string,
      options?: object,
    ): Promise<((inputs: object) => Promise<{ logits: OnnxTensor }>) & { dispose(): Promise<unknown> }>;
  };
}

export async function transformersJs(): Promise<TransformersJs> {
  const entry = require.resolve("@huggingface/transformers").replace(/\.cjs$/, ".mjs");
  const module = (await import(/* @vite-ignore */ pathToFileURL(entry).href)) as TransformersJs;
  module.env.allowRemoteModels = false;
  module.env.localModelPath = "/";
  return module;
}

export const tokenizersJs = async (): Promise<{ Tokenizer: new (definition: object, settings: object) => object }> => {
  const file = join(RUNTIMES, "node_modules", "@huggingface", "tokenizers", "dist", "tokenizers.mjs");
  return (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Awaited<ReturnType<typeof tokenizersJs>>;
};

/** Scores of a batch of token ids, by an exported file. */
export async function scoresOf(
  file: string,
  batches: readonly { ids: number[][]; mask: number[][] }[],
): Promise<number[][]> {
  const { InferenceSession, Tensor } = onnxruntime();
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const all: number[][] = [];
  for (const { ids, mask } of batches) {
    const dims = [ids.length, ids[0].length];
    const tensor = (rows: number[][]) => new Tensor("int64", BigInt64Array.from(rows.flat(), BigInt), dims);
    const feeds = {
      input_ids: tensor(ids),
      attention_mask: tensor(mask),
      token_type_ids: tensor(ids.map((row) => row.map(() => 0))),
    };
    const taken = Object.fromEntries(Object.entries(feeds).filter(([name]) => session.inputNames.includes(name)));
    const { logits } = await session.run(taken);
    if (logits.dims.join() !== `${ids.length},1`)
      throw new Error(`logits: expected [${ids.length}, 1], got [${logits.dims}]`);
    all.push([...logits.data]);
  }
  await session.release();
  return all;
}
