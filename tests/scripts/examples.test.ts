// The examples in the doc comments: every public function has one, all compile together, and what one says comes out of it does.
import ts from "typescript";
import { expect, test } from "vitest";
import * as rewardbook from "../../lib";
import { projectPath } from "../../lib/files/paths";

/** What the examples may take as given. */
const GIVEN = `
declare const pairs: PreferencePair[];
declare const scored: ScoredPair[];
declare const others: ScoredPair[];
declare const loaded: LoadedModel;
declare const model: RewardModel;
declare const tokenizer: Tokenizer;
declare const config: TrainingConfig;
declare const dataset: PairDataset;
declare const plan: ReturnType<typeof planUpdates>;
declare const step: Parameters<typeof takeStep>[0];
declare const run: RunRecord;
declare const policy: Policy;
declare const card: ModelCardOptions;
`;

const file = projectPath("lib", "index.ts");
const { options } = ts.getParsedCommandLineOfConfigFile(
  projectPath("tsconfig.json"),
  {},
  { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} },
)!;
const examplesFile = projectPath("lib", "examples.ts");

/** Functions of the entry point with their first example, and the names of everything it exports. */
function publicFunctions() {
  const program = ts.createProgram([file], options);
  const checker = program.getTypeChecker();
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)!)!);
  const functions = new Map<string, string | undefined>();
  for (const name of exported) {
    const symbol = name.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(name) : name;
    const declaration = symbol.declarations?.[0];
    if (!declaration || !(symbol.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Variable))) continue;
    if (checker.getTypeOfSymbolAtLocation(symbol, declaration).getCallSignatures().length === 0) continue;
    const tag = symbol.getJsDocTags(checker).find((one) => one.name === "example");
    const code = /```ts\n([\s\S]*?)\n```/.exec(ts.displayPartsToString(tag?.text))?.[1];
    functions.set(name.name, code);
  }
  return { functions, names: exported.map(({ name }) => name) };
}

const { functions, names } = publicFunctions();
const examples = [...functions].filter((entry): entry is [string, string] => entry[1] !== undefined);

test("every public function has an example", () => {
  expect([...functions].filter(([, code]) => code === undefined).map(([name]) => name)).toEqual([]);
  expect(functions.size).toBeGreaterThan(150);
});

test("all compile", { timeout: 120_000 }, () => {
  const body = examples.map(([name, code]) => {
    const lines = code.replaceAll(/^import .*$/gm, "");
    return `async function example_${name}() {\n${lines}\n}`;
  });
  const source = `import * as tf from "@tensorflow/tfjs-core";
import { diffArrays } from "diff";
import { readFile, writeFile } from "node:fs/promises";
import { ${names.join(", ")} } from "./index";
${GIVEN}
${body.join("\n")}`;
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (path) => path === examplesFile || fileExists(path);
  host.getSourceFile = (path, version, ...rest) =>
    path === examplesFile ? ts.createSourceFile(path, source, version) : getSourceFile(path, version, ...rest);
  const program = ts.createProgram([examplesFile], { ...options, noUnusedLocals: false, noEmit: true }, host);
  const faults = ts.getPreEmitDiagnostics(program, program.getSourceFile(examplesFile)).map((fault) => {
    const before = source.slice(0, fault.start);
    const where = before.slice(before.lastIndexOf("function example_") + 17).split("(")[0];
    return `${where}: ${ts.flattenDiagnosticMessageText(fault.messageText, "\n")}`;
  });
  expect(faults).toEqual([]);
});

const told = examples.filter(([, code]) => code.includes("// → "));

test.each(told)("%s gives what its example says", async (_, code) => {
  const lines = code.split("\n");
  const [, last, value] = /^(.*); \/\/ → (.*)$/.exec(lines.pop()!)!;
  const { outputText } = ts.transpileModule(lines.join("\n"), { compilerOptions: { target: ts.ScriptTarget.ES2022 } });
  const run = new Function(...Object.keys(rewardbook), `return (async () => { ${outputText}\nreturn ${last}; })()`);
  expect(await run(...Object.values(rewardbook))).toEqual(JSON.parse(value));
});
