// Everything a notebook or a program may import from "rewardbook", in the order in which data flows.
export * from "./errors";
export * from "./random";
export * from "./files/paths";
export * from "./config";
export * from "./interrupt";
export * from "./pairs/pair";
export * from "./pairs/read";
export * from "./pairs/rejectedRows";
export * from "./pairs/duplicates";
export * from "../synthetic/synthesise";
export * from "./files/write";
export { judgeAnswer, withoutFillers } from "../synthetic/judge";
export { answerOf, RATINGS, type Grade } from "../synthetic/answers";
export type { Problem } from "../synthetic/problem";
export * from "./split";
export * from "./dataset";
export * from "./text/template";
export * from "./text/chatTemplate";
export * from "./text/tokenizer";
export * from "./engine/backend";
export * from "./engine/compile";
export { MODEL_TYPES, parseModelConfig, type HeadKind, type ModelConfig, type ModelType } from "./models/config";
export {
  countParameters,
  parameterShapes,
  poolInputs,
  scoreInputs,
  scorePooled,
  type ModelInputs,
  type RewardModel,
  type ScoreOptions,
} from "./models/rewardModel";
export { createRewardModel, streamRewardModel } from "./models/createModel";
export { gradualFreeze, trainableNames } from "./models/freeze";
export { attachLora, mergeLora, unmergeLora, type LoraOptions } from "./models/lora";
export * from "./checkpoints/adapter";
export * from "./models/summary";
export * from "./loss";
export * from "./ece";
export * from "./training/monitor";
export * from "./runs/metricsLog";
export * from "./files/safetensors";
export * from "./checkpoints/checkpoint";
export * from "./training";
export * from "./checkpoints/findModel";
export { pullModel, type PulledModel, type PullOptions } from "./checkpoints/hub";
export { encoderKey, openEncoderCache, textHash, type EncoderCache } from "./checkpoints/encoderCache";
export * from "./scoring/score";
export * from "./scoring/scoredPair";
export * from "./evaluation/evaluate";
export * from "./evaluation/compare";
export * from "./evaluation/errorAnalysis";
export * from "./statistics";
export * from "./evaluation/lengthBias";
export * from "./evaluation/preferenceType";
export * from "./evaluation/wordDiff";
export * from "./reranking/rerank";
export * from "./reranking/rerankRows";
export * from "./reranking/candidates";
export { expectedBestOf } from "./reranking/bestOfN";
export { copyPolicy, openPolicy, savePolicy, writeFreshPolicy, type Policy, type PolicyShape } from "./policy/policy";
export { encodeAnswers, encodePrompts, sampleAnswers, type SampledAnswer } from "./policy/sample";
export { createAnswerScorer, type AnswerIds, type AnswerScorer } from "./policy/logProbabilities";
export { dpoLoss, rewardWeights, weightedLikelihoodLoss } from "./policy/losses";
export { fitAnswers, fitPreferences, type AnswerPair, type WeightedAnswer } from "./policy/train";
export * from "./rewardBench/rewardBench";
export * from "./rewardBench/rewardBenchFiles";
export * from "./evaluation/temperature";
export * from "./training/gate";
export * from "./report/figures";
export * from "./report/figures/general";
export * from "./report/tables";
export * from "./report/show";
export * from "./report/png";
export * from "./runs/runFiles";
export { writeScores } from "./runs/scoreLines";
export * from "./report/figures/runFigures";
export { architectureSummary } from "./report/architectures";
export { modelCard } from "./report/card";
export type { ModelCardOptions } from "./runs/cardOptions";
export { loadSplit, type SplitData } from "./training/data";
export { loadTrainedModel } from "./training/model";
export { planUpdates } from "./training/prepare";
export { learningRateAt } from "./training/schedule";
export { createAdamW } from "./engine/adamw";
export { verdictOf, type Verdict } from "./report/verdict";
export { reportHtml, type ReportOptions } from "./report/pages/report";
export * from "./notebooks/support";
export { expectedSeconds, inWords } from "./notebooks/expectedTime";
export { openNotebook, speedFor } from "./notebooks/opening";
export * from "./notebooks/progressBar";
export * from "./notebooks/display";
export type { Bar, LongWorkOptions, Observer } from "./longWork";
export { coloredTokens } from "./notebooks/tokens";
