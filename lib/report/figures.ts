// Every figure by one import: pure functions from data to a Plotly figure with a text alternative.
export { COLORS, emptyFigure, percent, type Figure } from "./figure";
export * from "./figuresTraining";
export * from "./figuresAccuracy";
export * from "./figuresCalibration";
export * from "./figuresRewards";
export * from "./figuresCost";
export * from "./figuresCompare";
