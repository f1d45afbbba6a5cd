#!/usr/bin/env node
// The command `rewardbook`: the compiled command line, with a word of help where it was not compiled yet.
"use strict";
const { existsSync } = require("node:fs");
const { join } = require("node:path");

const main = join(__dirname, "..", "dist", "cli", "main.js");
if (existsSync(main)) {
  require(main)
    .run(process.argv.slice(2))
    .then((code) => (process.exitCode = code));
} else {
  console.error(
    "rewardbook: expected the compiled command line in dist/cli, found none; run `npm run setup` in the project's folder",
  );
  process.exitCode = 1;
}
