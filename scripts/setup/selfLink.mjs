// In: nothing. Out: `import … from "rewardbook"` in cells and `npx rewardbook` in a shell mean this project.
import { lstatSync, rmSync, symlinkSync } from "node:fs";
import { inRoot } from "./steps.mjs";

/** The links; `npm install` takes them away, since no package of the lock file owns them. */
export const SELF_LINKS = [
  { file: "node_modules/rewardbook", target: ".." },
  { file: "node_modules/.bin/rewardbook", target: "../../bin/rewardbook.cjs" },
];

/** Makes the links that are missing. */
export function selfLink() {
  for (const { file, target } of SELF_LINKS) {
    if (lstatSync(inRoot(file), { throwIfNoEntry: false })) continue;
    symlinkSync(target, inRoot(file));
  }
}

/** Makes them anew, wherever they point. */
export function renewSelfLink() {
  for (const { file } of SELF_LINKS) rmSync(inRoot(file), { force: true });
  selfLink();
}
