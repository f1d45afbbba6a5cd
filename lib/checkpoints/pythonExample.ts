// In: a checkpoint's configuration, settings and tokenizer. Out: the lines of Python that give the score it has here.
import type { HeadConfig } from "../models/heads";
import { pythonHead, type PythonHeadOptions } from "./pythonHead";
import { pythonTokens, type PythonTexts, type PythonTokenizer } from "./pythonTokens";

export interface PythonExampleOptions extends Pick<PythonHeadOptions, "adapter" | "padId"> {
  readonly model: HeadConfig;
  readonly settings: PythonTexts;
  readonly tokenizer: PythonTokenizer;
}

/** The only example in Python: model cards and README take it from here. `DIR` stands for the directory. */
export function pythonExample({ model, settings, tokenizer, ...where }: PythonExampleOptions): string {
  const head = pythonHead(model, { dir: "DIR", ...where });
  const tokens = pythonTokens(settings, tokenizer, where.adapter ? "base" : "DIR");
  return [
    ...tokens.imports.filter((line) => line.startsWith("import")),
    "import torch",
    ...tokens.imports.filter((line) => line.startsWith("from")),
    ...head.imports,
    "",
    ...head.load,
    ...tokens.load,
    "",
    ...tokens.define,
    "",
    "def reward(prompt, response):",
    "    ids = torch.tensor([encode(prompt, response)])",
    "    with torch.no_grad():",
    `        return ${head.score}`,
  ].join("\n");
}
