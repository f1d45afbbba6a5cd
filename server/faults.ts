// What a request may fail with, before it takes the shape of a dialect.

/** `code` is the kind; each has one HTTP status. */
export const STATUS = {
  malformed: 400,
  empty: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  busy: 409,
  too_large: 413,
  media_type: 415,
  validation: 422,
  tokenizer: 422,
  overloaded: 429,
  engine: 500,
  not_finite: 500,
  unavailable: 503,
  timeout: 503,
} as const;
export type FaultCode = keyof typeof STATUS;

export interface FaultDetails {
  /** Path of the field at fault, such as `pairs[0].chosen`. */
  readonly field?: string;
  /** Seconds after which another try makes sense. */
  readonly retryAfter?: number;
  /** Methods that the path knows. */
  readonly allow?: string;
}

/** A request that gets no scores, and why. */
export class RequestFault extends Error {
  override readonly name = "RequestFault";

  constructor(
    readonly code: FaultCode,
    message: string,
    readonly details: FaultDetails = {},
  ) {
    super(message);
  }
}

/** `["pairs", 0, "chosen"]` as `pairs[0].chosen`. */
export const fieldPath = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, part) =>
      typeof part === "number" ? `${text}[${part}]` : text === "" ? String(part) : `${text}.${String(part)}`,
    "",
  );
