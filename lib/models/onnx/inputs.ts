// In: the inputs of an exported model. Out: what layers and heads ask about the texts: places, and which token is read.

import type { Value } from "../../engine/onnx/graph";
import { ElementType } from "../../engine/onnx/messages";
import { isDecoder } from "../config";
import { cast, unsqueeze } from "./layers";
import type { Emitter } from "./weights";

export interface Texts {
  /** int64 [B, T]. */
  readonly ids: Value;
  /** int64 [B, T], 1 on tokens. */
  readonly mask: Value;
  /** int64 [B, T], of a BERT. */
  readonly tokenTypes?: Value;
  /** int64 [B] the token that the head reads; null for a head that reads all. */
  readonly read: Value | null;
}

export function declareTexts(to: Emitter, unreadId: number | null): Texts {
  const port = (name: string) => to.input({ name, type: ElementType.I64, shape: ["batch_size", "sequence_length"] });
  const [ids, mask] = [port("input_ids"), port("attention_mask")];
  const tokenTypes = to.config.modelType === "bert" ? { tokenTypes: port("token_type_ids") } : {};
  return { ids, mask, ...tokenTypes, read: readPlace(to, { ids, mask }, unreadId) };
}

/** The first token, or the last that counts: a decoder's own head passes over padding tokens, marked or not. */
function readPlace(to: Emitter, { ids, mask }: Pick<Texts, "ids" | "mask">, unreadId: number | null): Value | null {
  const { config } = to;
  if (config.head === "mean") return null;
  const last = config.head === "value" || isDecoder(config);
  const counts =
    last && unreadId !== null
      ? to.op("And", [cast(to, mask, ElementType.BOOL), to.op("Not", [to.op("Equal", [ids, to.integers([unreadId])])])])
      : mask;
  return to.op("ArgMax", [cast(to, counts, ElementType.F32)], {
    axis: { int: 1 },
    keepdims: { int: 0 },
    select_last_index: { int: last ? 1 : 0 },
  });
}

/** Place of each token in its text, from 1; 0 on padding, so that left padding moves nothing. int64 [B, T]. */
export const countTokens = (to: Emitter, { mask }: Texts): Value =>
  to.op("Mul", [to.op("CumSum", [mask, to.integers([1])]), mask]);

/** int64 [T]: 0, 1, …. */
export function positionsOf(to: Emitter, { ids }: Texts): Value {
  const length = to.op("Gather", [to.op("Shape", [ids]), to.integers([1])]);
  return to.op("Range", [to.integers([0]), length, to.integers([1])]);
}

/** Mean of each text's tokens, [B, T, H] → [B, H]; 0 where there is no text. */
export function meanOverTokens(to: Emitter, x: Value, { mask }: Texts): Value {
  const own = unsqueeze(to, cast(to, mask, ElementType.F32), 2);
  const axes = to.integers([1], [1]);
  const sum = to.op("ReduceSum", [to.op("Mul", [x, own]), axes], { keepdims: { int: 0 } });
  const count = to.op("ReduceSum", [own, axes], { keepdims: { int: 0 } });
  return to.op("Div", [sum, to.op("Max", [count, to.floats([1])])]);
}
