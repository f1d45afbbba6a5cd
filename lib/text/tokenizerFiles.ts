// In: a Hugging Face directory. Out: its tokenizer's definition and settings, checked.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../errors";
import { checkTokenizer } from "./tokenizerCheck";

const tokenSchema = z
  .union([z.string(), z.looseObject({ content: z.string() }).transform((token) => token.content)])
  .nullish();

const settingsSchema = z.looseObject({
  pad_token: tokenSchema,
  eos_token: tokenSchema,
  bos_token: tokenSchema,
  cls_token: tokenSchema,
  sep_token: tokenSchema,
  unk_token: tokenSchema,
  chat_template: z
    .union([
      z.string(),
      z
        .array(z.looseObject({ name: z.string(), template: z.string() }))
        .transform((named) => (named.find(({ name }) => name === "default") ?? named[0])?.template),
    ])
    .nullish(),
});

const addedTokenSchema = z.looseObject({ id: z.number().int(), content: z.string(), special: z.boolean() });

const definitionSchema = z.looseObject({
  added_tokens: z.array(addedTokenSchema).default([]),
  model: z.looseObject({
    vocab: z.union([z.record(z.string(), z.number()), z.array(z.tuple([z.string(), z.number()]))]),
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])).optional(),
    unk_token: z.string().nullish(),
  }),
  post_processor: z.unknown(),
});

/** `tokenizer.json`, as far as Rewardbook looks into it. */
export type TokenizerDefinition = z.output<typeof definitionSchema>;
/** Special tokens by role, and the chat template. */
export type TokenizerSettings = z.output<typeof settingsSchema>;

export interface TokenizerFiles {
  readonly definition: TokenizerDefinition;
  /** One more than the largest id. */
  readonly size: number;
  readonly settings: TokenizerSettings;
  /** The file that the chat template stands in. */
  readonly chatFile: string;
  /** tokenizer.json, tokenizer_config.json and special_tokens_map.json as they were read; empty where there is none. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
  readonly map: Readonly<Record<string, unknown>>;
}

/**
 * Reads `tokenizer.json`, `tokenizer_config.json`, `special_tokens_map.json` and `chat_template.jinja`; only the
 * first must be there.
 *
 * @throws InputError naming the file at fault
 */
export function readTokenizerFiles(dir: string): TokenizerFiles {
  const path = join(dir, "tokenizer.json");
  if (!existsSync(path)) {
    throw new InputError(
      `${path}: expected the tokenizer, got no such file; in Python, ` +
        `AutoTokenizer.from_pretrained(${JSON.stringify(dir)}).save_pretrained(${JSON.stringify(dir)}) writes it`,
    );
  }
  // The vocabulary is left to the engine's own parser; checking its entries here would double the time to load.
  const json = readJson(path);
  const definition = check(
    definitionSchema.extend({
      model: z.custom<TokenizerDefinition["model"]>(isModel, "expected a model with a vocab"),
    }),
    json,
    path,
  );
  const size = checkTokenizer(definition, path);
  const optional = (name: string) => {
    const json = existsSync(join(dir, name)) ? readJson(join(dir, name)) : {};
    const roles = Object.entries(check(settingsSchema, json, join(dir, name))).filter(([, value]) => value != null);
    return { json: json as Record<string, unknown>, roles: Object.fromEntries(roles) };
  };
  const config = optional("tokenizer_config.json"),
    map = optional("special_tokens_map.json");
  const template = join(dir, "chat_template.jinja");
  const apart = existsSync(template);
  const chat = apart ? { chat_template: readFileSync(template, "utf8") } : {};
  const chatFile = apart ? template : join(dir, "tokenizer_config.json");
  const settings: TokenizerSettings = { ...map.roles, ...config.roles, ...chat };
  return {
    definition,
    size,
    settings,
    chatFile,
    json: json as Record<string, unknown>,
    config: config.json,
    map: map.json,
  };
}

function isModel(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    "vocab" in value &&
    typeof value.vocab === "object" &&
    value.vocab !== null
  );
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new InputError(`${path}: expected JSON, got ${(error as Error).message}; fetch the model again`);
  }
}

function check<T>(schema: z.ZodType<T>, json: unknown, where: string): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new InputError(`${where}: ${issue.path.join(".") || "top level"}: ${issue.message}; fetch the model again`);
}
