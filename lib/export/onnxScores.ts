// In: an exported file. Out: rewards of token ids by onnxruntime.
import { onnxruntime, type OnnxTensor } from "./runtimes";

/** Scores rows of token ids by one exported file. */
export interface OnnxScorer {
  /** Rewards of texts of any lengths, read at once. */
  score(texts: readonly ArrayLike<number>[]): Promise<Float32Array>;
  release(): Promise<void>;
}

/** @throws InputError where set-up left onnxruntime out */
export async function openOnnx(file: string): Promise<OnnxScorer> {
  const { InferenceSession, Tensor } = onnxruntime();
  const session = await InferenceSession.create(file, { logSeverityLevel: 3 });
  return {
    async score(texts) {
      const width = texts.reduce((most, { length }) => Math.max(most, length), 0);
      const tensor = (value: (ids: ArrayLike<number>, place: number) => number): OnnxTensor =>
        new Tensor(
          "int64",
          BigInt64Array.from(texts.flatMap((ids) => Array.from({ length: width }, (_, i) => BigInt(value(ids, i))))),
          [texts.length, width],
        );
      const feeds: Record<string, OnnxTensor> = {
        input_ids: tensor((ids, place) => ids[place] ?? 0),
        attention_mask: tensor((ids, place) => Number(place < ids.length)),
      };
      if (session.inputNames.includes("token_type_ids")) feeds.token_type_ids = tensor(() => 0);
      return (await session.run(feeds)).logits.data;
    },
    release: () => session.release(),
  };
}
