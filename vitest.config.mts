import { defineConfig } from "vitest/config";

// TensorFlow cannot live in worker threads: each test file gets a process of its own, two at a time (two cores).
export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    exclude: ["tests/compat/**"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ["default"],
    env: { TF_CPP_MIN_LOG_LEVEL: "3" },
  },
});
