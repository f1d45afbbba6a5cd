// In: the configuration schema. Out: one command-line flag for each field, with its meaning, unit and default.
import { InvalidArgumentError, Option, type Command } from "commander";
import { z } from "zod";
import { trainingSchema, type TrainingInput } from "../lib/config";

type Field = keyof typeof trainingSchema.shape;

/** The schema inside `optional()` and `default()`, and that default. */
function unwrap(schema: z.ZodType): { inner: z.ZodType; fallback?: unknown } {
  if (schema instanceof z.ZodOptional) return unwrap(schema.unwrap() as z.ZodType);
  if (schema instanceof z.ZodDefault) return { inner: schema.unwrap() as z.ZodType, fallback: schema.def.defaultValue };
  return { inner: schema };
}

const number = (text: string): number => {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("expected a number");
  return value;
};

/** Adds a flag for each field; a flag not given stays undefined, so that a preset can fill it. */
export const addConfigFlags = (
  command: Command,
  fields: readonly Field[] = Object.keys(trainingSchema.shape) as Field[],
): Command => addSchemaFlags(command, Object.fromEntries(fields.map((field) => [field, trainingSchema.shape[field]])));

/** Adds a flag for each field of any schema. */
export function addSchemaFlags(command: Command, shape: Readonly<Record<string, unknown>>): Command {
  for (const [field, described] of Object.entries(shape)) {
    const schema = described as z.ZodType;
    const { inner, fallback } = unwrap(schema);
    const flag = `--${field.replaceAll("_", "-")}`;
    const shown = fallback === undefined ? "" : ` (default: ${JSON.stringify(fallback)})`;
    const meaning = `${schema.description ?? ""}${shown}`;
    if (inner instanceof z.ZodBoolean) command.addOption(new Option(flag, meaning));
    else if (inner instanceof z.ZodNumber) command.addOption(new Option(`${flag} <n>`, meaning).argParser(number));
    else if (inner instanceof z.ZodEnum)
      command.addOption(new Option(`${flag} <word>`, meaning).choices(inner.options as string[]));
    else command.addOption(new Option(`${flag} <text>`, meaning));
  }
  return command;
}

/** The fields a command line gave, by their names in the schema. */
export function configFromFlags(options: Readonly<Record<string, unknown>>): TrainingInput {
  const given: Record<string, unknown> = {};
  for (const field of Object.keys(trainingSchema.shape)) {
    const camel = field.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    if (options[camel] !== undefined) given[field] = options[camel];
  }
  return given as TrainingInput;
}

/** f32 keeps scores the same to the fifth decimal; bf16 is faster. */
export const precisionOption = (): Option =>
  new Option("--precision <word>", "matrix products of the scoring").choices(["f32", "bf16"]).default("f32");
