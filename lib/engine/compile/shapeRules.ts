// In: an op and its inputs. Out: shape and element type of its outputs, without running it.
import { elementCount } from "../../files/pieces";
import { DType } from "../binding";
import { attribute, type Attributes, type GraphValue } from "./graph";

export type OutputRule = readonly [shape: readonly number[], dtype: DType];
type Rule = (inputs: readonly GraphValue[], attributes: Attributes, op: string) => OutputRule | null;

export const UNARY = [
  "Square",
  "Rsqrt",
  "Sqrt",
  "Erf",
  "Tanh",
  "Neg",
  "Softplus",
  "Sigmoid",
  "Exp",
  "Log",
  "Log1p",
  "Expm1",
  "ZerosLike",
  "OnesLike",
  "Softmax",
  "LogSoftmax",
  "Relu",
  "Relu6",
  "Abs",
  "Sign",
  "Reciprocal",
  "Sin",
  "Cos",
  "Floor",
  "Ceil",
  "LogicalNot",
  "Identity",
  "Elu",
  "Selu",
] as const;
export const BINARY = [
  "Add",
  "AddV2",
  "Sub",
  "Mul",
  "RealDiv",
  "Div",
  "DivNoNan",
  "FloorDiv",
  "Pow",
  "Maximum",
  "Minimum",
  "SquaredDifference",
] as const;
export const COMPARISON = [
  "Greater",
  "GreaterEqual",
  "Less",
  "LessEqual",
  "Equal",
  "NotEqual",
  "LogicalAnd",
  "LogicalOr",
] as const;
export const REDUCTION = ["Sum", "Mean", "Max", "Min", "Prod"] as const;
const TEST = ["IsFinite", "IsNan", "IsInf"] as const;

/** NumPy's broadcasting: dimensions are aligned from the right, a 1 stretches. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) throw new Error(`[${a}] and [${b}] do not broadcast`);
    return x === 1 ? y : x;
  });
}

/** Contents of an operand that must be known while tracing, such as a shape or an axis. */
export function constantOf(value: GraphValue): number[] {
  if (!value.node.data) throw new Error(`expected a constant operand, got the result of ${value.node.op}`);
  return Array.from(value.node.data);
}

const same: Rule = ([x]) => [x.shape, x.dtype];
const broadcast: Rule = ([x, y]) => [broadcastShape(x.shape, y.shape), x.dtype];
const compare: Rule = ([x, y]) => [broadcastShape(x.shape, y.shape), DType.BOOL];
const flag = (attributes: Attributes, op: string, name: string) => attribute({ op, attributes }, name) === true;

const reduce: Rule = ([x, axes], attributes, op) => {
  const rank = x.shape.length;
  const gone = new Set(constantOf(axes).map((axis) => (axis + rank) % rank));
  const keep = flag(attributes, op, "keep_dims");
  return [keep ? x.shape.map((d, i) => (gone.has(i) ? 1 : d)) : x.shape.filter((_, i) => !gone.has(i)), x.dtype];
};

const reshape: Rule = ([x, target]) => {
  const shape = constantOf(target);
  const open = shape.indexOf(-1);
  if (open >= 0) shape[open] = elementCount(x.shape) / -elementCount(shape);
  if (elementCount(shape) !== elementCount(x.shape))
    throw new Error(`[${x.shape}] has not as many elements as [${shape}]`);
  return [shape, x.dtype];
};

/** Product of the last two dimensions, either operand transposed. */
function product(x: GraphValue, y: GraphValue, transposeX: boolean, transposeY: boolean): number[] {
  const [rows, inner] = transposeX ? [x.shape.at(-1)!, x.shape.at(-2)!] : [x.shape.at(-2)!, x.shape.at(-1)!];
  const [innerY, columns] = transposeY ? [y.shape.at(-1)!, y.shape.at(-2)!] : [y.shape.at(-2)!, y.shape.at(-1)!];
  if (inner !== innerY) throw new Error(`inner dimensions ${inner} and ${innerY} differ`);
  return [...broadcastShape(x.shape.slice(0, -2), y.shape.slice(0, -2)), rows, columns];
}

const matMul: Rule = ([x, y], attributes, op) => [
  product(x, y, flag(attributes, op, "transpose_a"), flag(attributes, op, "transpose_b")),
  x.dtype,
];
const batchMatMul: Rule = ([x, y], attributes, op) => [
  product(x, y, flag(attributes, op, "adj_x"), flag(attributes, op, "adj_y")),
  x.dtype,
];

const gather: Rule = ([x, indices, axisValue], attributes, op) => {
  if (attribute({ op, attributes }, "batch_dims") !== 0) return null;
  const axis = constantOf(axisValue)[0];
  return [[...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)], x.dtype];
};

const slice: Rule = ([x, begin, size]) => {
  const start = constantOf(begin);
  return [constantOf(size).map((n, i) => (n < 0 ? x.shape[i] - start[i] : n)), x.dtype];
};

const expandDims: Rule = ([x, axisValue]) => {
  const axis = constantOf(axisValue)[0];
  const shape = [...x.shape];
  shape.splice(axis < 0 ? axis + shape.length + 1 : axis, 0, 1);
  return [shape, x.dtype];
};

const pad: Rule = ([x, paddings]) => {
  const p = constantOf(paddings);
  return [x.shape.map((d, i) => d + p[2 * i] + p[2 * i + 1]), x.dtype];
};

const concat: Rule = (inputs) => {
  const parts = inputs.slice(0, -1);
  const shape = [...parts[0].shape];
  const axis = (constantOf(inputs.at(-1)!)[0] + shape.length) % shape.length;
  shape[axis] = parts.reduce((total, part) => total + part.shape[axis], 0);
  return [shape, parts[0].dtype];
};

const pack: Rule = (inputs, attributes, op) => {
  const shape = [...inputs[0].shape];
  shape.splice(attribute({ op, attributes }, "axis") as number, 0, inputs.length);
  return [shape, inputs[0].dtype];
};

const every = (ops: readonly string[], rule: Rule) => ops.map((op) => [op, rule] as const);

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...every(UNARY, same),
  ...every(BINARY, broadcast),
  ...every(COMPARISON, compare),
  ...every(REDUCTION, reduce),
  ...every(TEST, ([x]) => [x.shape, DType.BOOL]),
  ["AddN", same],
  ["Cast", ([x], attributes, op) => [x.shape, attribute({ op, attributes }, "DstT") as DType]],
  ["Reshape", reshape],
  ["Transpose", ([x, permutation]) => [constantOf(permutation).map((axis) => x.shape[axis]), x.dtype]],
  ["MatMul", matMul],
  ["BatchMatMulV2", batchMatMul],
  ["GatherV2", gather],
  ["UnsortedSegmentSum", ([x, ids, count]) => [[constantOf(count)[0], ...x.shape.slice(ids.shape.length)], x.dtype]],
  ["Slice", slice],
  ["ExpandDims", expandDims],
  ["PadV2", pad],
  ["ConcatV2", concat],
  ["Pack", pack],
  ["Tile", ([x, multiples]) => [constantOf(multiples).map((m, i) => m * x.shape[i]), x.dtype]],
  ["Fill", ([shape, value]) => [constantOf(shape), value.dtype]],
  ["BroadcastTo", ([x, shape]) => [constantOf(shape), x.dtype]],
  ["Select", ([, x]) => [x.shape, x.dtype]],
  ["SelectV2", ([c, x, y]) => [broadcastShape(broadcastShape(c.shape, x.shape), y.shape), x.dtype]],
  ["StatelessRandomUniform", ([shape]) => [constantOf(shape), DType.F32]],
  ["L2Loss", ([x]) => [[], x.dtype]],
  ["RewardbookGelu", same],
]);

type SeveralRule = (inputs: readonly GraphValue[], attributes: Attributes, op: string) => OutputRule[];
const likeFirst =
  (count: number): SeveralRule =>
  (inputs) =>
    inputs.slice(0, count).map((x) => [x.shape, x.dtype]);
/** Mixed values of as many rows, and a number for each head. */
const attended = (
  { shape: [rows], dtype }: GraphValue,
  width: number,
  attributes: Attributes,
  op: string,
): OutputRule[] => [
  [[rows, width], dtype],
  [[rows, attribute({ op, attributes }, "heads") as number], DType.F32],
];
const splitV: SeveralRule = ([x, sizes, axis]) =>
  constantOf(sizes).map((size) => [x.shape.map((d, i) => (i === constantOf(axis)[0] ? size : d)), x.dtype]);
/** Ops that have several outputs: also kernels of lib/engine/kernels. */
const SEVERAL: ReadonlyMap<string, SeveralRule> = new Map<string, SeveralRule>([
  ["SplitV", splitV],
  ["RewardbookAttention", ([query], attributes, op) => attended(query, query.shape[1], attributes, op)],
  ["RewardbookAttentionGradient", likeFirst(3)],
  [
    "RewardbookSelfAttention",
    ([product], attributes, op) => {
      const number = (name: string) => attribute({ op, attributes }, name) as number;
      const share = number("heads") / (number("heads") + 2 * number("key_value_heads"));
      return attended(product, product.shape[1] * share, attributes, op);
    },
  ],
  ["RewardbookSelfAttentionGradient", likeFirst(2)],
  ["RewardbookAdamW", likeFirst(3)],
  // the second output is the first one in bf16; empty in f32
  [
    "RewardbookAddNorm",
    ([product]) => [
      [product.shape, DType.F32],
      [[0], DType.F32],
      [[product.shape[0], 2], DType.F32],
    ],
  ],
  [
    "RewardbookAddNormGradient",
    ([product, bias]) => [
      [product.shape, DType.F32],
      [[0], DType.F32],
      [bias.shape, DType.F32],
      [bias.shape, DType.F32],
      [bias.shape, DType.F32],
    ],
  ],
  [
    "RewardbookGeluGradient",
    ([product, bias]) => [
      [product.shape, product.dtype],
      [bias.shape, DType.F32],
      [[0], product.dtype], // gelu's result, where a pass asks for it
    ],
  ],
]);

/** The rule's answer, or null where the op has none (it must then be run once on zeros to learn). */
export function inferOutputs(op: string, inputs: readonly GraphValue[], attributes: Attributes): OutputRule[] | null {
  const several = SEVERAL.get(op);
  if (several) return several(inputs, attributes, op);
  const one = RULES.get(op)?.(inputs, attributes, op);
  return one ? [one] : null;
}
