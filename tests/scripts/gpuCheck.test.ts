// The GPU check without a GPU: its refusal, its comparison on the processor against itself, and the report's lines.
import { beforeAll, describe, expect, test } from "vitest";
import { compareWith, compute, gpuLines, requireGpu, timeStep, TOLERANCE, type Computed } from "../../cli/gpuCheck";
import { run } from "../../cli/main";
import { initBackend } from "../../lib/engine/backend";
import { memoryGrowth } from "../../lib/engine/choice";
import { InputError } from "../../lib/errors";

let cpu: Computed;
beforeAll(async () => {
  await initBackend({ backend: "tensorflow" });
  cpu = compute("f32");
});

test("without a GPU: one line with the reason, exit code 1", async () => {
  expect(() => requireGpu({ gpu: null, gpuReason: "no NVIDIA driver on this machine" })).toThrow(InputError);
  expect(() => requireGpu({ gpu: null, gpuReason: "no NVIDIA driver on this machine" })).toThrow(
    /^doctor --gpu: expected an NVIDIA GPU in use, got none: no NVIDIA driver on this machine$/,
  );
  expect(requireGpu({ gpu: "NVIDIA H200", gpuReason: "in use" })).toBe("NVIDIA H200");
  if ((await initBackend()).gpu === null) expect(await run(["doctor", "--gpu"])).toBe(1);
});

test("memory grows as needed unless the user says otherwise", () => {
  expect(memoryGrowth({})).toBe("true");
  expect(memoryGrowth({ TF_FORCE_GPU_ALLOW_GROWTH: "false" })).toBe("false");
  expect(process.env.TF_FORCE_GPU_ALLOW_GROWTH).toBe("true");
});

describe("comparison", () => {
  test("f32 repeats itself, bf16 is near it but not the same", () => {
    expect(compareWith(cpu, compute("f32"), "f32")).toMatchObject({ distance: 0, ok: true });
    const half = compareWith(cpu, compute("bf16"), "bf16");
    expect(half.distance).toBeGreaterThan(1e-4); // its products did run in bf16
    expect(half.ok).toBe(true);
  });

  // Fails when a tolerance is not looked at, or when bf16's is wide enough for a tensor that is lost.
  test("refuses gradients or a loss that are off, and numbers that are none", () => {
    const lost = { ...cpu, gradients: cpu.gradients.map((value, i) => (i < cpu.gradients.length / 8 ? 0 : value)) };
    const scaled = { ...cpu, gradients: cpu.gradients.map((value) => value * (1 + 2 * TOLERANCE.f32.gradients)) };
    const shifted = { ...cpu, loss: cpu.loss * (1 + 2 * TOLERANCE.bf16.loss) };
    const broken = { ...cpu, gradients: cpu.gradients.map((value, i) => (i === 7 ? NaN : value)) };
    expect(compareWith(cpu, lost, "bf16").ok).toBe(false);
    expect(compareWith(cpu, scaled, "f32").ok).toBe(false);
    expect(compareWith(cpu, shifted, "bf16").ok).toBe(false);
    expect(compareWith(cpu, broken, "bf16").ok).toBe(false);
  });
});

test("the report names versions, device, distances and times, and what failed", () => {
  const step = timeStep("f32", { layers: 1, width: 32, heads: 2, vocabulary: 64, rows: 4, tokens: 16 });
  expect(step.best_ms).toBeGreaterThan(0);
  expect(step.tokens_per_second).toBeCloseTo(64000 / step.best_ms, 3);
  const far = compareWith(cpu, { ...cpu, loss: 2 * cpu.loss }, "bf16");
  const report = {
    rewardbook: "0.1.0",
    node: "20.20.0",
    tensorflow: "2.21.0",
    driver: "570.86.15",
    device: "NVIDIA H200",
    memory_growth: "true",
    comparisons: [compareWith(cpu, cpu, "f32"), far],
    step,
    ok: false,
  } as const;
  const text = gpuLines(report).join("\n");
  expect(text).toContain("NVIDIA H200, driver 570.86.15, memory growth true");
  expect(text).toContain("TensorFlow 2.21.0 with CUDA");
  expect(text).toMatch(/f32 .*: ok\nbf16 .*: TOO FAR/);
  expect(text).toMatch(/verdict +the GPU computes something else/);
});
