// In: rendered texts. Out: their token ids, from the engine as it is.
import type { Tokenizer as Engine } from "tokenizers";

export interface TokeniseOptions {
  /** Whether the tokenizer's own special tokens go around each text. */
  readonly addSpecialTokens: boolean;
}

/** Where each token of a text begins and ends, code points. */
export type Offsets = readonly (readonly number[])[];

export interface TokenisedTexts {
  /** Of each text, in their order. */
  readonly ids: readonly Uint32Array[];
  /** Of the texts with these numbers. */
  offsets(texts: readonly number[]): Promise<Offsets[]>;
}

export type TokeniseTexts = (texts: readonly string[], options: TokeniseOptions) => Promise<TokenisedTexts>;

/** Gives whole texts to the engine, which shares them among its threads. */
export const wholeTexts =
  (engine: Engine): TokeniseTexts =>
  async (texts, options) => {
    const encodings = await engine.encodeBatch([...texts], options);
    return {
      ids: encodings.map((encoding) => Uint32Array.from(encoding.getIds())),
      offsets: async (of) => of.map((i) => encodings[i].getOffsets()),
    };
  };

/** Offsets of texts whose ids are known otherwise. */
export const batchOffsets = async (
  engine: Engine,
  texts: readonly string[],
  options: TokeniseOptions,
): Promise<Offsets[]> => (await engine.encodeBatch([...texts], options)).map((encoding) => encoding.getOffsets());
