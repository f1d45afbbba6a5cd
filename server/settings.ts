// In: the flags of `rewardbook serve`. Out: what the server may do and how much it takes on.
import { z } from "zod";
import { UsageError } from "../lib/errors";

const count = (fallback: number, meaning: string) => z.number().int().positive().default(fallback).describe(meaning);
const seconds = (fallback: number, meaning: string) => z.number().positive().default(fallback).describe(meaning);

/** Every flag of the server beside the checkpoint: meaning, unit, default. */
export const serverSchema = z.strictObject({
  host: z
    .string()
    .min(1)
    .default("127.0.0.1")
    .describe("address to listen on; beyond loopback a key is required (RB_API_KEY)"),
  port: z.number().int().min(0).max(65535).default(8000).describe("port; 0 takes a free one"),
  precision: z
    .enum(["f32", "bf16"])
    .default("f32")
    .describe("matrix products; with bf16 scores move by about 1e-3 with what they are batched with"),
  max_body_bytes: count(2_000_000, "largest request body"),
  max_items: count(128, "most texts of one request"),
  max_request_tokens: count(65_536, "most tokens of one request, after cutting"),
  max_batch_tokens: count(4096, "tokens of one graph run; a longer text is refused"),
  max_queue_items: count(512, "texts in flight; beyond it 429"),
  max_queue_bytes: count(64_000_000, "bytes of request bodies in flight; beyond it 429"),
  max_wait_seconds: seconds(1, "longest estimated wait in the queue; beyond it 429"),
  batch_wait_ms: z
    .number()
    .min(0)
    .default(4)
    .describe("how long a text waits for others before a graph run that is not full"),
  request_seconds: seconds(60, "longest time for a request; beyond it 503"),
});
export type ServerSettings = z.output<typeof serverSchema> & {
  readonly checkpoint: string;
  /** Empty where none is required. */
  readonly apiKey: string;
};

const LOOPBACK = new Set(["localhost", "127.0.0.1", "::1", "[::1]"]);
export const isLoopback = (host: string): boolean => LOOPBACK.has(host) || /^127\.\d+\.\d+\.\d+$/.test(host);

/**
 * Settings from flags; the key comes from the environment alone, since a command line is visible to every user of the machine.
 *
 * @throws UsageError for a value out of range, or an open address without a key
 */
export function readServerSettings(
  checkpoint: string,
  given: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ServerSettings {
  const parsed = serverSchema.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UsageError(`serve: ${issue.path.join(".") || "flags"}: ${issue.message}; see rewardbook serve --help`);
  }
  const apiKey = environment.RB_API_KEY ?? "";
  if (apiKey === "" && !isLoopback(parsed.data.host))
    throw new UsageError(
      `serve: expected a key in RB_API_KEY to listen on ${parsed.data.host}, got none; ` +
        "set one (openssl rand -hex 32), or listen on 127.0.0.1",
    );
  return { ...parsed.data, checkpoint, apiKey };
}
