// In: the TypeScript sources. Out: the compiled library, made anew only where a source has changed.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { command, digest, inRoot } from "./steps.mjs";

const FOLDERS = ["lib", "synthetic", "cli", "server", "remote", "bench"];
const text = (file) => readFileSync(inRoot(file), "utf8");

function sources() {
  const files = FOLDERS.filter((folder) => existsSync(inRoot(folder))).flatMap((folder) =>
    readdirSync(inRoot(folder), { recursive: true }).map((file) => path.join(folder, file)),
  );
  return ["tsconfig.json", ...files.filter((file) => file.endsWith(".ts")).sort()].flatMap((file) => [
    file,
    text(file),
  ]);
}

/** A step of set-up; the kernel takes it too, when it starts. */
export const compiledLibrary = {
  name: "compiled library",
  needs: ["npm packages"],
  inputs: () => digest(sources()),
  outputs: ["dist/lib/index.js"],
  run: () =>
    command(process.execPath, [inRoot("node_modules/typescript/bin/tsc"), "-b"], {
      remedy: "mend the lines named above; `npm run build` shows all of them",
    }),
};
