// In: the configuration schema. Out: one command-line flag for each field, with its meaning, unit and default.
import { InvalidArgumentError, Option, type Command } from "commander";
import { z } from "zod";
import type { TextSettings } from "../lib/checkpoints/checkpoint";
import { trainingSchema, type TrainingInput } from "../lib/config";
import { UsageError } from "../lib/errors";
import type { ReadOptions } from "../lib/pairs/read";

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

/** The flag of a field of any schema; not given, it stays undefined, so that a preset can fill it. */
function schemaFlag(field: string, schema: z.ZodType): Option {
  const { inner, fallback } = unwrap(schema);
  const flag = `--${field.replaceAll("_", "-")}`;
  const shown = fallback === undefined ? "" : ` (default: ${fallback === false ? "off" : JSON.stringify(fallback)})`;
  const meaning = `${schema.description ?? inner.description ?? ""}${shown}`;
  if (inner instanceof z.ZodBoolean) return new Option(flag, meaning);
  if (inner instanceof z.ZodNumber) return new Option(`${flag} <n>`, meaning).argParser(number);
  if (inner instanceof z.ZodEnum) return new Option(`${flag} <word>`, meaning).choices(inner.options as string[]);
  return new Option(`${flag} <text>`, meaning);
}

/** The flag of one field of the configuration. */
export const configFlag = (field: Field): Option => schemaFlag(field, trainingSchema.shape[field] as z.ZodType);

/** Adds a flag for each field of the configuration. */
export const addConfigFlags = (
  command: Command,
  fields: readonly Field[] = Object.keys(trainingSchema.shape) as Field[],
): Command => addSchemaFlags(command, Object.fromEntries(fields.map((field) => [field, trainingSchema.shape[field]])));

/** Adds a flag for each field of any schema; a switch that may be on by itself gets its opposite as well. */
export function addSchemaFlags(command: Command, shape: Readonly<Record<string, unknown>>): Command {
  for (const [field, described] of Object.entries(shape)) {
    const schema = described as z.ZodType;
    command.addOption(schemaFlag(field, schema));
    const { inner, fallback } = unwrap(schema);
    if (inner instanceof z.ZodBoolean && fallback !== false)
      command.addOption(
        new Option(`--no-${field.replaceAll("_", "-")}`, `not --${field.replaceAll("_", "-")} (default: off)`),
      );
  }
  return command;
}

/** The flags of a command that scores texts: precision, how they are made, how their rows are read. */
export function addScoringFlags(command: Command, reading: readonly Field[] = READING): Command {
  command.addOption(precisionOption());
  for (const field of ["template", "max_length", "truncation"] as const) command.addOption(textFlag(field));
  return addReadingFlags(command, reading);
}

const READING = ["skip_bad_rows", "ignore_fields", "category_field", "minimum_gap"] as const satisfies Field[];

/** The flags of how rows are read. */
export function addReadingFlags(command: Command, reading: readonly Field[] = READING): Command {
  for (const field of reading) command.addOption(configFlag(field));
  return command;
}

/** How a command reads pairs, from the flags it has. */
export function readingOptions(options: Readonly<Record<string, unknown>>): ReadOptions {
  const { skip_bad_rows, ignore_fields, category_field, minimum_gap, keep_ties } = configFromFlags(options);
  return { skip_bad_rows, ignore_fields, category_field, minimum_gap, keep_ties };
}

/** The fields a command line gave, by their names in the schema. */
export const configFromFlags = (options: Readonly<Record<string, unknown>>): TrainingInput =>
  fieldsFromFlags(options, trainingSchema.shape) as TrainingInput;

/** The fields of any schema that a command line gave. */
export function fieldsFromFlags(
  options: Readonly<Record<string, unknown>>,
  shape: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const field of Object.keys(shape)) {
    const camel = field.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    if (options[camel] !== undefined) given[field] = options[camel];
  }
  return given;
}

/** The flag of how texts are made, for a reward model that was not made here or is to read them otherwise. */
export function textFlag(field: TextField): Option {
  const option = configFlag(field);
  option.description = option.description.replace(/ \(default: .*\)$/s, " (default: as the checkpoint says)");
  return option;
}
type TextField = "template" | "max_length" | "truncation";

/** How texts are made, from the flags given. @throws UsageError when a value is out of its range */
export function textSettings(options: Readonly<Record<string, unknown>>): TextSettings {
  const { template, max_length, truncation } = configFromFlags(options);
  const { shape } = trainingSchema;
  for (const [field, value] of Object.entries({ template, max_length, truncation })) {
    const parsed = shape[field as TextField].safeParse(value);
    if (parsed.success) continue;
    const flag = `--${field.replaceAll("_", "-")}`;
    throw new UsageError(`${flag}: ${parsed.error.issues[0].message}, got ${JSON.stringify(value)}; see --help`);
  }
  return { template, max_length, truncation };
}

/** f32 keeps scores the same to the fifth decimal; bf16 is faster. */
export const precisionOption = (): Option =>
  new Option("--precision <word>", "precision of the matrix products of scoring")
    .choices(["f32", "bf16"])
    .default("f32");

/** Every flag says whether it must be given, or what holds without it. */
export function stateDefaults(command: Command): void {
  command.helpOption("-h, --help", "print this help (default: off)");
  for (const option of command.options) {
    if (option.mandatory) option.description += " (required)";
    else if (option.defaultValue === undefined && !option.description.includes("default"))
      option.description += option.isBoolean() || option.negate ? " (default: off)" : " (default: none)";
  }
}
