// In: a run's configuration file. Out: one line: how long the notebooks will take on this machine. A process of its own, so that
// its backend's memory is gone before the first notebook starts.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { inRoot } from "./setup/steps.mjs";

const require = createRequire(inRoot("package.json"));
const { initBackend } = require(inRoot("dist/lib/engine/backend.js"));
const { expectedSeconds, inWords } = require(inRoot("dist/lib/notebooks/expectedTime.js"));
const { speedFor } = require(inRoot("dist/lib/notebooks/opening.js"));
const { resolveNotebookConfig } = require(inRoot("dist/lib/notebooks/support.js"));

await initBackend();
const config = resolveNotebookConfig(JSON.parse(readFileSync(process.argv[2], "utf8")));
const { gflops, precision } = speedFor(config);
const seconds = expectedSeconds(config, gflops);
if (seconds) {
  const total = Object.values(seconds).reduce((sum, one) => sum + one, 0);
  const training = inWords(seconds["03_train_reward_model"]);
  console.log(
    `about ${inWords(total)} on this machine, ${training} of them training (matrix products: ${gflops.toFixed(0)} GFLOP/s, ${precision})`,
  );
}
if (config.missingModel)
  console.log(
    `the preset's model ${config.missingModel} is not here: the default encoder takes its place (npx rewardbook pull ${config.missingModel} fetches it)`,
  );
