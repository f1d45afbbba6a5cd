// Our side of tokenising: rendered texts to ids, cut at the maximum length. Each unit begins with a tokenizer that knows no word.
import { readFileSync } from "node:fs";
import { DEFAULT_TEMPLATE } from "../lib/text/template";
import { openTokenizer } from "../lib/text/tokenizer";
import { serve } from "./serve";

export interface TokenisingSettings {
  readonly model: string;
  readonly items: string; // file: {prompt, response}[]
  readonly max_length: number;
}

void serve<TokenisingSettings>(async (settings) => {
  const items = JSON.parse(readFileSync(settings.items, "utf8"));
  const options = { template: DEFAULT_TEMPLATE, maxLength: settings.max_length, truncation: "right" } as const;
  return async () => {
    const tokenizer = openTokenizer(settings.model); // not timed: the other side opens its own once, before all units
    const start = performance.now();
    const encoded = await tokenizer.encode(items, options);
    const ms = performance.now() - start;
    return { ms, tokens: encoded.reduce((total, { ids }) => total + ids.length, 0), texts: items.length };
  };
});
