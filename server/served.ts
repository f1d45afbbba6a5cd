// In: the server's settings. Out: the model being served; it can be swapped for what its directory holds now, and comes back after a crash.
import { RequestFault } from "./faults";
import { startEngine, type Engine } from "./engine";
import type { BatchReport, ItemScore, Job, ModelFacts } from "./messages";
import type { ServerSettings } from "./settings";

export interface ServedModel {
  /** Null while there is none: after a crash. */
  current(): Engine | null;
  score(job: Omit<Job, "id">, signal: AbortSignal): Promise<readonly ItemScore[]>;
  /**
   * Loads the directory again beside the running model, which answers until the new one is ready and then finishes what it has.
   *
   * @throws RequestFault when a reload is under way; as the checkpoint deserves, and then the old model stays
   */
  reload(): Promise<{ previous: ModelFacts | null; model: ModelFacts }>;
  stop(): Promise<void>;
}

const RESTART_SECONDS = [0.5, 2, 5, 15];

export interface ServedEvents {
  onBatch(batch: BatchReport): void;
  onReady(engine: Engine): void;
  onCrash(message: string): void;
}

/** @throws as `startEngine` when the first process does not get ready */
export async function serveModel(settings: ServerSettings, events: ServedEvents): Promise<ServedModel> {
  let current: Engine | null = null;
  let stopped = false;
  let reloading = false;

  const adopt = (engine: Engine): void => {
    current = engine;
    events.onReady(engine);
    void engine.ended.then(() => {
      if (stopped || current !== engine) return;
      current = null;
      events.onCrash("the scoring process ended");
      void restart(0);
    });
  };

  async function restart(attempt: number): Promise<void> {
    const seconds = RESTART_SECONDS[Math.min(attempt, RESTART_SECONDS.length - 1)];
    await new Promise((resolve) => setTimeout(resolve, 1000 * seconds).unref());
    if (stopped || current) return;
    try {
      const engine = await startEngine(settings, events.onBatch);
      if (stopped || current) return void engine.retire();
      adopt(engine);
    } catch (error) {
      events.onCrash((error as Error).message);
      void restart(attempt + 1);
    }
  }

  adopt(await startEngine(settings, events.onBatch));
  return {
    current: () => current,
    score: (job, signal) => {
      if (!current) throw new RequestFault("unavailable", "no model is loaded at the moment", { retryAfter: 5 });
      return current.score(job, signal);
    },
    reload: async () => {
      if (reloading) throw new RequestFault("busy", "a reload is under way", { retryAfter: 5 });
      reloading = true;
      try {
        const engine = await startEngine(settings, events.onBatch);
        const previous = current;
        adopt(engine);
        void previous?.retire();
        return { previous: previous?.model ?? null, model: engine.model };
      } finally {
        reloading = false;
      }
    },
    stop: async () => {
      stopped = true;
      await current?.retire();
    },
  };
}
