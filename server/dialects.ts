// In: what a request failed with. Out: the answer in the shape that the clients of its dialect read.
import { STATUS, type RequestFault } from "./faults";

/** Whose clients a route speaks to. */
export type Dialect = "rewardbook" | "tei" | "vllm" | "openrlhf";

/** TEI's names (text-embeddings-inference, `router/src/lib.rs`). */
const TEI_TYPES: Partial<Record<RequestFault["code"], string>> = {
  empty: "Empty",
  tokenizer: "Tokenizer",
  overloaded: "Overloaded",
  engine: "Backend",
  not_finite: "Backend",
  unavailable: "Unhealthy",
  timeout: "Unhealthy",
  unauthorized: "Unauthorized",
};

/** OpenAI's names, which vLLM uses. */
const OPENAI_TYPES: Partial<Record<RequestFault["code"], string>> = {
  unauthorized: "AuthenticationError",
  forbidden: "PermissionDeniedError",
  not_found: "NotFoundError",
  overloaded: "RateLimitError",
  engine: "InternalServerError",
  not_finite: "InternalServerError",
  unavailable: "ServiceUnavailableError",
  timeout: "ServiceUnavailableError",
};

/** TEI calls a failed model a failed dependency. */
export const statusOf = ({ code }: RequestFault, dialect: Dialect): number =>
  dialect === "tei" && STATUS[code] === 500 ? 424 : STATUS[code];

export function errorBody(fault: RequestFault, dialect: Dialect): Record<string, unknown> {
  const { code, message, details } = fault;
  if (dialect === "tei") return { error: message, error_type: TEI_TYPES[code] ?? "Validation" };
  if (dialect === "openrlhf") return { detail: message };
  if (dialect === "vllm")
    return {
      error: {
        message,
        type: OPENAI_TYPES[code] ?? "BadRequestError",
        param: details.field ?? null,
        code: STATUS[code],
      },
    };
  return { error: { code, message, ...(details.field !== undefined && { field: details.field }) } };
}
