// In: a model's shape, how much there is to read, and a cluster. Out: how long training takes there, what it needs and what it costs.

/** The shape of a decoder, as its config.json has it. */
export interface DecoderShape {
  readonly hidden: number;
  readonly layers: number;
  readonly intermediate: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  /** Default: hidden / heads. */
  readonly headSize?: number;
  readonly vocabulary: number;
}

/** Shapes by the size in their name: Qwen2.5 0.5B, Llama 3.2 1B and 3B, Llama 3.1 8B. */
export const DECODER_SHAPES = {
  "0.4B": { hidden: 896, layers: 24, intermediate: 4864, heads: 14, keyValueHeads: 2, vocabulary: 151_936 },
  "1B": { hidden: 2048, layers: 16, intermediate: 8192, heads: 32, keyValueHeads: 8, vocabulary: 128_256 },
  "3B": { hidden: 3072, layers: 28, intermediate: 8192, heads: 24, keyValueHeads: 8, vocabulary: 128_256 },
  "8B": { hidden: 4096, layers: 32, intermediate: 14_336, heads: 32, keyValueHeads: 8, vocabulary: 128_256 },
} as const satisfies Record<string, DecoderShape>;

/** What is trained on which GPUs; the defaults are those of docs/scaling.md, where each has its source. */
export interface ClusterPlan {
  readonly shape: DecoderShape;
  readonly pairs: number;
  /** Default 1. */
  readonly epochs?: number;
  /** Mean tokens of a text. Default 206. */
  readonly tokens?: number;
  /** Mean square of a text's tokens over the squared mean: 1 where all are of one length. Default 1.5. */
  readonly spread?: number;
  /** Tokens that go through the model for one of a text: what is padded comes on top. Default 1.25. */
  readonly padding?: number;
  /** Pairs of an update. Default 64, or 8 for each GPU where that is more. */
  readonly updatePairs?: number;
  /** Most padded tokens of one batch of a GPU. Default 16,384. */
  readonly batchTokens?: number;
  readonly gpus: number;
  /** Default full. */
  readonly method?: "full" | "lora";
  /** Share of the weights that LoRA trains. Default 0.001. */
  readonly loraShare?: number;
  /** Computes activations again in the backward pass. Default false. */
  readonly checkpointing?: boolean;
  /** Shards weights and moments over the GPUs (FSDP). Default: only where a whole copy does not fit. */
  readonly sharded?: boolean;
  /** FLOP/s of a GPU, dense bf16. Default 989e12: H100 and H200, SXM. */
  readonly peak?: number;
  /** Share of the peak that the model's own work reaches on padded tokens: worst, expected, best. Default 0.24, 0.32, 0.39. */
  readonly utilisation?: readonly [number, number, number];
  /** Bytes of a GPU's memory. Default 80e9. */
  readonly memory?: number;
  /** GPUs that share a fast link. Default 8. */
  readonly gpusOfNode?: number;
  /** Bytes a second of a GPU's link inside a node and between nodes. Default 400e9 and 45e9. */
  readonly bandwidth?: readonly [number, number];
  /** Share of the network's time that computing does not hide. Default 0.1. */
  readonly exposed?: number;
  /** Price of a GPU's hour, in any currency. Default 3. */
  readonly hourPrice?: number;
}

/** What a plan comes to. Three numbers are worst, expected and best. */
export interface ClusterCost {
  /** Weights that a token is multiplied with. */
  readonly matrices: number;
  /** Those and the embedding table. */
  readonly parameters: number;
  /** The model's own floating-point work, without padding and without what is computed twice. */
  readonly flops: number;
  readonly updates: number;
  readonly seconds: readonly [number, number, number];
  /** Of texts, without padding, over all GPUs, expected. */
  readonly tokensPerSecond: number;
  readonly pairsPerSecond: number;
  readonly sharded: boolean;
  /** Bytes that a GPU needs. */
  readonly memory: number;
  readonly fits: boolean;
  /** Bytes that each GPU sends in an update, and how long they take. */
  readonly networkBytes: number;
  readonly networkSeconds: number;
  readonly gpuHours: readonly [number, number, number];
  readonly price: readonly [number, number, number];
}

/** Weights of a decoder under a reward head: matrices that every token meets, and the embedding table. */
export function decoderParameters(shape: DecoderShape): { matrices: number; embeddings: number } {
  const { hidden, layers, intermediate, heads, keyValueHeads, vocabulary } = shape;
  const headSize = shape.headSize ?? hidden / heads;
  const attention = 2 * hidden * heads * headSize + 2 * hidden * keyValueHeads * headSize;
  return { matrices: layers * (attention + 3 * hidden * intermediate), embeddings: vocabulary * hidden };
}

const DEFAULTS = {
  epochs: 1,
  tokens: 206,
  spread: 1.5,
  padding: 1.25,
  batchTokens: 16_384,
  method: "full",
  loraShare: 0.001,
  checkpointing: false,
  peak: 989e12,
  utilisation: [0.24, 0.32, 0.39],
  memory: 80e9,
  gpusOfNode: 8,
  bandwidth: [400e9, 45e9],
  exposed: 0.1,
  hourPrice: 3,
} as const;

type Settled = Required<Omit<ClusterPlan, "sharded" | "updatePairs">>;

/** LoRA's smaller products reach less of the peak: 0.115 where full training reached 0.149 (docs/scaling.md). */
const LORA_UTILISATION = 0.77;

/** Forward 2·N + 2·D·L·T̄·spread a token (attention under a causal mask); backward twice that, once where weights are frozen. */
function modelFlops({ shape, pairs, epochs, tokens, spread, method }: Settled): number {
  const read = 2 * pairs * epochs * tokens;
  const forward = 2 * decoderParameters(shape).matrices + 2 * shape.hidden * shape.layers * tokens * spread;
  return read * forward * (method === "lora" ? 2 : 3);
}

/**
 * Weights, gradients and both moments in f32: 16 bytes a trained weight (Rajbhandari et al. 2020), frozen ones 2; sharded,
 * a GPU holds its share and one layer. Activations: (40 + 8·I/D)·D bytes a token and layer, measured; with
 * checkpointing the layers' inputs and one layer's activations.
 */
function memoryOf({ shape, method, loraShare, checkpointing, batchTokens, gpus }: Settled, sharded: boolean): number {
  const { matrices, embeddings } = decoderParameters(shape);
  const weights = matrices + embeddings;
  const states = method === "lora" ? weights * (2 + 16 * loraShare) : 16 * weights;
  const held = sharded ? states / gpus + (4 * matrices) / shape.layers : states;
  const kept = (40 + (8 * shape.intermediate) / shape.hidden) * (method === "lora" ? 0.65 : 1);
  const stored = checkpointing ? (method === "lora" ? 2 : 4) * shape.layers + kept : kept * shape.layers;
  return held + stored * shape.hidden * batchTokens;
}

/** Replicated: gradients are averaged, 2·4 bytes a trained weight. Sharded: weights gathered twice a batch in bf16, gradients scattered once. */
function networkOf({ shape, method, loraShare, gpus }: Settled, sharded: boolean, batches: number): number {
  const { matrices, embeddings } = decoderParameters(shape);
  const weights = matrices + embeddings;
  const trained = method === "lora" ? weights * loraShare : weights;
  return ((gpus - 1) / gpus) * (sharded ? 2 * 2 * weights * batches + 4 * trained : 2 * 4 * trained);
}

/**
 * Time, memory, network and price of training a reward model on a cluster; each formula stands with its source in docs/scaling.md.
 *
 *   seconds = FLOPs·padding·(4/3 with checkpointing) / (GPUs·peak·utilisation) + exposed·network
 *
 * @example
 * ```ts
 * const cost = clusterCost({ shape: DECODER_SHAPES["8B"], pairs: 1e6, gpus: 8, checkpointing: true });
 * cost.fits; // → true
 * ```
 */
export function clusterCost(plan: ClusterPlan): ClusterCost {
  const given = Object.fromEntries(Object.entries(plan).filter(([, value]) => value !== undefined));
  const settled: Settled = { ...DEFAULTS, ...(given as ClusterPlan) };
  const { gpus, pairs, epochs, tokens, padding, method, checkpointing } = settled;
  const updatePairs = plan.updatePairs ?? Math.max(64, 8 * gpus);
  const sharded = plan.sharded ?? (gpus > 1 && memoryOf(settled, false) > settled.memory);
  const batches = Math.max(1, Math.ceil((2 * updatePairs * tokens * padding) / gpus / settled.batchTokens));
  const flops = modelFlops(settled);
  const updates = Math.ceil(pairs / updatePairs) * epochs;
  const networkBytes = networkOf(settled, sharded, batches);
  const networkSeconds = networkBytes / settled.bandwidth[gpus > settled.gpusOfNode ? 1 : 0];
  const again = !checkpointing ? 1 : method === "lora" ? 3 / 2 : 4 / 3;
  const work = (flops * padding * again) / (gpus * settled.peak * (method === "lora" ? LORA_UTILISATION : 1));
  const seconds = over(settled.utilisation, (share) => work / share + updates * settled.exposed * networkSeconds);
  const gpuHours = over(seconds, (time) => (time * gpus) / 3600);
  const { matrices, embeddings } = decoderParameters(settled.shape);
  const memory = memoryOf(settled, sharded);
  return {
    matrices,
    parameters: matrices + embeddings,
    flops,
    updates,
    seconds,
    tokensPerSecond: (2 * pairs * epochs * tokens) / seconds[1],
    pairsPerSecond: (pairs * epochs) / seconds[1],
    sharded,
    memory,
    fits: memory <= settled.memory,
    networkBytes,
    networkSeconds,
    gpuHours,
    price: over(gpuHours, (hours) => hours * settled.hourPrice),
  };
}

type Three = readonly [number, number, number];
const over = (values: Three, f: (value: number) => number): Three => [f(values[0]), f(values[1]), f(values[2])];
