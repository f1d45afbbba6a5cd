// In: the flags of `npm start` and `npm run lab`. Out: one configuration of all notebooks, checked, in a file that they read.
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { inRoot } from "./setup/steps.mjs";

export const EXIT_CODES = { InputError: 1, UsageError: 2, QualityGate: 3, SIGINT: 130, SIGTERM: 143 };

/** @returns {never} */
function fail(message, code) {
  console.error(message);
  process.exit(code);
}

/**
 * Every field of a training run is a flag, and so are the notebooks' own.
 *
 * @param program what it is called and does; `others`: flags that are not ours are someone else's
 * @returns `{given, training, run, others}`: the fields given, all of the run's, its name, the words that are not ours
 */
export function parseNotebookFlags(args, { name, description, others = false }) {
  const require = createRequire(inRoot("package.json"));
  const { Command } = require("commander");
  const { addConfigFlags, configFromFlags } = require(inRoot("dist/cli/flags.js"));
  const { notebookFields, notebookFlags, resolveNotebookConfig } = require(inRoot("dist/lib/notebooks/support.js"));
  const command = new Command(name).description(description);
  for (const [flag, meaning] of notebookFlags)
    if (flag.endsWith("<n>")) command.option(flag, meaning, Number);
    else command.option(flag, meaning);
  command.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT_CODES.UsageError)); // it has said why
  addConfigFlags(command).allowUnknownOption(others).allowExcessArguments(others).parse(args, { from: "user" });
  const options = command.opts();
  const own = Object.fromEntries(
    notebookFields.flatMap((name) => {
      const value = options[name.replace(/_./g, (mark) => mark[1].toUpperCase())];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  try {
    const given = { ...configFromFlags(options), ...own };
    const { training } = resolveNotebookConfig(given);
    return { given, training, run: training.run, others: command.args };
  } catch (error) {
    return fail(`${name}: ${error.message}`, EXIT_CODES[error.name] ?? 70);
  }
}

/** Bad paths are told at once, not after the set-up. Relative ones mean the folder that npm was called in. */
export function resolvePaths(args) {
  const from = process.env.INIT_CWD ?? process.cwd();
  const words = args.flatMap((word) =>
    /^--(pairs|val|model)=/.test(word) ? [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)] : [word],
  );
  return words.map((word, i) => {
    const flag = words[i - 1];
    const file = path.resolve(from, word);
    if (flag === "--model") return existsSync(file) ? file : word; // else a name under models/
    if (flag !== "--pairs" && flag !== "--val") return word;
    const kind = !existsSync(file) ? "nothing" : statSync(file).isFile() ? null : "a folder";
    if (kind) fail(`${flag}: expected a file of preference pairs, got ${kind} at ${file}; check the path`, 1);
    return file;
  });
}

/** @returns the file that RB_NOTEBOOK_CONFIG is to name */
export function writeNotebookConfig(given, run) {
  mkdirSync(inRoot("data", run), { recursive: true });
  const file = inRoot("data", run, "notebook_config.json");
  writeFileSync(file, `${JSON.stringify(given, null, 2)}\n`);
  return file;
}
