// The command itself, and its list of what is missing against each missing part.
import { expect, test } from "vitest";
import { diagnose, findMissing } from "../../cli/doctor";

const whole = {
  python: "3.11.2",
  jupyterlab: "4.6.6",
  backend: {
    name: "tensorflow",
    version: "2.21.0",
    threads: 2,
    gpu: null,
    gpuReason: "no driver",
    bf16: true,
    kernels: "avx2",
    compiled: true,
  },
  browser: "/usr/bin/chromium",
  default_encoder: true,
} as const;

test("names each missing part with its remedy, and nothing else", () => {
  expect(findMissing(whole)).toEqual([]);
  expect(findMissing({ ...whole, browser: null })).toEqual([
    { what: expect.stringContaining("browser"), remedy: expect.stringContaining("apt-get install chromium") },
  ]);
  expect(findMissing({ ...whole, backend: { ...whole.backend, name: "wasm" } })[0].remedy).toContain("npm run setup");
  expect(findMissing({ ...whole, python: null, jupyterlab: null, default_encoder: false })).toHaveLength(3);
});

test("measures the machine", async () => {
  const diagnosis = await diagnose();
  expect(diagnosis.node).toBe(process.versions.node);
  expect(diagnosis.gemm_gflops.f32).toBeGreaterThan(0.1);
  expect(diagnosis.backend.threads).toBeGreaterThan(0);
});
