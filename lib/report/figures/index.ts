// Every figure by one import: pure functions from data to a Plotly figure with a text alternative.
export { percent } from "../../wording";
export { COLORS, emptyFigure, type Figure } from "./figure";
export * from "./training";
export * from "./validation";
export * from "./accuracy";
export * from "./calibration";
export * from "./rewards";
export * from "./cost";
export * from "./compare";
