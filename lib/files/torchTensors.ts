// In: a small file of tensors that torch.save wrote (a value head). Out: the tensors; nothing in the file is ever run.
import { elementCount } from "./pieces";
import { readFile } from "node:fs/promises";
import { InputError } from "../errors";
import { decodeFloats, type FloatDtype } from "./dtypes";
import type { TensorEntry } from "./safetensors";
import { readStoredZip } from "./torchZip";

const STORAGES: Readonly<Record<string, readonly [dtype: FloatDtype, bytes: number]>> = {
  "torch FloatStorage": ["F32", 4],
  "torch HalfStorage": ["F16", 2],
  "torch BFloat16Storage": ["BF16", 2],
  "torch DoubleStorage": ["F64", 8],
};

/** A name of the pickle's that stands for a thing of Python's; only those of tensors are understood. */
class Global {
  constructor(readonly name: string) {}
}
/** The pickle's reference to one of the archive's data files. */
interface Storage {
  readonly dtype: FloatDtype;
  readonly bytes: number;
  readonly key: string;
}

/**
 * Reads a state dict, without Python and without running what the pickle may ask for: only dictionaries, numbers, texts
 * and contiguous float tensors are understood.
 *
 * @throws InputError for anything else
 * Reference: Python's pickletools.py (protocol 2), torch/serialization.py, torch/_utils.py `_rebuild_tensor_v2`
 */
export async function readTorchTensors(path: string): Promise<Map<string, TensorEntry>> {
  const files = readStoredZip(await readFile(path), path);
  const pickle = [...files.keys()].find((name) => name.endsWith("/data.pkl"));
  if (!pickle) throw new InputError(`${path}: expected a state dict of torch.save, got none; save it as safetensors`);
  const folder = pickle.slice(0, -"data.pkl".length);
  const tensors = new Map<string, TensorEntry>();
  for (const [name, value] of unpickle(files.get(pickle)!, path)) {
    if (!isTensor(value)) refuse(path, `${JSON.stringify(name)}, which is no tensor`);
    const { storage, offset, shape, strides } = value;
    const size = elementCount(shape);
    const contiguous = shape.map((_, i) => elementCount(shape.slice(i + 1)));
    if (shape.some((n, i) => n > 1 && strides[i] !== contiguous[i])) refuse(path, `the strided tensor ${name}`);
    const bytes = files.get(`${folder}data/${storage.key}`);
    const start = offset * storage.bytes;
    if (!bytes || start + size * storage.bytes > bytes.length) refuse(path, `no data for ${name}`);
    const data = new Float32Array(size);
    decodeFloats(bytes.slice(start, start + size * storage.bytes), storage.dtype, data, 0); // a copy is aligned
    tensors.set(String(name), { dtype: storage.dtype, shape, data });
  }
  return tensors;
}

interface PickledTensor {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}
const isTensor = (value: unknown): value is PickledTensor =>
  typeof value === "object" && value !== null && "storage" in value;

function refuse(path: string, what: string): never {
  throw new InputError(
    `${path}: expected a dictionary of float tensors, got ${what}; ` +
      "if you trust the file, save it in Python: safetensors.torch.save_file(torch.load(FILE), 'value_head.safetensors')",
  );
}

const MARK = Symbol("mark");

/** Runs the few opcodes that a state dict is made of. */
function unpickle(bytes: Uint8Array, path: string): Map<unknown, unknown> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stack: unknown[] = [];
  const memo = new Map<number, unknown>();
  let at = 0;
  const text = (length: number) => new TextDecoder().decode(bytes.subarray(at, (at += length)));
  const line = () => text(bytes.indexOf(10, at) - at + 1).trimEnd();
  const toMark = () => stack.splice(stack.lastIndexOf(MARK)).slice(1);
  const u8 = () => view.getUint8(at++);
  const u32 = () => view.getUint32((at += 4) - 4, true);
  const operations: Record<string, () => void> = {
    "\x80": () => void u8(),
    "(": () => stack.push(MARK),
    "}": () => stack.push(new Map()),
    "]": () => stack.push([]),
    ")": () => stack.push([]),
    N: () => stack.push(null),
    "\x88": () => stack.push(true),
    "\x89": () => stack.push(false),
    K: () => stack.push(u8()),
    M: () => stack.push(view.getUint16((at += 2) - 2, true)),
    J: () => stack.push(view.getInt32((at += 4) - 4, true)),
    X: () => stack.push(text(u32())),
    c: () => stack.push(new Global(`${line()} ${line()}`)),
    q: () => memo.set(u8(), stack.at(-1)),
    r: () => memo.set(u32(), stack.at(-1)),
    h: () => stack.push(memo.get(u8())),
    j: () => stack.push(memo.get(u32())),
    t: () => stack.push(toMark()),
    "\x85": () => stack.push(stack.splice(-1)),
    "\x86": () => stack.push(stack.splice(-2)),
    "\x87": () => stack.push(stack.splice(-3)),
    Q: () => stack.push(storageOf(stack.pop(), path)),
    R: () => stack.push(rebuild(stack.splice(-2), path)),
    s: () => setItems(stack, stack.splice(-2), path),
    u: () => setItems(stack, toMark(), path),
    b: () => void stack.pop(), // attributes of a dictionary (`_metadata`)
  };
  for (;;) {
    if (at >= bytes.length) refuse(path, "a pickle that was cut short");
    const code = String.fromCharCode(bytes[at++]);
    if (code === ".") break;
    (operations[code] ?? (() => refuse(path, `the pickle operation ${JSON.stringify(code)}`)))();
  }
  const result = stack.pop();
  return result instanceof Map ? result : refuse(path, "something else");
}

function setItems(stack: readonly unknown[], items: readonly unknown[], path: string): void {
  const target = stack.at(-1);
  if (!(target instanceof Map)) refuse(path, "items of something else");
  for (let i = 0; i + 1 < items.length; i += 2) target.set(items[i], items[i + 1]);
}

/** `("storage", type, key, device, size)` */
function storageOf(reference: unknown, path: string): Storage {
  const [, type, key] = Array.isArray(reference) ? reference : [];
  const known = type instanceof Global && Object.hasOwn(STORAGES, type.name) ? STORAGES[type.name] : null;
  if (!known) refuse(path, type instanceof Global ? `a ${type.name}` : "something else");
  return { dtype: known[0], bytes: known[1], key: String(key) };
}

function rebuild([callable, args]: unknown[], path: string): unknown {
  const name = callable instanceof Global ? callable.name : "";
  if (name === "collections OrderedDict") return new Map();
  if (name !== "torch._utils _rebuild_tensor_v2" || !Array.isArray(args))
    refuse(path, `a call of ${name || "a value"}`);
  const [storage, offset, shape, strides] = args;
  return { storage, offset, shape, strides };
}
