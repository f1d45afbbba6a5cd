import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, expect, it } from "vitest";
import { run } from "../../cli/main";
import { makeModelDirectory } from "../checkpoints/modelDirectory";
import { RUNTIMES } from "./runtimes";

// The lines of README.md and of the exported card, executed in a project of their own; expected: `rewardbook score`.
const work = mkdtempSync(join(tmpdir(), "fresh-"));
afterAll(() => rmSync(work, { recursive: true }));

const linesOf = (markdown: string) => /```ts\n(import \{ AutoModel[^]*?)```/.exec(markdown)![1];

it("five lines score in a fresh project, README's and the card's being the same", async () => {
  const checkpoint = join(work, "model");
  await makeModelDirectory(checkpoint, "bert", { max_position_embeddings: 96 });
  const template = "Question:\n{prompt}\n\nAnswer:\n{response}";
  writeFileSync(join(checkpoint, "rewardbook.json"), JSON.stringify({ template, max_length: 96, truncation: "right" }));
  const project = join(work, "project");
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), '{"type":"module"}');
  symlinkSync(join(RUNTIMES, "node_modules"), join(project, "node_modules"));
  expect(await run(["export", "--checkpoint", checkpoint, "--out", join(project, "my-reward-model")])).toBe(0);
  const card = linesOf(readFileSync(join(project, "my-reward-model", "README.md"), "utf8"));
  const readme = linesOf(readFileSync(join(__dirname, "..", "..", "README.md"), "utf8"));
  expect(readme).toBe(card.replaceAll('"DIR"', '"./my-reward-model"'));

  const options = { compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 } };
  writeFileSync(join(project, "score.js"), ts.transpileModule(readme, options).outputText);
  const printed = execFileSync(process.execPath, ["score.js"], { cwd: project, encoding: "utf8" });
  const [[got]] = JSON.parse(printed) as number[][];

  const [input, out] = [join(work, "in.jsonl"), join(work, "out.jsonl")];
  writeFileSync(input, JSON.stringify({ prompt: "Why is the sky blue?", response: "Rayleigh scattering." }));
  expect(await run(["score", "--checkpoint", checkpoint, "--input", input, "--out", out])).toBe(0);
  expect(got).toBeCloseTo((JSON.parse(readFileSync(out, "utf8")) as { score: number }).score, 4);
});
