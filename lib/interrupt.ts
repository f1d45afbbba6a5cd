// In: a long loop. Out: the moment at which the user asked it to stop.

/** The kernel keeps the running loops here and aborts them when the user interrupts it. */
const KERNEL_STOPS = Symbol.for("rewardbook.stops");

const kernelStops = (): Set<AbortController> | undefined =>
  (globalThis as Record<symbol, unknown>)[KERNEL_STOPS] as Set<AbortController> | undefined;

/** Whether a notebook's kernel runs this. */
export const insideKernel = (): boolean => kernelStops() !== undefined;

/** What asked a loop to stop. */
export type StopCause = "SIGINT" | "SIGTERM" | "caller";

/** A stop that a user can ask for; {@link StopRequest.release} ends the listening. */
export interface StopRequest {
  readonly signal: AbortSignal;
  /** What asked: a signal's name, or the caller or kernel; null while nothing has. */
  cause(): StopCause | null;
  release(): void;
}

/**
 * Lets signals, heartbeats and output through.
 *
 * @example
 * ```ts
 * for (const _pair of pairs) await yieldToEvents(); // a signal is heard between two pairs
 * ```
 */
export const yieldToEvents = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Listens for Ctrl-C or the kernel's interrupt, once: the loop should stop after its current step and keep what it has.
 * A second Ctrl-C ends the process as usual.
 *
 * The listener must not be added in the synchronous part of a notebook cell (the end of that part resets the signal's
 * action and the next interrupt would kill the kernel), hence the wait before it.
 *
 * @example
 * ```ts
 * const stop = await listenForStop();
 * while (!stop.signal.aborted) await yieldToEvents(); // one piece of work after another
 * stop.release();
 * ```
 */
export async function listenForStop(outer?: AbortSignal): Promise<StopRequest> {
  const controller = new AbortController();
  const stop = (cause?: unknown) => controller.abort(cause === "SIGINT" || cause === "SIGTERM" ? cause : "caller");
  const ofKernel = kernelStops();
  await yieldToEvents();
  if (ofKernel) ofKernel.add(controller);
  else process.once("SIGINT", stop).once("SIGTERM", stop);
  outer?.addEventListener("abort", stop);
  if (outer?.aborted) stop();
  return {
    signal: controller.signal,
    cause: () => {
      const { aborted, reason } = controller.signal;
      if (!aborted) return null;
      return reason === "SIGINT" || reason === "SIGTERM" ? reason : "caller";
    },
    release: () => {
      ofKernel?.delete(controller);
      process.removeListener("SIGINT", stop).removeListener("SIGTERM", stop);
      outer?.removeEventListener("abort", stop);
    },
  };
}
