// Everything a notebook or a program may import from "rewardbook", in the order of the story: pairs, dataset, loss, training,
// evaluation; then what shows it. What else lies below is in "rewardbook/internal", without a promise.

// Errors a user can mend, randomness with a seed, and the stop of a long loop.
export { InputError, Interrupted, UsageError } from "./errors";
export { createRandom, hashSeed, type Random } from "./random";
export { listenForStop, yieldToEvents, type StopRequest } from "./interrupt";

// 1. Pairs: generated or read, split without a leak.
export { DOMAINS, generatePairs, syntheticProblems } from "../synthetic/synthesise";
export type { CandidateRow, Synthesis, SynthesisOptions, SyntheticPair } from "../synthetic/synthesise";
export { judgeAnswer, withoutFillers } from "../synthetic/judge";
export { answerOf, RATINGS, type Grade } from "../synthetic/answers";
export type { Problem } from "../synthetic/problem";
export type { Message, PreferencePair } from "./pairs/pair";
export { loadPairs, readPairs, type PairStream } from "./pairs/read";
export type { ReadOptions } from "./pairs/reader";
export { readingNotes, type ReadReport } from "./pairs/readReport";
export { writeRejectedRows } from "./pairs/rejectedRows";
export { checkPairs, type CheckOptions } from "./check/check";
export { createNearDuplicateIndex, type NearDuplicateIndex, type NearPair } from "./pairs/duplicates";
export { splitPairs, SPLITS } from "./split";
export { writeSplit, type SplitFiles } from "./pairs/writeSplit";
export type { Leak, Split, SplitName, SplitOptions, SplitStats } from "./split";
export { writeJson, writeJsonLines, writeJsonList } from "./files/write";

// 2. Dataset: what the model reads, as token ids and batches.
export { openTokenizer, type Tokenizer } from "./text/tokenizer";
export type { Encoded, EncodeOptions, TextItem } from "./text/textItem";
export type { Truncation } from "./text/truncate";
export { CHAT_TEMPLATE, DEFAULT_TEMPLATE, renderTemplate } from "./text/template";
export { applyChatTemplate, type ChatTemplateOptions } from "./text/chatTemplate";
export { buildDataset, encodePairs, pairArrays } from "./dataset";
export type { EncodingOptions, PairArrays, PairDataset } from "./dataset";

// 3. Loss: Bradley-Terry with weights, margins, smoothing and centring.
export { pairLoss, pairWeight, type LossKind, type LossOptions, type PairRewards } from "./loss";

// 4. Training: backend, model, run.
export { initBackend, type BackendInfo, type BackendName } from "./engine/backend";
export { measureGemm } from "./engine/gemm";
export { presetNames, resolveConfig, trainingSchema, type TrainingConfig, type TrainingInput } from "./config";
export { findModel } from "./checkpoints/findModel";
export { loadRewardModel, type LoadedModel, type LoadOptions } from "./checkpoints/loadCheckpoint";
export { saveRewardModel, type SaveOptions } from "./checkpoints/saveCheckpoint";
export { pullModel, type PulledModel, type PullOptions } from "./checkpoints/hub";
export { parseModelConfig, type ModelConfig, type ModelType } from "./models/config";
export type { HeadKind } from "./models/configSchemas";
export { createRewardModel } from "./models/createModel";
export { countParameters, parameterShapes, poolInputs, scoreInputs, scorePooled } from "./models/rewardModel";
export type { ModelInputs, RewardModel, ScoreOptions } from "./models/rewardModel";
export { gradualFreeze, trainableNames } from "./models/freeze";
export { attachLora, mergeLora, unmergeLora, type LoraOptions } from "./models/lora";
export { architectureTable, architectureTotals, type ArchitectureRow } from "./models/summary";
export { trainRewardModel, takeStep } from "./training";
export type { TrainingHooks, TrainingProgress, TrainingRequest, TrainingResult } from "./training";
export type { ValidationRecord } from "./training";
export {
  clusterCost,
  DECODER_SHAPES,
  type ClusterCost,
  type ClusterPlan,
  type DecoderShape,
} from "./training/clusterCost";
export { parseSeeds, trainSeeds, type SeedsResult, type SeedsSummary } from "./training/seeds";
export { loadSplit, type SplitData } from "./training/data";
export { trainRemotely } from "../remote/train";
export type { RemoteInput, RemoteTrainingInput } from "../remote/settings";
export { loadTrainedModel } from "./training/model";
export { planUpdates } from "./training/prepare";
export { learningRateAt } from "./training/schedule";
export { createAdamW, type AdamW, type AdamWOptions } from "./engine/adamw";
export type { GateCriterion, GateVerdict, RunMetrics, StepRecord, Warning } from "./runs/records";
export { readRun, type RunRecord } from "./runs/runFiles";
export { writeScores } from "./runs/scoreLines";
export { checkQualityGate, type GateInput } from "./training/gate";

// 5. Evaluation: calibration, accuracy with intervals, mistakes, best of n, a policy that takes the reward.
export { brierScore, calibrationBin, correctness, expectedCalibrationError, negativeLogLikelihood } from "./ece";
export { sigmoid, softplus, symmetricCalibrationError, type Calibration, type CalibrationBins } from "./ece";
export { scorePairs, scoreTexts, type ScoreItem, type ScoringOptions } from "./scoring/score";
export { rewardDeltas, type ScoredPair } from "./scoring/scoredPair";
export { openScoring, type Scoring } from "./scoring/members";
export {
  meanPairs,
  uncertainPairs,
  uncertainScores,
  type UncertainPair,
  type UncertainScore,
} from "./scoring/uncertainty";
export { evaluateScores, originalEvaluation } from "./evaluation/evaluate";
export type { Evaluation, EvaluationOptions, OriginalEvaluation } from "./evaluation/evaluate";
export { compareOutcomeRuns, compareOutcomes, compareScoreRuns, compareScores } from "./evaluation/compare";
export type { CompareOptions, Comparison, PowerToDetect } from "./evaluation/compare";
export { analyseErrors, type ErrorAnalysis, type ErrorCase } from "./evaluation/errorAnalysis";
export { crossFittedDeltas, fitTemperature, type FittedTemperature } from "./evaluation/temperature";
export { lengthBias, type LengthBias } from "./evaluation/lengthBias";
export { preferenceType, type PreferenceType } from "./evaluation/preferenceType";
export { differentWords, wordDiff, type DiffPart } from "./evaluation/wordDiff";
export { binomialTest, clusteredMean, clusteredShare, mcNemar, pairedBootstrap, wilsonInterval } from "./statistics";
export { crossedDifference, crossedMean, detectableDifference, holm, powerOf, promptsNeeded } from "./statistics";
export type { CrossedEstimate, ErrorParts, RunOutcomes } from "./statistics";
export { pearson, spearman, type ClusteredMean, type Interval, type PairedDifference } from "./statistics";
export { evaluateReranking, type Reranking, type RerankOptions } from "./reranking/rerank";
export { readRerankRows, type Candidate, type RerankRow } from "./reranking/rerankRows";
export { expectedBestOf } from "./reranking/bestOfN";
export { candidatesFromPairs, heldOutCandidates } from "./reranking/candidates";
export { rewardBench, type RewardBench1, type RewardBench2 } from "./rewardBench/rewardBench";
export { rewardBenchFiles } from "./rewardBench/rewardBenchFiles";
export { copyPolicy, openPolicy, savePolicy, writeFreshPolicy, type Policy, type PolicyShape } from "./policy/policy";
export { encodeAnswers, encodePrompts, sampleAnswers, type SampledAnswer } from "./policy/sample";
export { createAnswerScorer, type AnswerIds, type AnswerScorer } from "./policy/logProbabilities";
export { dpoLoss, rewardWeights, weightedLikelihoodLoss } from "./policy/losses";
export { fitAnswers, fitPreferences, type AnswerPair, type WeightedAnswer } from "./policy/train";

// What carries it away: the model for Node, Python and the browser.
export { exportOnnx, type ExportedFile, type ExportOptions } from "./export/exportOnnx";
export type { MeasuredCost } from "./export/measuredCost";
export { transformersJs, type OnnxTensor, type TransformersJs } from "./export/runtimes";
export type { TransformersModel, TransformersTokenizer } from "./export/runtimes";

// What shows it: figures, tables, reports, and what notebooks share.
export * from "./report/figures";
export * from "./report/figures/general";
export { runFigures } from "./report/figures/runFigures";
export * from "./report/tables";
export { createLiveDisplay, showBundle, showFigure, showTable } from "./report/show";
export type { AnyFigure, LiveDisplay, MimeBundle } from "./report/show";
export { closePng, renderPng, savePlots, type PngOptions, type SavedPlots } from "./report/png";
export { architectureSummary } from "./report/architectures";
export { modelCard } from "./report/card";
export type { ModelCardOptions } from "./runs/cardOptions";
export { reportHtml, type ReportOptions } from "./report/pages/report";
export { verdictOf, type Verdict } from "./report/verdict";
export { compareRuns, comparisonSentence, powerSentence, type RunComparison } from "./report/comparison";
export * from "./notebooks/support";
export { expectedSeconds, inWords } from "./notebooks/expectedTime";
export { openNotebook, speedFor } from "./notebooks/opening";
export * from "./notebooks/progressBar";
export * from "./notebooks/display";
export type { Bar, LongWorkOptions, Observer } from "./longWork";
export { coloredTokens } from "./notebooks/tokens";
