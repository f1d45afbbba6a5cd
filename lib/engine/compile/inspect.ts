// In: a program and the graph made from it. Out: what it will cost, before it runs.
import { elementCount } from "../../files/pieces";
import { attribute, byteCount, consumersOf, fetchedValues, isSource, type GraphNode, type Program } from "./graph";
import type { EmittedGraph } from "./emit";
import { findRegions } from "./regions";

export interface GraphSummary {
  readonly name: string;
  /** Shapes of the arguments. */
  readonly shapes: readonly (readonly number[])[];
  readonly precision: "bf16" | "f32";
  /** Recorded ops, constants and placeholders left out. */
  readonly ops: number;
  readonly products: number;
  readonly regions: number;
  /** Different functions among the regions: what XLA compiles. */
  readonly functions: number;
  /** Floating-point operations of the matrix products. */
  readonly flops: number;
  /** Bytes that ops outside regions, and regions as a whole, read and write. */
  readonly bytesMoved: number;
  /** Size of the serialised graph. */
  readonly graphBytes: number;
  /** Time to trace, rewrite and load, in milliseconds (XLA compiles later, in the first run). */
  readonly buildMs: number;
  readonly runs: number;
  /** Time of the first run, with XLA's compilation, and of the fastest one, in milliseconds. */
  readonly firstRunMs: number | null;
  readonly bestRunMs: number | null;
}

/** Products of a [T, T] matrix with queries, keys, values or their gradients in one kernel: two forward, five backward. */
function attentionFlops({ op, inputs, outputs }: GraphNode): number {
  const backward = op.endsWith("Gradient");
  const [texts, mixed] = backward ? inputs.slice(-4, -2) : [inputs.at(-1)!, outputs[0]];
  return 2 * (backward ? 5 : 2) * elementCount(mixed.shape) * texts.shape[1];
}

/**
 * Operations of one matrix product: 2·rows·columns·inner, times the batch. Of fused attention the most there can be: texts
 * that share a row do not meet.
 */
export function productFlops(node: GraphNode): number {
  const [x] = node.inputs;
  const [out] = node.outputs;
  if (/^Rewardbook(Self)?Attention/.test(node.op)) return attentionFlops(node);
  if (node.op === "MatMul") return 2 * elementCount(out.shape) * x.shape[attribute(node, "transpose_a") ? 0 : 1];
  if (node.op === "BatchMatMulV2") return 2 * elementCount(out.shape) * x.shape.at(attribute(node, "adj_x") ? -2 : -1)!;
  return 0;
}

/** Bytes that cross the borders of regions and of ops outside them. Reshape moves none. */
function bytesMoved(program: Program, withRegions: boolean): number {
  const regionOf = withRegions ? findRegions(program).regionOf : new Map();
  const fetched = new Set(fetchedValues(program).map((value) => value.node));
  const readers = consumersOf(program.nodes);
  let total = 0;
  for (const node of program.nodes) {
    if (isSource(node) || node.op === "Reshape") continue;
    const outside = (other: GraphNode) => !regionOf.has(node) || regionOf.get(node) !== regionOf.get(other);
    for (const value of new Set(node.inputs)) if (outside(value.node)) total += byteCount(value);
    for (const value of node.outputs)
      if (fetched.has(node) || !regionOf.has(node) || readers.get(value)?.some(outside)) total += byteCount(value);
  }
  return total;
}

export type StaticSummary = Omit<GraphSummary, "buildMs" | "runs" | "firstRunMs" | "bestRunMs">;

export function summarise(options: {
  readonly name: string;
  readonly precision: "bf16" | "f32";
  readonly program: Program;
  readonly graph: EmittedGraph;
}): StaticSummary {
  const { name, precision, program, graph } = options;
  const products = program.nodes.filter((node) => productFlops(node) > 0);
  return {
    name,
    shapes: program.inputs.map((value) => value.shape),
    precision,
    ops: program.nodes.filter((node) => !isSource(node)).length,
    products: products.length,
    regions: graph.regionCount,
    functions: graph.functionCount,
    flops: products.reduce((total, node) => total + productFlops(node), 0),
    bytesMoved: bytesMoved(program, graph.regionCount > 0),
    graphBytes: graph.bytes.length,
  };
}

/** Lower bound of a run's time: products at the measured rate plus memory traffic at the measured bandwidth. */
export function estimateMs(summary: StaticSummary, rates: { gflops: number; gigabytesPerSecond: number }): number {
  return summary.flops / rates.gflops / 1e6 + summary.bytesMoved / rates.gigabytesPerSecond / 1e6;
}
