// In: the words of the command line. Out: the exit code.
import { Command, CommanderError } from "commander";
import { readFileSync } from "node:fs";
import { InputError, UsageError } from "../lib/errors";
import { projectPath } from "../lib/files/paths";
import { systemFault } from "../lib/files/systemError";
import { EXIT, ExitWith } from "./exit";
import { stateDefaults } from "./flags";
import { fail, lostOutput, outliveReaders } from "./output";
import { register as check } from "./check";
import { register as compare } from "./compare";
import { register as doctor } from "./doctor";
import { register as evaluate } from "./evaluate";
import { register as exportModel } from "./export";
import { register as generate } from "./generate";
import { register as pull } from "./pull";
import { register as remote } from "./remote";
import { register as report } from "./report";
import { register as rerank } from "./rerank";
import { register as score } from "./score";
import { register as serve } from "./serve";
import { register as split } from "./split";
import { register as train } from "./train";
import { register as verify } from "./verify";

/** The command line, not yet run. */
export function createProgram(): Command {
  const { version } = JSON.parse(readFileSync(projectPath("package.json"), "utf8"));
  const root = new Command("rewardbook")
    .description("Train, evaluate, calibrate and report reward models.")
    .version(version, "-V, --version", "print the version of Rewardbook (default: off)")
    .exitOverride()
    .configureOutput({ writeErr: fail })
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 the input or the machine is at fault, 2 usage, 3 quality gate failed, 130 and 143 interrupted, 70 our fault.",
    );
  for (const register of [
    generate,
    check,
    split,
    train,
    evaluate,
    score,
    rerank,
    compare,
    serve,
    report,
    exportModel,
    pull,
    verify,
    remote,
    doctor,
  ])
    register(root);
  for (const command of root.commands.flatMap((one) => [one, ...one.commands]))
    command.exitOverride().configureOutput({ writeErr: fail });
  for (const command of [root, ...root.commands.flatMap((one) => [one, ...one.commands])]) stateDefaults(command);
  return root;
}

/** Says what went wrong, and whose fault it is: the input's, the command line's, the system's, or ours. */
function explain(error: unknown): number {
  const known = error instanceof InputError || error instanceof UsageError ? error : systemFault(error);
  if (known) {
    fail(known.message);
    return known instanceof InputError ? EXIT.input : EXIT.usage;
  }
  fail(
    `rewardbook: this is our fault, please report it with the command and this trace\n${(error as Error)?.stack ?? error}`,
  );
  return EXIT.ours;
}

/**
 * Runs one command.
 *
 * @param argv the words after the program's name
 */
export async function run(argv: readonly string[]): Promise<number> {
  outliveReaders();
  const code = await carryOut(argv);
  const loss = await lostOutput();
  return loss === null || code !== EXIT.done ? code : explain(loss);
}

async function carryOut(argv: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(argv, { from: "user" });
    return EXIT.done;
  } catch (error) {
    if (error instanceof ExitWith) return error.code;
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage; // it has written its message
    return explain(error);
  }
}
