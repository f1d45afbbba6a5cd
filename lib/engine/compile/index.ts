// In: plain tfjs-core code. Out: the same function as TensorFlow graphs, one per tuple of argument shapes.
import * as tf from "@tensorflow/tfjs-core";
import { currentBackend } from "../backend";
import { nativeBackend, type NativeBackend } from "../binding";
import { chooseExecution } from "../choice";
import { emit } from "./emit";
import { summarise, type GraphSummary, type StaticSummary } from "./inspect";
import { optimise } from "./passes";
import { loadSession, type GraphSession } from "./session";
import { trace, type TracedFunction } from "./trace";

export type { GraphSummary } from "./inspect";
export { estimateMs } from "./inspect";
export type { TracedFunction } from "./trace";

export interface CompileOptions {
  /** Element type of the matrix products; default: bf16 where the processor multiplies it in hardware. */
  readonly precision?: "bf16" | "f32";
  /** Fuse element-wise ops with XLA; default: on, but not on a GPU. Seconds of compilation a shape. */
  readonly xla?: boolean;
  /** Graphs kept; the one unused for longest goes first. Default 8. */
  readonly maxGraphs?: number;
  /** Name in errors and summaries. */
  readonly name?: string;
}

export interface CompiledFunction {
  (...args: tf.Tensor[]): tf.Tensor[];
  /** The graphs now held. Empty on backends without graphs. */
  graphs(): GraphSummary[];
  dispose(): void;
}

interface Entry {
  readonly session: GraphSession;
  readonly summary: StaticSummary;
  readonly buildMs: number;
  runs: number;
  firstRunMs: number | null;
  bestRunMs: number | null;
}

const DEFAULT_MAX_GRAPHS = 8;

/**
 * Compiles `fn`, "tf.function for tfjs-node": the first call with new shapes traces it, later ones run the graph.
 *
 * `fn` is plain tfjs-core code and may take gradients and assign `tf.Variable`s. What changes from call to call (learning
 * rate, seed, data) must be an argument: a JavaScript number is frozen at the first trace. Every result is a new tensor of
 * the caller. On other backends than TensorFlow, `fn` itself runs.
 */
export function compile(fn: TracedFunction, options: CompileOptions = {}): CompiledFunction {
  const name = options.name ?? (fn.name || "function");
  const maxGraphs = options.maxGraphs ?? DEFAULT_MAX_GRAPHS;
  const entries = new Map<string, Entry>(); // in order of last use
  const entryOf = (native: NativeBackend, args: readonly tf.Tensor[]): Entry => {
    const key = args.map((tensor) => `${tensor.dtype}[${tensor.shape}]`).join(" ");
    const known = entries.get(key);
    const entry = known ?? build(native, name, fn, args, options);
    entries.delete(key);
    entries.set(key, entry);
    if (entries.size > maxGraphs) {
      const [oldest, { session }] = entries.entries().next().value!;
      session.dispose();
      entries.delete(oldest);
    }
    return entry;
  };
  const run = (...args: tf.Tensor[]): tf.Tensor[] => {
    const native = nativeBackend();
    return native ? runEntry(entryOf(native, args), args) : runEager(fn, args);
  };
  return Object.assign(run, {
    graphs: () => [...entries.values()].map(({ session: _, summary, ...rest }) => ({ ...summary, ...rest })),
    dispose: () => {
      for (const { session } of entries.values()) session.dispose();
      entries.clear();
    },
  });
}

function build(
  native: NativeBackend,
  name: string,
  fn: TracedFunction,
  args: readonly tf.Tensor[],
  options: CompileOptions,
): Entry {
  const start = performance.now();
  const { precision, xla } = { ...defaultExecution(), ...defined(options) };
  const program = optimise(trace(native, name, fn, args), { precision, xla });
  const graph = emit(program, { regions: xla });
  const session = loadSession(native, name, program, graph);
  const summary = summarise({ name, precision, program, graph });
  return { session, summary, buildMs: performance.now() - start, runs: 0, firstRunMs: null, bestRunMs: null };
}

function runEntry(entry: Entry, args: readonly tf.Tensor[]): tf.Tensor[] {
  const start = performance.now();
  const results = entry.session.run(args);
  const elapsed = performance.now() - start;
  entry.runs++;
  entry.firstRunMs ??= elapsed;
  entry.bestRunMs = Math.min(entry.bestRunMs ?? Infinity, elapsed);
  return results;
}

function runEager(fn: TracedFunction, args: readonly tf.Tensor[]): tf.Tensor[] {
  return tf.tidy(() => {
    const returned = fn(...args);
    const results = Array.isArray(returned) ? returned : [returned];
    // an argument or a variable passed through must not be the caller's twice
    return results.map((t) => (args.includes(t) || t instanceof tf.Variable ? t.clone() : t));
  });
}

function defaultExecution() {
  const { gpu, bf16 } = currentBackend();
  return chooseExecution({ gpu: gpu !== null, bf16 });
}

const defined = (options: CompileOptions): { precision?: "bf16" | "f32"; xla?: boolean } => ({
  ...(options.precision && { precision: options.precision }),
  ...(options.xla !== undefined && { xla: options.xla }),
});
