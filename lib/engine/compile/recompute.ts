// In: a program with regions. Out: the same, passing fewer bytes between regions.
//
// What the backward pass reads from the forward pass must stay in memory until then. For each pair of regions (producer,
// consumer) the values read are replaced by one smaller value of the producer and recomputation inside the consumer, where
// that is less to store: gelu from its bf16 input, a normalisation from x − mean. torch.compile's partitioner does the
// same with a minimum cut; here one cut value is tried at a time.
import { elementCount } from "../../files/pieces";
import { DType } from "../binding";
import { byteCount, consumersOf, copyNode, createCast, fetchedValues, prune } from "./graph";
import type { GraphNode, GraphValue, Program } from "./graph";
import { findRegions, type Region } from "./regions";
import { REDUCTION } from "./shapeRules";

/** Ops that cost more than the memory they would save. */
const EXPENSIVE: ReadonlySet<string> = new Set([...REDUCTION, "Softmax", "LogSoftmax", "AddN"]);
/** Values of at most this many elements (vectors, masks, statistics of rows) are free to pass. */
const SMALL = 65536;

const isSmall = (value: GraphValue): boolean =>
  value.node.data !== undefined || value.node.variable !== undefined || elementCount(value.shape) <= SMALL;
const totalBytes = (values: Iterable<GraphValue>): number => [...values].reduce((total, v) => total + byteCount(v), 0);

interface Context {
  readonly regionOf: ReadonlyMap<GraphNode, Region>;
  readonly consumers: ReadonlyMap<GraphValue, GraphNode[]>;
  readonly fetched: ReadonlySet<GraphValue>;
  /** Let the backward pass read an f32 value of the forward pass from its bf16 copy. */
  readonly lossy: boolean;
}

/** Values that a region would read if it recomputed `targets` and found `cut` (or nothing) given. */
function coneOf(context: Context, producer: Region, targets: readonly GraphValue[], cut: GraphValue | null) {
  const needed = new Set<GraphValue>();
  const seen = new Set<GraphValue>();
  const walk = (value: GraphValue): void => {
    if (seen.has(value)) return;
    seen.add(value);
    const stop = value === cut || context.regionOf.get(value.node) !== producer || EXPENSIVE.has(value.node.op);
    if (!stop) value.node.inputs.forEach(walk);
    else if (!isSmall(value)) needed.add(value);
  };
  targets.forEach(walk);
  return { needed, seen };
}

/** The set of values to read instead of `targets`, or null when none is smaller. */
function cheapestCut(context: Context, producer: Region, targets: readonly GraphValue[]): Set<GraphValue> | null {
  let best: { bytes: number; needed: Set<GraphValue> | null; whole: boolean } = {
    bytes: totalBytes(targets),
    needed: null,
    whole: false,
  };
  const { seen } = coneOf(context, producer, targets, null);
  for (const cut of [null, ...seen]) {
    if (cut && (isSmall(cut) || context.regionOf.get(cut.node) !== producer)) continue;
    const { needed } = coneOf(context, producer, targets, cut);
    const bytes = totalBytes(needed);
    const shorter = bytes === best.bytes && best.whole && cut !== null; // equal bytes: recompute less
    if (bytes < best.bytes || shorter) best = { bytes, needed, whole: cut === null };
  }
  return best.needed;
}

/** The stored bf16 copy of a forward value, if there is one. */
function narrowCopy(context: Context, value: GraphValue, producer: Region): GraphValue | undefined {
  const isStored = (v: GraphValue) =>
    context.fetched.has(v) || (context.consumers.get(v) ?? []).some((n) => context.regionOf.get(n) !== producer);
  const cast = (context.consumers.get(value) ?? []).find(
    (n) =>
      n.op === "Cast" &&
      n.outputs[0].dtype === DType.BF16 &&
      context.regionOf.get(n) === producer &&
      isStored(n.outputs[0]),
  );
  return cast?.outputs[0];
}

interface Replacement {
  readonly made: GraphNode[];
  readonly of: Map<GraphValue, GraphValue>;
}

/** How `consumer` gets the values it reads from `producer`. */
function replace(context: Context, producer: Region, consumer: Region, read: ReadonlySet<GraphValue>): Replacement {
  const result: Replacement = { made: [], of: new Map() };
  let targets = [...read];
  if (context.lossy && consumer.some((node) => node.backward)) {
    for (const value of targets) {
      if (value.node.backward || value.dtype !== DType.F32) continue;
      const copy = narrowCopy(context, value, producer);
      if (!copy) continue;
      const widened = createCast(copy, DType.F32, true);
      result.made.push(widened);
      result.of.set(value, widened.outputs[0]);
    }
    targets = targets.filter((value) => !result.of.has(value));
  }
  const needed = targets.length > 0 ? cheapestCut(context, producer, targets) : null;
  if (!needed) return result;
  const rebuild = (value: GraphValue): GraphValue => {
    const known = result.of.get(value);
    if (known) return known;
    if (needed.has(value) || context.regionOf.get(value.node) !== producer || EXPENSIVE.has(value.node.op))
      return value;
    const copy = copyNode(value.node, value.node.inputs.map(rebuild));
    result.made.push(copy);
    result.of.set(value, copy.outputs[value.index]);
    return copy.outputs[value.index];
  };
  targets.forEach(rebuild);
  return result;
}

/** Large values a region reads, by the region that makes them. */
function readsByProducer(context: Context, consumer: Region): Map<Region, Set<GraphValue>> {
  const reads = new Map<Region, Set<GraphValue>>();
  for (const node of consumer)
    for (const value of node.inputs) {
      const producer = context.regionOf.get(value.node);
      if (!producer || producer === consumer || isSmall(value)) continue;
      if (!reads.has(producer)) reads.set(producer, new Set());
      reads.get(producer)!.add(value);
    }
  return reads;
}

export function recompute(program: Program, options: { readonly lossy: boolean }): Program {
  const { regions, regionOf, levels } = findRegions(program);
  const context: Context = {
    regionOf,
    consumers: consumersOf(program.nodes),
    fetched: new Set(fetchedValues(program)),
    lossy: options.lossy,
  };
  const position = new Map(program.nodes.map((node, i) => [node, i]));
  const inserted = new Map<GraphNode, GraphNode[]>();
  for (const consumer of regions)
    for (const [producer, read] of readsByProducer(context, consumer)) {
      const replacement = replace(context, producer, consumer, read);
      if (replacement.of.size === 0) continue;
      for (const node of replacement.made) node.minimumLevel = levels.get(consumer[0]);
      const users = consumer.filter((node) => node.inputs.some((value) => replacement.of.has(value)));
      const first = users.reduce((a, b) => (position.get(b)! < position.get(a)! ? b : a));
      inserted.set(first, [...(inserted.get(first) ?? []), ...replacement.made]);
      for (const node of users) node.inputs = node.inputs.map((value) => replacement.of.get(value) ?? value);
    }
  return prune({ ...program, nodes: program.nodes.flatMap((node) => [...(inserted.get(node) ?? []), node]) });
}
