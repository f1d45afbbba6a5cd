// In: a zod schema. Out: what Fastify and the OpenAPI document need of it: a check without any coercion, and its JSON schema.
import { z } from "zod";
import { RowFault } from "../lib/pairs/faults";
import { parseRow } from "../lib/pairs/containers/row";
import { fieldPath, RequestFault, type FaultCode } from "./faults";

/** Draft 2020-12, as OpenAPI 3.1 has it. */
export function jsonSchemaOf(schema: z.ZodType, io: "input" | "output"): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}

/** Fastify's form of a check. @param codeOf what a fault of a kind is called, where the dialect has a word of its own */
export const validatorOf =
  (schema: z.ZodType, codeOf: Partial<Record<Clear["kind"], FaultCode>> = {}) =>
  () =>
  (data: unknown) => {
    const parsed = schema.safeParse(data);
    if (parsed.success) return { value: parsed.data };
    const { path, message, kind } = clearest(parsed.error.issues);
    const field = fieldPath(path);
    const code = codeOf[kind] ?? (kind === "too_many" ? "too_large" : "validation");
    return { error: new RequestFault(code, `${field || "body"}: ${message}`, { field: field || undefined }) };
  };

interface Clear {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** `too_many` items, an `empty` list or text, or any other `fault`. */
  readonly kind: "too_many" | "empty" | "fault";
  readonly issues: number;
}

function kindOf(issue: z.core.$ZodIssue): Clear["kind"] {
  if (issue.code === "too_big" && issue.origin === "array") return "too_many";
  return issue.code === "too_small" && (issue.origin === "array" || issue.origin === "string") ? "empty" : "fault";
}

/** The first issue; of a union that of the alternative the request comes closest to: the deepest, then the one with the fewest. */
function clearest(issues: readonly z.core.$ZodIssue[]): Clear {
  const [issue] = issues;
  const { path } = issue;
  const plain = {
    path,
    message: issue.message.replace(/^Invalid input: /, ""),
    kind: kindOf(issue),
    issues: issues.length,
  };
  if (issue.code === "unrecognized_keys")
    return { ...plain, path: [...path, issue.keys[0]], message: "expected no such field" };
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return plain;
  const alternatives = issue.errors.filter((errors) => errors.length > 0).map(clearest);
  const [best] = [...alternatives].sort((a, b) => b.path.length - a.path.length || a.issues - b.issues);
  if (best.path.length > 0) return { ...best, path: [...path, ...best.path] };
  const said = alternatives.find(({ kind }) => kind !== "fault") ?? best;
  const message = said === best ? [...new Set(alternatives.map((one) => one.message))].join("; or ") : said.message;
  return { ...said, path, message };
}

/**
 * A request's JSON: an object, every key once.
 *
 * @throws RequestFault naming what is wrong
 */
export function parseBody(body: Buffer): unknown {
  if (body.length === 0) throw new RequestFault("malformed", "expected a JSON object, got an empty body");
  try {
    return parseRow(body);
  } catch (error) {
    if (error instanceof RowFault)
      throw new RequestFault(error.reason === "not_an_object" ? "validation" : "malformed", error.message);
    throw error;
  }
}
