// In: the value of a cell's last expression. Out: its display: a rich one where there is one, else the value as text.
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { inRoot } from "../setup/steps.mjs";

const isObject = (value) => typeof value === "object" && value !== null;
/** Data frames and figures; the library is asked only for these, so that plain values need no library. */
const mayBeShown = (value) =>
  isObject(value) &&
  (typeof value.toMimeBundle === "function" ||
    (Array.isArray(value.columns) && Array.isArray(value.values)) ||
    (Array.isArray(value.data) && isObject(value.layout)));

/** @param display the running cell's writer */
export const createShow = (display) => (value) => {
  const data = mayBeShown(value) ? bundleOf(value) : null;
  if (!data) return console.log(value);
  display({ data, metadata: {}, transient: { display_id: randomBytes(8).toString("hex") } }, false);
};

function bundleOf(value) {
  if (typeof value.toMimeBundle === "function") return value.toMimeBundle();
  return createRequire(inRoot("package.json"))(inRoot("dist/lib/notebooks/display.js")).displayBundle(value);
}
