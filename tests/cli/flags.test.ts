// Every flag of every command has a meaning, a default and, where it is a number, a unit.
import { describe, expect, it } from "vitest";
import { createProgram } from "../../cli/main";

const program = createProgram();
const flags = [program, ...program.commands].flatMap((command) =>
  command.options.map((option) => ({ command, option, name: `${command.name()} ${option.long ?? option.flags}` })),
);

/** What a number counts or measures. */
const UNITS =
  /\b(pairs?|questions?|texts?|tokens?|steps?|epochs?|updates?|passes|batch(es)?|validations|layers?|share|norm|accuracy|accuracies|points|seed|rate|decay|rank|scale|weight|margin|p of|β\d?|ε|λ|port|seconds?|milliseconds?|ms|minutes?|requests?|bytes|MB|MiB|GB|rows|width|threads?|processes|answers?|candidates?|characters?|gap|wait)\b|[βελ]/u;

describe("flags", () => {
  it("walks all commands", () => {
    expect(program.commands.length).toBeGreaterThan(11);
    expect(flags.length).toBeGreaterThan(120);
  });

  for (const { command, option, name } of flags.filter(({ option }) => !option.hidden))
    it(`${name}: meaning and default`, () => {
      const meaning = option.description.replace(/\((required|default: [^)]*)\)/g, "").trim();
      expect(meaning.split(/\s+/).length).toBeGreaterThan(1);
      const help = command.createHelp().optionDescription(option);
      expect(help).toMatch(option.mandatory ? /\(required\)/ : /default: ./);
      // A default is stated once.
      expect(help.match(/default: /g) ?? []).toHaveLength(option.mandatory ? 0 : 1);
    });

  for (const { option, name } of flags.filter(({ option }) => /<(n|share|number)>/.test(option.flags)))
    it(`${name}: unit`, () => expect(option.description).toMatch(UNITS));

  it("those that read pairs read them alike", () => {
    for (const name of ["check", "split", "train", "evaluate", "score"]) {
      const own = program.commands.find((command) => command.name() === name)!.options.map(({ long }) => long);
      expect(own).toEqual(
        expect.arrayContaining(["--skip-bad-rows", "--ignore-fields", "--category-field", "--minimum-gap"]),
      );
    }
  });
});
