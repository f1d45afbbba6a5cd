// In: what the server does. Out: its figures in Prometheus's text form.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Admission } from "./admission";
import type { BatchReport, ItemScore } from "./messages";

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30];
const BATCH_TOKENS = [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384];

export interface Metrics {
  readonly registry: Registry;
  request(route: string, status: number, seconds: number): void;
  batch(report: BatchReport): void;
  scored(scores: readonly ItemScore[]): void;
  dropped(): void;
  restarted(): void;
  reloaded(): void;
}

export function createMetrics(admission: Admission, ready: () => boolean): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  const requests = new Counter({
    name: "rewardbook_requests_total",
    help: "requests by route and status",
    labelNames: ["route", "status"],
    registers,
  });
  const duration = new Histogram({
    name: "rewardbook_request_seconds",
    help: "time of a request",
    labelNames: ["route"],
    buckets: SECONDS,
    registers,
  });
  const batchSeconds = new Histogram({
    name: "rewardbook_batch_seconds",
    help: "time of a graph run",
    buckets: SECONDS,
    registers,
  });
  const batchTokens = new Histogram({
    name: "rewardbook_batch_tokens",
    help: "tokens of a graph run",
    buckets: BATCH_TOKENS,
    registers,
  });
  const texts = counter("rewardbook_texts_total", "texts scored");
  const tokens = counter("rewardbook_tokens_total", "tokens of the texts scored");
  const truncated = counter("rewardbook_truncated_texts_total", "texts of which tokens were cut off");
  const dropped = counter("rewardbook_dropped_requests_total", "requests whose client went before their scores");
  const restarts = counter("rewardbook_restarts_total", "ends of the scoring process that nobody asked for");
  const reloads = counter("rewardbook_reloads_total", "checkpoints swapped");
  const memory = new Gauge({
    name: "rewardbook_scoring_memory_bytes",
    help: "memory of the scoring process",
    registers,
  });
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  gauge("rewardbook_queue_texts", "texts in flight", () => admission.texts);
  gauge("rewardbook_queue_seconds", "estimated work in flight", () => admission.seconds);
  gauge("rewardbook_ready", "1 while a model is loaded", () => (ready() ? 1 : 0));
  return {
    registry,
    request: (route, status, seconds) => {
      requests.inc({ route, status: String(status) });
      duration.observe({ route }, seconds);
    },
    batch: (report) => {
      batchSeconds.observe(report.ms / 1000);
      batchTokens.observe(report.tokens);
      memory.set(report.memory);
    },
    scored: (scores) => {
      texts.inc(scores.length);
      tokens.inc(scores.reduce((sum, score) => sum + score.tokens, 0));
      truncated.inc(scores.filter(({ cut }) => cut > 0).length);
    },
    dropped: () => dropped.inc(),
    restarted: () => restarts.inc(),
    reloaded: () => reloads.inc(),
  };
}
