import { defineConfig } from "vitest/config";

// Side by side with Python's transformers, peft and TRL: see scripts/reference.mjs.
export default defineConfig({
  test: {
    include: ["tests/compat/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    env: { TF_CPP_MIN_LOG_LEVEL: "3" },
  },
});
