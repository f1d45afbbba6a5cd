// In: a zod schema. Out: what Fastify and the OpenAPI document need of it: a check without any coercion, and its JSON schema.
import { z } from "zod";
import { RowFault } from "../lib/pairs/faults";
import { parseRow } from "../lib/pairs/containers/row";
import { fieldPath, RequestFault } from "./faults";

/** Draft 2020-12, as OpenAPI 3.1 has it. */
export function jsonSchemaOf(schema: z.ZodType, io: "input" | "output"): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}

/** Fastify's form of a check. */
export const validatorOf = (schema: z.ZodType) => () => (data: unknown) => {
  const parsed = schema.safeParse(data);
  if (parsed.success) return { value: parsed.data };
  const { path, message, tooMany } = clearest(parsed.error.issues);
  const field = fieldPath(path);
  return {
    error: new RequestFault(tooMany ? "too_large" : "validation", `${field || "body"}: ${message}`, {
      field: field || undefined,
    }),
  };
};

interface Clear {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** More items than a request may have. */
  readonly tooMany: boolean;
  readonly issues: number;
}

/** The first issue; of a union that of the alternative the request comes closest to: the deepest, then the one with the fewest. */
function clearest(issues: readonly z.core.$ZodIssue[]): Clear {
  const [issue] = issues;
  const { path, message } = issue;
  if (issue.code === "unrecognized_keys")
    return { path: [...path, issue.keys[0]], message: "expected no such field", tooMany: false, issues: issues.length };
  if (issue.code !== "invalid_union" || issue.errors.length === 0)
    return { path, message, tooMany: issue.code === "too_big" && issue.origin === "array", issues: issues.length };
  const alternatives = issue.errors.filter((errors) => errors.length > 0).map(clearest);
  const [best] = [...alternatives].sort((a, b) => b.path.length - a.path.length || a.issues - b.issues);
  if (best.path.length > 0) return { ...best, path: [...path, ...best.path] };
  return { ...best, path, message: [...new Set(alternatives.map((one) => one.message))].join("; or ") };
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
