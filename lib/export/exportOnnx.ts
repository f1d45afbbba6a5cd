// In: a checkpoint. Out: a directory that Transformers.js and onnxruntime read: the model in ONNX, its configuration and tokenizer.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { padTokenId, type LoadedModel } from "../checkpoints/loadCheckpoint";
import { inputNames, writeTokenizer } from "../checkpoints/saveTokenizer";
import { SETTINGS_FILE } from "../checkpoints/settings";
import { writeOnnxModel } from "../engine/onnx/writeModel";
import { requireReplaceable, writeDirectoryAtomically } from "../files/directory";
import { isDecoder } from "../models/config";
import { mergedParameters } from "../models/lora";
import { rewardGraph } from "../models/onnx/rewardGraph";
import type { OnnxDtype } from "../models/onnx/weights";
import type { PreferencePair } from "../pairs/pair";
import { checkpointConfig } from "../models/rewardModel";
import { exportCard } from "./exportCard";
import { exportedTokenizer } from "./tokenizerJson";
import { measureCosts, type MeasuredCost } from "./measuredCost";
import { writeWebPage } from "./webPage";

/** The names Transformers.js looks for. */
export const ONNX_FILES: Readonly<Record<OnnxDtype, string>> = {
  fp32: "model.onnx",
  fp16: "model_fp16.onnx",
  q8: "model_quantized.onnx",
};

export interface ExportOptions {
  /** The first is the one that Transformers.js takes unless told. */
  readonly dtypes: readonly OnnxDtype[];
  /** Bytes of weights beyond which they lie in a file beside the model; for tests. */
  readonly largest?: number;
  /** Adds a static page that scores in the browser; takes q8 among the types. */
  readonly web?: boolean;
  /** Held-out pairs: what each type costs on them is measured and told in the card. Takes onnxruntime. */
  readonly pairs?: readonly PreferencePair[];
}

export interface ExportedFile {
  readonly dtype: OnnxDtype;
  readonly file: string;
  readonly bytes: number;
  /** On the pairs, where there are some. */
  readonly cost?: MeasuredCost;
}

/**
 * Writes `onnx/model.onnx` (`model_fp16.onnx`, `model_quantized.onnx`), `config.json`, the tokenizer, `rewardbook.json` and
 * `README.md`. An earlier export of that name stays until the new one is complete.
 *
 * @throws InputError for a directory that is no earlier export; with pairs, where set-up left onnxruntime out
 * @example
 * ```ts
 * await exportOnnx("onnx-mine", loaded, { dtypes: ["fp32", "q8"] });
 * ```
 */
export async function exportOnnx(
  dir: string,
  loaded: LoadedModel,
  { dtypes, largest, web = false, pairs = [] }: ExportOptions,
): Promise<ExportedFile[]> {
  await requireReplaceable(dir, "onnx/");
  const { model, tokenizer } = loaded;
  const settings = { ...loaded.settings, append_eos: tokenizer.appendEos };
  const weights = new Map(mergedParameters(model));
  const files: (ExportedFile & { external: boolean })[] = [];
  let costs: MeasuredCost[] = [];
  await writeDirectoryAtomically(dir, async (temporary) => {
    await mkdir(join(temporary, "onnx"));
    for (const dtype of dtypes) {
      const graph = rewardGraph({ config: model.config, weights, dtype, unreadId: tokenizer.unreadId });
      const file = `onnx/${ONNX_FILES[dtype]}`;
      files.push({ dtype, file, ...(await writeOnnxModel(join(temporary, file), graph, { largest })) });
    }
    await writeJson(join(temporary, "config.json"), {
      ...checkpointConfig(model.config),
      ...standIn(loaded),
      pad_token_id: padTokenId(model.config, tokenizer),
      "transformers.js_config": {
        dtype: dtypes[0],
        ...(files.some(({ external }) => external) && { use_external_data_format: true }),
      },
    });
    await writeTokenizer(temporary, tokenizer, {
      settings,
      inputs: inputNames(model.config),
      chatTemplate: tokenizer.chatTemplate,
      change: exportedTokenizer(tokenizer, settings.template),
    });
    await writeJson(join(temporary, SETTINGS_FILE), settings);
    if (pairs.length > 0)
      costs = await measureCosts(
        files.map(({ dtype, file }) => ({ dtype, path: join(temporary, file) })),
        loaded,
        pairs,
      );
    await writeFile(join(temporary, "README.md"), exportCard({ settings, files, costs }));
    if (web) await writeWebPage(temporary, loaded);
  });
  return files.map(({ dtype, file, bytes }, i) => ({ dtype, file, bytes, ...(costs[i] && { cost: costs[i] }) }));
}

/**
 * Transformers.js chooses a class by `model_type`, and has none that gives a decoder's score. RoBERTa's takes the same inputs
 * and runs whatever graph there is, so decoders go by its name; what they are is in `rewardbook_model_type`.
 */
const standIn = ({ model: { config } }: LoadedModel) =>
  isDecoder(config) ? { model_type: "roberta", rewardbook_model_type: config.modelType } : {};

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}
