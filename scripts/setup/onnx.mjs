// In: scripts/onnx. Out: Transformers.js with onnxruntime for Node and the browser in .cache/onnx: what runs exported models.
// Half a gigabyte that Rewardbook itself does not need, so only who asks for it gets it; tests do.
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { command, digest, inRoot } from "./steps.mjs";

const FILES = ["package.json", "package-lock.json"];
const folder = ".cache/onnx";

/** Whether it was asked for: `npm run setup -- --with-onnx`, or RB_ONNX=1. */
export const wantsOnnx = () => process.argv.includes("--with-onnx") || process.env.RB_ONNX === "1";

/** @type {import("./steps.mjs").Step} */
export const onnxRuntimes = {
  name: "ONNX runtimes",
  needs: ["npm packages"],
  optional: true,
  inputs: () => digest(FILES.map((file) => readFileSync(inRoot("scripts/onnx", file), "utf8"))),
  outputs: ["@huggingface/transformers", "@huggingface/tokenizers", "onnxruntime-node", "onnxruntime-web"].map(
    (name) => `${folder}/node_modules/${name}/package.json`,
  ),
  async run() {
    mkdirSync(inRoot(folder), { recursive: true });
    for (const file of FILES) copyFileSync(inRoot("scripts/onnx", file), inRoot(folder, file));
    const npm = process.env.npm_execpath?.endsWith(".js") ? [process.execPath, process.env.npm_execpath] : ["npm"];
    const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    const remedy = "check the network and the npm settings (npm config list), then run again";
    await command(npm[0], [...npm.slice(1), ...args], { cwd: inRoot(folder), remedy });
  },
};
