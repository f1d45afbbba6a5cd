// In: texts. Out: the hidden states of Llama, Qwen 2, Qwen 3 and Mistral as operations of ONNX; see ../llama.ts.

import type { Value } from "../../engine/onnx/graph";
import { ElementType } from "../../engine/onnx/messages";
import { positionsOf, type Texts } from "./inputs";
import { activate, biasOf, cast, isSet, linear, pickRow, reshape, rmsNorm, transpose, unsqueeze } from "./layers";
import { rows, type Emitter } from "./weights";

/** Cosines and sines of the angles of the tokens, broadcast over heads: […, T, 1, 1, D/2]. */
interface Rotation {
  readonly cosine: Value;
  readonly sine: Value;
}

/** @param positions f32, […, T, 1, 1, 1] */
function rotationOf(to: Emitter, positions: Value): Rotation {
  const angles = to.op("Mul", [positions, to.floats(to.config.rope!.frequencies, [to.config.headSize / 2])]);
  return { cosine: to.op("Cos", [angles]), sine: to.op("Sin", [angles]) };
}

/** (a, b) → (a·cos − b·sin, b·cos + a·sin), a and b the halves of the last axis. */
function rotate(to: Emitter, x: Value, { cosine, sine }: Rotation): Value {
  const half = (from: number, until: number) =>
    to.op("Slice", [x, ...[from, until, -1].map((number) => to.integers([number], [1]))]);
  const { headSize } = to.config;
  const [a, b] = [half(0, headSize / 2), half(headSize / 2, headSize)];
  const sum = (type: string, left: Value, right: Value) =>
    to.op(type, [to.op("Mul", [left, cosine]), to.op("Mul", [right, sine])]);
  return to.op("Concat", [sum("Sub", a, b), sum("Add", b, a)], { axis: { int: -1 } });
}

interface Attended {
  readonly layer: string;
  /** [B, Tq, H] and how its tokens are turned. */
  readonly asking: Value;
  readonly askingRotation: Rotation;
  /** [B, T, H], likewise. */
  readonly x: Value;
  readonly rotation: Rotation;
  /** [B, 1, 1, Tq, T]. */
  readonly bias: Value;
}

/** Heads stand as [keyValueHeads, heads of a group]: a group's queries share keys and values by broadcasting. */
function attention(to: Emitter, { layer, asking, askingRotation, x, rotation, bias }: Attended): Value {
  const { heads, keyValueHeads, headSize, modelType } = to.config;
  const module = (name: string) => `${layer}.self_attn.${name}`;
  const split = (states: Value, name: string, group: number) =>
    reshape(to, linear(to, states, module(`${name}_proj`)), 0, 0, keyValueHeads, group, headSize);
  const normed = (y: Value, name: string) => (modelType === "qwen3" ? rmsNorm(to, y, module(`${name}_norm`)) : y);
  const turned = (states: Value, name: string, group: number, by: Rotation) =>
    rotate(to, normed(split(states, name, group), name), by);
  const query = transpose(to, turned(asking, "q", heads / keyValueHeads, askingRotation), 0, 2, 3, 1, 4);
  const key = transpose(to, turned(x, "k", 1, rotation), 0, 2, 3, 4, 1);
  const value = transpose(to, split(x, "v", 1), 0, 2, 3, 1, 4);
  const products = to.op("Mul", [to.op("MatMul", [query, key]), to.floats([1 / Math.sqrt(headSize)])]);
  const weights = to.op("Softmax", [to.op("Add", [products, bias])], { axis: { int: -1 } });
  const mixed = transpose(to, to.op("MatMul", [weights, value]), 0, 3, 1, 2, 4);
  return linear(to, reshape(to, mixed, 0, 0, heads * headSize), module("o_proj"));
}

/** bias [B, 1, 1, Tq, T] of tokens at `places` [..., Tq, 1]: they see their text up to themselves. */
function causalBias(to: Emitter, { mask }: Texts, positions: Value, places: Value): Value {
  const past = to.op("LessOrEqual", [positions, places]);
  return biasOf(to, to.op("And", [past, isSet(to, unsqueeze(to, mask, 1, 2, 3))]));
}

/** Last hidden states after the final norm: [B, 1, H] of the token that is read, or [B, T, H]. */
export function decoderStates(to: Emitter, texts: Texts): Value {
  const { config } = to;
  const positions = positionsOf(to, texts);
  const floats = (places: Value) => cast(to, places, ElementType.F32);
  const rotation = rotationOf(to, floats(unsqueeze(to, positions, 1, 2, 3)));
  const bias = causalBias(to, texts, positions, unsqueeze(to, positions, 1));
  let x = rows(to, texts.ids, "model.embed_tokens.weight");
  for (let i = 0; i < config.layers; i++) {
    const layer = `model.layers.${i}`;
    const normed = rmsNorm(to, x, `${layer}.input_layernorm`);
    let from = { asking: normed, askingRotation: rotation, bias };
    let residual = x;
    if (texts.read !== null && i === config.layers - 1) {
      const place = unsqueeze(to, texts.read, 1, 2, 3, 4);
      residual = pickRow(to, x, texts.read);
      from = {
        asking: pickRow(to, normed, texts.read),
        askingRotation: rotationOf(to, floats(place)),
        bias: causalBias(to, texts, positions, place),
      };
    }
    const middle = to.op("Add", [residual, attention(to, { layer, x: normed, rotation, ...from })]);
    x = to.op("Add", [middle, gated(to, rmsNorm(to, middle, `${layer}.post_attention_layernorm`), `${layer}.mlp`)]);
  }
  return rmsNorm(to, x, "model.norm");
}

/** SwiGLU: (act(x·Gᵀ) ∘ x·Uᵀ)·Dᵀ. */
function gated(to: Emitter, x: Value, module: string): Value {
  const gate = activate(to, linear(to, x, `${module}.gate_proj`), to.config.activation);
  return linear(to, to.op("Mul", [gate, linear(to, x, `${module}.up_proj`)]), `${module}.down_proj`);
}
