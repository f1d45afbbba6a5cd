// In: a size and a folder. Out: a model directory there with random bf16 weights and a small tokenizer, to try what fits this machine.
import { cpSync } from "node:fs";
import { projectPath } from "../lib/files/paths";
import { SIZES, sizeConfig, writeRandomModel, type Size } from "./models";

/** Its ids lie within every vocabulary here. */
const TOKENIZER = projectPath("tests", "goldens", "text", "bpe-llama");

async function main(): Promise<void> {
  const [size, dir] = process.argv.slice(2);
  if (!SIZES.includes(size as Size) || !dir)
    throw new Error(`writeModel: expected a size (${SIZES.join(", ")}) and a folder, got ${size} and ${dir}`);
  await writeRandomModel(dir, sizeConfig(size as Size), "BF16");
  cpSync(TOKENIZER, dir, { recursive: true });
}

main().catch((error) => {
  console.error((error as Error).message);
  process.exitCode = 1;
});
