// In: rendered texts. Out: their token ids, from the engine as it is.
import type { Tokenizer as Engine } from "tokenizers";

export interface TokeniseOptions {
  /** Whether the tokenizer's own special tokens go around each text. */
  readonly addSpecialTokens: boolean;
}

export interface TokenisedText {
  readonly ids: Uint32Array;
  /** Where each token begins and ends in the text, code points. */
  offsets(): Promise<readonly (readonly number[])[]>;
}

/** The tokens of each text, in their order. */
export type TokeniseTexts = (texts: readonly string[], options: TokeniseOptions) => Promise<TokenisedText[]>;

/** Gives whole texts to the engine, which shares them among its threads. */
export const wholeTexts =
  (engine: Engine): TokeniseTexts =>
  async (texts, options) =>
    (await engine.encodeBatch([...texts], options)).map((encoding) => ({
      ids: Uint32Array.from(encoding.getIds()),
      offsets: async () => encoding.getOffsets(),
    }));

/** Offsets of a text whose ids are known otherwise. */
export const offsetsOf = async (engine: Engine, text: string, options: TokeniseOptions): Promise<number[][]> =>
  (await engine.encode(text, null, options)).getOffsets();
