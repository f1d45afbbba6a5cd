// In: plain tfjs-core code and example arguments. Out: the ops it would run, recorded without running any.
//
// tfjs-node sends every op through `backend.binding`. While tracing, the binding is a recorder that answers with made-up
// handles and shapes from the rule table: a trace costs milliseconds and no memory, and sees gradients and optimizers alike.
import { elementCount } from "../../files/pieces";
import * as tf from "@tensorflow/tfjs-core";
import { DType, type NativeAttribute, type NativeBackend, type NativeBinding, type NativeTensor } from "../binding";
import {
  createConst,
  createNode,
  prune,
  type Attribute,
  type Attributes,
  type GraphNode,
  type GraphValue,
  type Program,
} from "./graph";
import { calledFrom, callSite } from "./location";
import { inferOutputs } from "./shapeRules";

export type TracedFunction = (...args: tf.Tensor[]) => tf.Tensor | tf.Tensor[];

/** Attributes that eager mode infers but a NodeDef must carry: name → input whose type it is. */
const INFERRED: Readonly<Record<string, Readonly<Record<string, number>>>> = { ExpandDims: { T: 0, Tdim: 1 } };
/** Above any handle the native module hands out. */
const FIRST_MADE_UP_ID = 2 ** 30;
/** Longer uniform constants become Fill, so that `tf.ones` stores no data in the graph. */
const FILL_FROM = 64;

interface EngineState {
  readonly gradientDepth: number;
  readonly registeredVariables: Readonly<Record<string, tf.Variable>>;
}
const engineState = () => (tf.engine() as unknown as { state: EngineState }).state;

/** A plain loop: sums' gradients make ones as large as the largest activation. */
function isUniform(values: ArrayLike<number>): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false;
  return true;
}

/** The growing graph and what each handle stands for. */
class Recorder {
  readonly nodes: GraphNode[] = [];
  readonly values = new Map<number, GraphValue>();
  private nextId = FIRST_MADE_UP_ID;
  private readonly constants = new Map<string, GraphValue>();
  private taped = false;

  constructor(
    private readonly raw: NativeBinding,
    private readonly name: string,
  ) {}

  add(node: GraphNode): GraphNode {
    this.nodes.push(node);
    return node;
  }

  value(id: number): GraphValue {
    const value = this.values.get(id);
    if (value) return value;
    throw this.error(
      "a tensor made inside the function, an argument or a variable",
      "a tensor made outside it",
      "pass it as an argument",
    );
  }

  error(expected: string, got: string, remedy: string): Error {
    return new Error(`compile(${this.name}): ${callSite()}: expected ${expected}, got ${got}; ${remedy}`);
  }

  private handle(value: GraphValue): NativeTensor {
    this.values.set(this.nextId, value);
    return { id: this.nextId++, shape: [...value.shape], dtype: value.dtype };
  }

  /** A constant; equal short ones are stored once. */
  private constant(shape: readonly number[], dtype: DType, data: NonNullable<GraphNode["data"]>): GraphValue {
    const key = data.length <= FILL_FROM ? `${dtype}|${shape}|${Array.from(data)}` : null;
    const known = key === null ? undefined : this.constants.get(key);
    if (known) return known;
    const value = this.add(createConst(shape, dtype, data)).outputs[0];
    if (key !== null) this.constants.set(key, value);
    return value;
  }

  createTensor(shape: number[], dtype: DType, values: ArrayLike<number>): number {
    if (dtype === DType.F32 && values.length > FILL_FROM && isUniform(values)) {
      const inputs = [
        this.constant([shape.length], DType.I32, Int32Array.from(shape)),
        this.constant([], DType.F32, Float32Array.of(values[0])),
      ];
      const attributes: Attributes = {
        T: { kind: "type", value: dtype },
        index_type: { kind: "type", value: DType.I32 },
      };
      const fill = this.add(createNode({ op: "Fill", attributes, inputs, outputs: [[[...shape], dtype]] }));
      return this.handle(fill.outputs[0]).id;
    }
    const type = dtype === DType.F32 ? Float32Array : dtype === DType.BOOL ? Uint8Array : Int32Array;
    return this.handle(this.constant([...shape], dtype, type.from(values))).id;
  }

  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array {
    const value = this.value(id);
    if (value.node.data) return value.node.data;
    // tf.gather checks the range of its indices in JavaScript; zeros pass, and TensorFlow checks again when it runs
    if (value.dtype === DType.I32 && calledFrom(/GatherV2/)) return new Int32Array(elementCount(value.shape));
    throw this.error(
      "code that reads no tensor",
      "a read of a value that is not known yet",
      "return the tensor and read it outside",
    );
  }

  executeOp(op: string, native: NativeAttribute[], ids: number[], outputCount: number): NativeTensor[] {
    const inputs = ids.map((id) => this.value(id));
    const attributes = this.attributes(op, native, inputs);
    if (op === "Cast" && attributes.SrcT.value === attributes.DstT.value) return [this.handle(inputs[0])];
    const outputs = this.outputs(op, native, attributes, inputs, outputCount);
    if (engineState().gradientDepth > 0) this.taped = true;
    const backward = this.taped && engineState().gradientDepth === 0;
    return this.add(createNode({ op, attributes, inputs, outputs, backward })).outputs.map((value) =>
      this.handle(value),
    );
  }

  private attributes(op: string, native: NativeAttribute[], inputs: readonly GraphValue[]): Attributes {
    const { raw } = this;
    const kinds = new Map<number, Attribute["kind"]>([
      [raw.TF_ATTR_STRING, "string"],
      [raw.TF_ATTR_INT, "int"],
      [raw.TF_ATTR_FLOAT, "float"],
      [raw.TF_ATTR_BOOL, "bool"],
      [raw.TF_ATTR_TYPE, "type"],
      [raw.TF_ATTR_SHAPE, "shape"],
    ]);
    const found = native.map(({ name, type, value }) => {
      const kind = kinds.get(type)!;
      return [name, { kind: kind === "int" && Array.isArray(value) ? "ints" : kind, value } as Attribute] as const;
    });
    const inferred = Object.entries(INFERRED[op] ?? {}).map(
      ([name, input]) => [name, { kind: "type", value: inputs[input].dtype } as Attribute] as const,
    );
    const addN = op === "AddN" ? [["N", { kind: "int", value: inputs.length } as Attribute] as const] : [];
    return Object.fromEntries([...inferred, ...addN, ...found]);
  }

  /** Shapes from the rule table, or by running this one op on zeros. */
  private outputs(op: string, native: NativeAttribute[], attributes: Attributes, inputs: GraphValue[], count: number) {
    try {
      const ruled = inferOutputs(op, inputs, attributes);
      if (ruled) return ruled;
      const zeros = inputs.map(({ shape, dtype, node }) => {
        const type = dtype === DType.F32 ? Float32Array : dtype === DType.BOOL ? Uint8Array : Int32Array;
        return this.raw.createTensor([...shape], dtype, node.data ?? new type(elementCount(shape)));
      });
      const results = this.raw.executeOp(op, native, zeros, count);
      for (const id of [...zeros, ...results.map((result) => result.id)]) this.raw.deleteTensor(id);
      return results.map((result) => [result.shape, result.dtype] as const);
    } catch (error) {
      const shapes = inputs.map((input) => `[${input.shape}]`).join(" ");
      throw this.error(
        `operands that ${op} takes`,
        `${shapes} (${(error as Error).message})`,
        "check their shapes and types",
      );
    }
  }
}

/** The native module with the recording methods in front (its own properties are read-only: assigning fails silently). */
function recordingBinding(raw: NativeBinding, recorder: Recorder): NativeBinding {
  const recorded: Record<string, unknown> = {
    recording: true,
    createTensor: recorder.createTensor.bind(recorder),
    tensorDataSync: recorder.tensorDataSync.bind(recorder),
    executeOp: recorder.executeOp.bind(recorder),
    deleteTensor: () => {}, // made-up handles are never reused, real ones must survive the trace
  };
  const constants = Object.entries(raw).filter(([, value]) => typeof value !== "function");
  const properties = [...constants, ...Object.entries(recorded)].map(([key, value]) => [key, { value }] as const);
  return Object.create(raw, Object.fromEntries(properties)) as NativeBinding;
}

/** Puts the recorder in front of the native module; the answer takes it away again. */
function record(native: NativeBackend, recorder: Recorder): () => void {
  const raw = native.binding;
  const recording = recordingBinding(raw, recorder);
  const firstTensor = tf.tidy(() => tf.scalar(0).id);
  const upload = native.getInputTensorIds;
  native.binding = recording;
  // tfjs-node uploads a tensor when it is first used: one from outside must not become a made-up handle that outlives us
  native.getInputTensorIds = (tensors) => {
    native.binding = raw;
    upload.call(
      native,
      tensors.filter((tensor) => tensor.id < firstTensor),
    );
    native.binding = recording;
    return upload.call(native, tensors);
  };
  return () => {
    native.binding = raw;
    delete (native as Partial<NativeBackend>).getInputTensorIds; // the class has its own
  };
}

/**
 * Records one run of `fn`. Arguments become placeholders, registered variables state, tensors made inside constants.
 *
 * @throws when `fn` reads a value, uses a tensor from outside, or calls an op with operands it does not take;
 *   the message names the tfjs op and the line that called it.
 */
export function trace(native: NativeBackend, name: string, fn: TracedFunction, args: readonly tf.Tensor[]): Program {
  const raw = native.binding;
  const recorder = new Recorder(raw, name);
  const placeholder = (tensor: tf.Tensor, kind: Pick<GraphNode, "argument" | "variable">) => {
    const [id] = native.getInputTensorIds([tensor]);
    const { dtype } = native.tensorMap.get(tensor.dataId);
    const value = recorder.add(createNode({ op: "Placeholder", outputs: [[tensor.shape, dtype]], ...kind })).outputs[0];
    recorder.values.set(id, value);
    return { id, value };
  };
  // an argument and a variable may share a handle: the argument, registered last, wins
  const variables = Object.values(engineState().registeredVariables).map((variable) => ({
    variable,
    ...placeholder(variable, { variable }),
  }));
  const inputs = args.map((tensor, argument) => placeholder(tensor, { argument }).value);
  const restore = record(native, recorder);
  const handleOf = (tensor: tf.Tensor) => native.getInputTensorIds([tensor])[0];
  try {
    const results = tf.tidy(() => {
      const returned = fn(...args);
      const values = (Array.isArray(returned) ? returned : [returned]).map((tensor) =>
        recorder.value(handleOf(tensor)),
      );
      return values as unknown as tf.TensorContainer;
    }) as unknown as GraphValue[];
    const updates = variables
      .filter(({ variable, id }) => handleOf(variable) !== id)
      .map(({ variable, value }) => ({ variable, before: value, after: recorder.value(handleOf(variable)) }));
    return prune({ nodes: recorder.nodes, inputs, results, updates, variables });
  } finally {
    for (const { variable, id } of variables) native.tensorMap.get(variable.dataId).id = id; // its real tensor back
    restore();
  }
}
