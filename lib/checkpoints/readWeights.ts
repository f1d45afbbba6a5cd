// In: a model directory and what a reward model needs of it. Out: its tensors, checked, a few rows at a time.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DTYPE_BITS, encodeBfloat16 } from "../files/dtypes";
import { checkFinite } from "../files/finite";
import { elementCount } from "../files/pieces";
import { INDEX_FILE, SINGLE_FILE, streamSafetensors, weightBytes, type StreamedTensor } from "../files/safetensors";
import type { Watch } from "../longWork";
import type { ModelConfig } from "../models/config";
import { canonicalName, type ArrivingTensor, type CheckpointTensor, type TensorOnFile } from "../models/createModel";
import { wordTable } from "../models/families";
import { halfNames } from "../models/memory";
import { parameterShapes } from "../models/rewardModel";
import type { ValueHead } from "./valueHead";

/** What a trunk's matrices are kept as; see `LoadOptions`. */
export type WeightStorage = "f32" | "bf16" | "as-stored";

/** The file to name where a tensor is at fault. */
export const weightsFile = (dir: string): string =>
  join(dir, [SINGLE_FILE, INDEX_FILE].find((name) => existsSync(join(dir, name))) ?? "");

/**
 * The tensors a reward model needs, one at a time; the others by name only, so that a language model's output layer takes
 * no memory. A value head found under other names comes last, under ours.
 */
export async function* readWeights({
  dir,
  config,
  storage,
  valueHead,
  tableOnFile = false,
  watch,
}: {
  readonly dir: string;
  readonly config: ModelConfig;
  readonly storage: WeightStorage | undefined;
  readonly valueHead: ValueHead | null;
  /** Leaves the table of word embeddings in its file. */
  readonly tableOnFile?: boolean;
  readonly watch: Watch;
}): AsyncGenerator<[string, CheckpointTensor | ArrivingTensor | TensorOnFile]> {
  const total = await weightBytes(dir);
  let read = 0;
  const needed = parameterShapes(config);
  const halves = halfNames(config);
  for await (const [name, tensor] of streamSafetensors(dir)) {
    if (valueHead?.stored.includes(name)) continue;
    const { dtype, shape } = tensor;
    const canonical = canonicalName(config, name);
    // an embedding is added up in f32: it is kept in bf16 only where nothing is lost
    const half =
      halves.has(canonical) &&
      (dtype === "BF16"
        ? storage === "bf16" || storage === "as-stored"
        : storage === "bf16" && !/embed/.test(canonical));
    const onRead = (numbers: number) => {
      watch.signal.throwIfAborted();
      read += (numbers * DTYPE_BITS[dtype]) / 8;
      watch.onProgress(Math.round(read / 1e6), Math.round(total / 1e6));
    };
    if (tableOnFile && canonical === wordTable(config)) {
      onRead(elementCount(shape));
      yield [name, { shape, rows: tensor.rows }];
    } else if (needed.has(canonical)) {
      const at = `${weightsFile(dir)}: tensor ${JSON.stringify(name)}`;
      yield [name, { shape, pieces: checkedPieces(tensor, { at, half, onRead }) }];
    } else {
      onRead(elementCount(shape));
      yield [name, { shape, data: new Float32Array(0) }];
    }
  }
  for (const [name, tensor] of valueHead?.tensors ?? []) {
    checkFinite(tensor.data, `${dir}: value head ${name}`);
    yield [name, tensor];
  }
}

/** A tensor's numbers as they are read, all of them finite. @throws InputError naming the first that is not */
export async function* checkedPieces(
  tensor: StreamedTensor,
  {
    at,
    half = false,
    onRead,
  }: { readonly at: string; readonly half?: boolean; readonly onRead?: (numbers: number) => void },
): AsyncGenerator<Float32Array | Uint16Array> {
  let from = 0;
  for await (const piece of tensor.pieces()) {
    const start = from;
    checkFinite(piece, at, (index) => `at position ${start + index}`);
    from += piece.length;
    onRead?.(piece.length);
    yield half ? encodeBfloat16(piece) : piece;
  }
}
