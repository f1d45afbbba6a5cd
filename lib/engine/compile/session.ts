// In: a program and its SavedModel bytes. Out: a function that runs it in TensorFlow.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as tf from "@tensorflow/tfjs-core";
import { about } from "../../files/systemError";
import type { NativeBackend } from "../binding";
import { clearXlaCache } from "../xlaCache";
import type { EmittedGraph } from "./emit";
import type { Program } from "./graph";

export interface GraphSession {
  /** Runs the graph; variables that it assigns hold their new values afterwards. The caller owns the results. */
  run(args: readonly tf.Tensor[]): tf.Tensor[];
  dispose(): void;
}

/**
 * Loads a graph. Variables are fed and fetched at every call: as fast as session variables, less memory, and every graph
 * of every shape sees the same current values.
 */
export function loadSession(native: NativeBackend, name: string, program: Program, graph: EmittedGraph): GraphSession {
  const variables = program.variables.map(({ variable }) => variable);
  const [feeds, fetches] = [graph.feeds.join(), graph.fetches.join()];
  let session = loadGraph(native, graph);
  let proven = false;
  const execute = (inputs: number[]) => {
    const outputs = native.binding.runSavedModel(session, inputs, feeds, fetches);
    proven = true;
    return outputs;
  };
  /** Compiled code on disk may be torn, by a full disk or a crash: the first run then throws it away and compiles again. */
  const executeOrRecompile = (inputs: number[]) => {
    try {
      return execute(inputs);
    } catch (error) {
      if (proven || !clearXlaCache()) throw error;
      native.binding.deleteSavedModel(session); // it remembers what it could not read
      session = loadGraph(native, graph);
      return execute(inputs);
    }
  };
  return {
    run(args) {
      const lost = variables.find((variable) => variable.isDisposed);
      if (lost)
        throw new Error(
          `compile(${name}): expected variable ${lost.name} alive, got a disposed one; dispose the compiled function with its variables`,
        );
      const outputs = executeOrRecompile(native.getInputTensorIds([...args, ...variables]));
      const tensors = outputs.map((output) => native.createOutputTensor(output));
      program.updates.forEach(({ variable }, i) => {
        const value = tensors[program.results.length + i];
        variable.assign(value);
        value.dispose();
      });
      return tensors.slice(0, program.results.length);
    },
    dispose: () => native.binding.deleteSavedModel(session),
  };
}

function loadGraph(native: NativeBackend, { bytes }: EmittedGraph): number {
  const place = join(tmpdir(), "rewardbook-graph");
  const directory = about(place, () => mkdtempSync(`${place}-`));
  try {
    about(place, () => writeFileSync(join(directory, "saved_model.pb"), bytes));
    return native.binding.loadSavedModel(directory, "serve");
  } finally {
    rmSync(directory, { recursive: true }); // TensorFlow has read it
  }
}
