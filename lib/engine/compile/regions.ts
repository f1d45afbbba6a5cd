// In: a program. Out: groups of element-wise and reduction ops that XLA can fuse into one function each.
//
// Run one by one these ops read and write memory at every step, which costs more than their arithmetic. Two that touch
// join one region when they have the same level; the level of a node is the number of region borders on the longest path to
// it, so regions can never wait for each other in a circle.
import { elementCount } from "../../files/pieces";
import { createUnion } from "../../union";
import { DType } from "../binding";
import { isSource, type GraphNode, type GraphValue, type Program } from "./graph";
import { BINARY, COMPARISON, REDUCTION, UNARY } from "./shapeRules";

const MOVE = ["Reshape", "ExpandDims", "Slice", "PadV2", "Transpose", "Cast", "ZerosLike", "OnesLike", "Fill"];
/** oneDNN's softmax takes a third of the time of XLA's, whose row reductions are not vectorised. */
const BETTER_ALONE: ReadonlySet<string> = new Set(["Softmax"]);
const FUSIBLE: ReadonlySet<string> = new Set([
  ...UNARY.filter((op) => !BETTER_ALONE.has(op)),
  ...BINARY,
  ...COMPARISON,
  ...REDUCTION,
  ...MOVE,
  "Select",
  "SelectV2",
  "AddN",
  "Tile",
  "BroadcastTo",
]);
/** A region of these alone is cheaper as plain ops: TensorFlow reshapes without copying. */
const FREE: ReadonlySet<string> = new Set(["Reshape", "ExpandDims", "Transpose", "Slice", "Tile", "BroadcastTo"]);

export type Region = GraphNode[];

export interface Regions {
  readonly regions: readonly Region[];
  readonly regionOf: ReadonlyMap<GraphNode, Region>;
  readonly levels: ReadonlyMap<GraphNode, number>;
}

const isFusible = (node: GraphNode): boolean => FUSIBLE.has(node.op) && node.outputs[0].dtype !== DType.I32;
/** Scalars (a norm, a clip factor) would tie all parameters into one region. */
const isScalar = (value: GraphValue): boolean => elementCount(value.shape) === 1;

export function findRegions(program: Program): Regions {
  const levels = new Map<GraphNode, number>();
  const numbers = new Map<GraphNode, number>();
  const sets = createUnion(program.nodes.length);
  for (const node of program.nodes) {
    const fusible = isFusible(node);
    let level = node.minimumLevel ?? 0;
    for (const value of node.inputs) {
      if (isSource(value.node)) continue;
      const together = fusible && isFusible(value.node) && !isScalar(value);
      level = Math.max(level, levels.get(value.node)! + (together ? 0 : 1));
    }
    levels.set(node, level);
    if (!fusible) continue;
    numbers.set(node, numbers.size);
    for (const value of node.inputs)
      if (numbers.has(value.node) && levels.get(value.node) === level && !isScalar(value))
        sets.join(numbers.get(value.node)!, numbers.get(node)!);
  }
  const groups = new Map<number, Region>();
  for (const [node, number] of numbers) {
    const root = sets.root(number);
    const group = groups.get(root);
    if (group) group.push(node);
    else groups.set(root, [node]);
  }
  const regions = [...groups.values()].filter((region) => region.some((node) => !FREE.has(node.op)));
  const regionOf = new Map<GraphNode, Region>();
  for (const region of regions) for (const node of region) regionOf.set(node, region);
  return { regions, regionOf, levels };
}
