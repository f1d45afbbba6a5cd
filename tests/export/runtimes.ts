// In: nothing. Out: the packages that run exported models, which `npm run setup -- --with-onnx` puts in place.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { onnxruntime, transformersJs as installedTransformersJs, type TransformersJs } from "../../lib/export/runtimes";

export const RUNTIMES = join(__dirname, "..", "..", ".cache", "onnx");

/** Tests have it in place. */
export function transformersJs(): TransformersJs {
  const js = installedTransformersJs();
  if (!js) throw new Error("Transformers.js: expected it in .cache/onnx, got none; run npm run setup -- --with-onnx");
  return js;
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
