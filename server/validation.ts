// In: a zod schema. Out: what Fastify and the OpenAPI document need of it: a check without any coercion, and its JSON schema.
import { z } from "zod";
import { RowFault } from "../lib/pairs/faults";
import { parseRow } from "../lib/pairs/containers/row";
import { fieldPath, RequestFault, type FaultCode } from "./faults";
import { refuseUnread } from "./unread";

/** Draft 2020-12, as OpenAPI 3.1 has it. */
export function jsonSchemaOf(schema: z.ZodType, io: "input" | "output"): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}

/** The shapes a request may have: the fields that make one up, and all that it reads. */
interface Shape {
  readonly required: readonly string[];
  readonly read: ReadonlySet<string>;
}

function shapesOf(schema: z.ZodType): Shape[] {
  const { anyOf, ...single } = jsonSchemaOf(schema, "input");
  const objects = (anyOf ?? [single]) as { properties?: object; required?: string[] }[];
  return objects.map(({ properties = {}, required = [] }) => ({ required, read: new Set(Object.keys(properties)) }));
}

/** Fastify's form of a check. @param codeOf what a fault of a kind is called, where the dialect has a word of its own */
export function validatorOf(schema: z.ZodType, codeOf: Partial<Record<Clear["kind"], FaultCode>> = {}) {
  const shapes = shapesOf(schema);
  return () => (data: unknown) => {
    const parsed = schema.safeParse(data);
    if (!parsed.success) return { error: faultOf(parsed.error.issues, data, shapes, codeOf) };
    try {
      const read = shapes.find(({ required }) => required.every((name) => Object.hasOwn(data as object, name)))!.read;
      refuseUnread(parsed.data as object, read);
      return { value: parsed.data };
    } catch (error) {
      return { error: error as Error };
    }
  };
}

function faultOf(
  issues: readonly z.core.$ZodIssue[],
  data: unknown,
  shapes: readonly Shape[],
  codeOf: Partial<Record<Clear["kind"], FaultCode>>,
): RequestFault {
  const given = typeof data === "object" && data !== null ? Object.keys(data) : [];
  if (shapes.length > 1 && !given.some((name) => shapes.some(({ required }) => required.includes(name)))) {
    const wanted = shapes.map(({ required }) => required.join(" and ")).join(", or ");
    const got = given.slice(0, 8).map((name) => JSON.stringify(name.slice(0, 40)));
    return new RequestFault("validation", `body: expected ${wanted}, got ${got.join(", ") || "no field"}`);
  }
  const { path, message, kind } = clearest(issues);
  const field = fieldPath(path);
  const code = codeOf[kind] ?? (kind === "too_many" ? "too_large" : "validation");
  return new RequestFault(code, `${field || "body"}: ${message}`, { field: field || undefined });
}

interface Clear {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** `too_many` items, an `empty` list or text, or any other `fault`. */
  readonly kind: "too_many" | "empty" | "fault";
  readonly issues: number;
  /** Fields that are not there. */
  readonly missing: number;
}

function kindOf(issue: z.core.$ZodIssue): Clear["kind"] {
  if (issue.code === "too_big" && issue.origin === "array" && issue.exact !== true) return "too_many";
  return issue.code === "too_small" && (issue.origin === "array" || issue.origin === "string") ? "empty" : "fault";
}

const isMissing = (issue: z.core.$ZodIssue): boolean =>
  issue.code === "invalid_union"
    ? issue.errors.some((errors) => errors.some(isMissing))
    : issue.code === "invalid_type" && issue.message.endsWith("undefined");

/**
 * The first issue; of a union that of the alternative the request comes closest to: the one with the fewest fields
 * missing, then the deepest, then the one with the fewest issues.
 */
function clearest(issues: readonly z.core.$ZodIssue[]): Clear {
  const [issue] = issues;
  const { path } = issue;
  const plain = {
    path,
    message: issue.message.replace(/^(Invalid input|Too small|Too big): /, ""),
    kind: kindOf(issue),
    issues: issues.length,
    missing: issues.filter((one) => one.path.length === 1 && isMissing(one)).length,
  };
  if (issue.code === "unrecognized_keys")
    return { ...plain, path: [...path, issue.keys[0]], message: "expected no such field" };
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return plain;
  const alternatives = issue.errors
    .filter((errors) => errors.length > 0)
    .map(clearest)
    .sort((a, b) => a.missing - b.missing || b.path.length - a.path.length || a.issues - b.issues);
  const [best] = alternatives;
  const counted = { issues: issues.length - 1 + best.issues, missing: plain.missing };
  if (best.path.length > 0) return { ...best, ...counted, path: [...path, ...best.path] };
  const said = alternatives.find(({ kind }) => kind !== "fault") ?? best;
  const message = said === best ? [...new Set(alternatives.map((one) => one.message))].join("; or ") : said.message;
  return { ...said, ...counted, path, message };
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
    if (!(error instanceof RowFault)) throw error;
    const message = error.message.replace(/; (save the file|remove one).*$/, "");
    throw new RequestFault(error.reason === "not_an_object" ? "validation" : "malformed", message);
  }
}
