// What lies below the story, for those who look into it: compiler, stores, files. It may change with any version.
export { checkpointsDir, metricsDir, projectPath } from "./files/paths";
export * from "./files/safetensors";
export { compile, type CompiledFunction, type CompileOptions } from "./engine/compile";
export { currentBackend } from "./engine/backend";
export { createScorer, resolvePrecision, toScoredPair, type Scorer } from "./scoring/score";
export { layOutLines } from "./batching/pairArrays";
export { TokenStore } from "./batching/tokenStore";
export { streamRewardModel } from "./models/createModel";
export { readAdapter, writeAdapter } from "./checkpoints/adapter";
export { encoderKey, openEncoderCache, textHash, type EncoderCache } from "./checkpoints/encoderCache";
export { findVerified, verifyCheckpoint } from "./checkpoints/checkpoint";
export { settingsSchema, type RewardbookSettings } from "./checkpoints/settings";
export { createMonitor, type Monitor, type MonitorOptions } from "./training/monitor";
export { openMetricsLog, type MetricsLog } from "./runs/metricsLog";
