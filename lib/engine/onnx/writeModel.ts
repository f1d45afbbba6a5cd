// In: an ONNX graph. Out: its file, one tensor in memory at a time; the weights in a file beside it where one would be too large.

import { open, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { writeAll } from "../../files/pieces";
import { bytesField, concat, numberField, varint, type Bytes } from "../wire";
import { initializerBytes, type Initializer, type OnnxGraph } from "./graph";
import { nodeMessage, portMessage, tensorHead, type ExternalPlace } from "./messages";

/** The oldest operator set with LayerNormalization, and the format version that came with it. */
const OPERATOR_SET = 17;
const FORMAT_VERSION = 8;
/** Protocol buffers hold at most 2³¹ − 1 bytes: weights beyond this share of it go to their own file. */
const LARGEST_FILE = 2 ** 31 - 2 ** 24;
/** Tensors below this stay in the model's file: shapes are inferred from some of them. */
const SMALLEST_OUTSIDE = 1024;
/** Places in the file of weights are multiples of a memory page, so that it can be mapped. */
const PAGE = 4096;

export interface WrittenModel {
  readonly bytes: number;
  /** Whether the weights lie in `PATH_data`. */
  readonly external: boolean;
}

/**
 * Writes `path`, and `path` + `_data` when the weights are more than `largest` bytes.
 *
 * @param options.largest for tests of the second file
 */
export async function writeOnnxModel(
  path: string,
  graph: OnnxGraph,
  { largest = LARGEST_FILE }: { readonly largest?: number } = {},
): Promise<WrittenModel> {
  const total = graph.initializers.reduce((sum, tensor) => sum + initializerBytes(tensor), 0);
  const external = total > largest;
  const places = external ? placesOf(graph, `${basename(path)}_data`) : new Map<Initializer, ExternalPlace>();
  const inside = graph.initializers.filter((tensor) => !places.has(tensor));
  const heads = inside.map((tensor) => tensorField(tensor, tensorHead(tensor, initializerBytes(tensor))));
  const rest = concat(
    ...graph.nodes.map((node) => bytesField(1, nodeMessage(node))),
    bytesField(2, "reward"),
    ...[...places].map(([tensor, place]) => bytesField(5, tensorHead(tensor, 0, place))),
    ...graph.inputs.map((port) => bytesField(11, portMessage(port))),
    ...graph.outputs.map((port) => bytesField(12, portMessage(port))),
  );
  const graphBytes =
    rest.length + inside.reduce((sum, tensor, i) => sum + heads[i].length + initializerBytes(tensor), 0);
  const model = concat(
    numberField(1, FORMAT_VERSION),
    bytesField(2, "rewardbook"),
    bytesField(8, concat(bytesField(1, ""), numberField(2, OPERATOR_SET))),
    varint((7 << 3) | 2),
    varint(graphBytes),
    rest,
  );
  await writing(path, async (file) => {
    await writeAll(file, model);
    for (const [i, tensor] of inside.entries()) {
      await writeAll(file, heads[i]);
      await writeTensor(file, tensor);
    }
  });
  if (external) await writeOutside(dirname(path), places);
  return {
    bytes: model.length + graphBytes - rest.length + [...places.values()].reduce((n, p) => n + p.length, 0),
    external,
  };
}

/** The field of a graph that a tensor is, up to the tensor's bytes. */
function tensorField(tensor: Initializer, head: Bytes): Bytes {
  return concat(varint((5 << 3) | 2), varint(head.length + initializerBytes(tensor)), head);
}

function placesOf({ initializers }: OnnxGraph, file: string): Map<Initializer, ExternalPlace> {
  const places = new Map<Initializer, ExternalPlace>();
  let offset = 0;
  for (const tensor of initializers) {
    const length = initializerBytes(tensor);
    if (length < SMALLEST_OUTSIDE) continue;
    places.set(tensor, { file, offset, length });
    offset = Math.ceil((offset + length) / PAGE) * PAGE;
  }
  return places;
}

async function writeOutside(dir: string, places: ReadonlyMap<Initializer, ExternalPlace>): Promise<void> {
  const [first] = places.values();
  await writing(join(dir, first.file), async (file) => {
    for (const [tensor, { offset }] of places) await writeTensor(file, tensor, offset);
  });
}

async function writeTensor(file: FileHandle, tensor: Initializer, at?: number): Promise<void> {
  let count = 0;
  for (const bytes of tensor.bytes()) {
    await writeAll(file, bytes, at === undefined ? undefined : at + count);
    count += bytes.length;
  }
  if (count !== initializerBytes(tensor))
    throw new Error(`${tensor.name}: expected ${initializerBytes(tensor)} bytes for [${tensor.shape}], got ${count}`);
}

async function writing(path: string, fill: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, "w");
  try {
    await fill(file);
    await file.sync();
  } finally {
    await file.close();
  }
}
