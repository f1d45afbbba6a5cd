// In: a safetensors file, or a directory of them. Out: float32 tensors one at a time; and back.
import { open, readFile, stat, type FileHandle } from "node:fs/promises";
import { basename, join } from "node:path";
import { InputError } from "../errors";
import { openRows, type RowsOnFile } from "./rowsOnFile";
import { MAX_HEADER_BYTES, parseHeader, type SafetensorsHeader, type TensorPlace } from "./safetensorsHeader";
import { fill, readPieces, readTensor, type TensorEntry } from "./safetensorsRead";

export type { TensorEntry } from "./safetensorsRead";
export { writeSafetensors, type Pieces, type TensorSource } from "./safetensorsWrite";

/** A tensor that is read when it is asked for. */
export interface StreamedTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Its numbers in order, some whole rows of the first axis at a time. @throws as `SafetensorsFile.read` */
  pieces(): AsyncGenerator<Float32Array>;
  /** Its rows on demand, also when the file that it came from is closed here; for a matrix. */
  rows(): RowsOnFile;
}

/** An open file: its header, checked, and its tensors on demand. */
export interface SafetensorsFile extends SafetensorsHeader {
  readonly path: string;
  /** Reads one tensor as float32. @throws InputError when its dtype is not a float one or the file ends early */
  read(name: string): Promise<TensorEntry>;
  /** The same piece by piece, for tensors of which no copy should be held. */
  stream(name: string): StreamedTensor;
  close(): Promise<void>;
}

/** Names of the files a Hugging Face directory keeps its weights in. */
export const SINGLE_FILE = "model.safetensors";
export const INDEX_FILE = "model.safetensors.index.json";

/**
 * Opens one file and checks its header against every rule of the format.
 *
 * @throws InputError naming the file and, where one is at fault, the tensor
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const file = await openForReading(path);
  try {
    const header = await readHeader(file, path);
    const placeOf = (name: string): TensorPlace => {
      const place = header.tensors.get(name);
      if (place) return place;
      throw new InputError(
        `${path}: expected a tensor ${JSON.stringify(name)}, got none of that name; check the model`,
      );
    };
    return {
      ...header,
      path,
      read: async (name) => readTensor(file, placeOf(name), path, header.dataStart),
      stream: (name) => {
        const place = placeOf(name);
        const { dtype, shape } = place;
        return {
          ...{ dtype, shape },
          pieces: () => readPieces(file, place, path, header.dataStart),
          rows: () => openRows(path, place, header.dataStart),
        };
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * The floating-point tensors of a file or model directory one by one; integer buffers (`position_ids`) are left out.
 * Nothing but the tensor at hand is in memory.
 *
 * @param source a `.safetensors` file, an index file, or a directory with either
 */
export async function* iterateSafetensors(source: string): AsyncGenerator<[name: string, tensor: TensorEntry]> {
  for await (const [name, file] of floatTensors(source)) yield [name, await file.read(name)];
}

/** The same without reading them: each tensor's numbers come piece by piece while it is at hand. */
export async function* streamSafetensors(source: string): AsyncGenerator<[name: string, tensor: StreamedTensor]> {
  for await (const [name, file] of floatTensors(source)) yield [name, file.stream(name)];
}

async function* floatTensors(source: string): AsyncGenerator<[name: string, file: SafetensorsFile]> {
  const paths = await resolveFiles(source);
  for (const path of paths) {
    const file = await openSafetensors(path);
    try {
      for (const { name, dtype } of file.tensors.values()) {
        if (!/^([IU]\d+|BOOL)$/.test(dtype)) yield [name, file];
      }
    } finally {
      await file.close();
    }
  }
}

/** Size of a model's weight files, bytes. */
export async function weightBytes(source: string): Promise<number> {
  const sizes = await Promise.all((await resolveFiles(source)).map(async (path) => (await stat(path)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** All floating-point tensors of a file or model directory, by name. */
export async function readSafetensors(source: string): Promise<Map<string, TensorEntry>> {
  const tensors = new Map<string, TensorEntry>();
  for await (const [name, tensor] of iterateSafetensors(source)) tensors.set(name, tensor);
  return tensors;
}

/** The names of all tensors of a file or model directory, and one tensor at a time by its name. */
export async function openTensors(
  source: string,
): Promise<{ readonly names: ReadonlySet<string>; read(name: string): Promise<TensorEntry> }> {
  const placeOf = new Map<string, string>();
  for (const path of await resolveFiles(source)) {
    const file = await openSafetensors(path);
    for (const name of file.tensors.keys()) placeOf.set(name, path);
    await file.close();
  }
  const read = async (name: string): Promise<TensorEntry> => {
    const file = await openSafetensors(placeOf.get(name)!);
    try {
      return await file.read(name);
    } finally {
      await file.close();
    }
  };
  return { names: new Set(placeOf.keys()), read };
}

async function openForReading(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    throw new InputError(
      `${path}: expected a readable safetensors file, got ${(error as NodeJS.ErrnoException).code}; check the path`,
    );
  }
}

async function readHeader(file: FileHandle, path: string): Promise<SafetensorsHeader & { dataStart: number }> {
  const info = await file.stat();
  if (!info.isFile())
    throw new InputError(`${path}: expected a safetensors file, got something else; give the file's path`);
  if (info.size < 8)
    throw new InputError(`${path}: expected a safetensors file, got ${info.size} bytes; fetch or save it again`);
  const length = new DataView((await readPiece(file, 0, 8, path)).buffer).getBigUint64(0, true);
  if (length > BigInt(Math.min(MAX_HEADER_BYTES, info.size - 8))) {
    throw new InputError(
      `${path}: header: expected at most ${Math.min(MAX_HEADER_BYTES, info.size - 8)} bytes, got ${length}; ` +
        "not a safetensors file, or cut short: fetch or save it again",
    );
  }
  const dataStart = 8 + Number(length);
  return { ...parseHeader(await readPiece(file, 8, Number(length), path), info.size - dataStart, path), dataStart };
}

async function readPiece(file: FileHandle, position: number, length: number, path: string): Promise<Uint8Array> {
  return fill(file, new Uint8Array(length), position, path);
}

/** The files a source stands for, each once; an index must agree with what its files hold. */
async function resolveFiles(source: string): Promise<string[]> {
  const isDirectory = await stat(source).then(
    (info) => info.isDirectory(),
    () => false,
  );
  if (!isDirectory) return source.endsWith(".index.json") ? readIndex(source) : [source];
  const single = join(source, SINGLE_FILE);
  if (
    await stat(single).then(
      () => true,
      () => false,
    )
  )
    return [single];
  const index = join(source, INDEX_FILE);
  if (
    await stat(index).then(
      () => true,
      () => false,
    )
  )
    return readIndex(index);
  throw new InputError(
    `${source}: expected ${SINGLE_FILE} or ${INDEX_FILE}, got neither; give a model directory with safetensors weights`,
  );
}

/**
 * The shards an index names. Each lies beside the index, holds what the index says, and no tensor lies in two.
 *
 * @throws InputError naming the index and the tensor
 */
async function readIndex(index: string): Promise<string[]> {
  const map = await readWeightMap(index);
  const found = new Map<string, string>();
  const shards = [...new Set(map.values())].sort();
  for (const shard of shards) {
    const file = await openSafetensors(join(index, "..", shard));
    await file.close();
    for (const name of file.tensors.keys()) {
      const other = found.get(name);
      if (other)
        throw new InputError(
          `${index}: tensor ${JSON.stringify(name)}: expected it in one file, got ${other} and ${shard}; ` +
            "fetch the model again",
        );
      found.set(name, shard);
    }
  }
  for (const [name, shard] of map) {
    if (found.get(name) !== shard) {
      throw new InputError(
        `${index}: tensor ${JSON.stringify(name)}: expected it in ${shard}, ` +
          `got ${found.get(name) ?? "no such tensor"}; fetch the model again`,
      );
    }
  }
  return shards.map((shard) => join(index, "..", shard));
}

async function readWeightMap(index: string): Promise<Map<string, string>> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(index, "utf8"));
  } catch (error) {
    throw new InputError(`${index}: expected JSON, got ${(error as Error).message}; fetch the model again`);
  }
  const map = (json as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== "object" || map === null || Array.isArray(map)) {
    throw new InputError(`${index}: expected {weight_map: {tensor: file}}, got none; fetch the model again`);
  }
  for (const [name, shard] of Object.entries(map)) {
    if (
      typeof shard !== "string" ||
      shard !== basename(shard) ||
      /[\\\0]/.test(shard) ||
      !shard.endsWith(".safetensors")
    ) {
      throw new InputError(
        `${index}: tensor ${JSON.stringify(name)}: expected a .safetensors file of the same directory, ` +
          `got ${JSON.stringify(shard)}; do not use this model`,
      );
    }
  }
  return new Map(Object.entries(map as Record<string, string>));
}
