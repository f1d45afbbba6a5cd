// The choices of backend and precision (every machine's case as text), dropout's masks, and training without TensorFlow.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { initBackend, measureGemm } from "../../lib/engine/backend";
import { bf16Allowed, chooseExecution, hasBf16, judgeGpu, oneDnnSwitch } from "../../lib/engine/choice";
import { compile } from "../../lib/engine/compile";
import { createAdamW } from "../../lib/engine/adamw";
import { dropout } from "../../lib/engine/dropout";
import { batch, bertLike } from "./models";

beforeAll(async () => {
  await initBackend({ backend: "tensorflow" });
});
afterAll(() => tf.setBackend("tensorflow"));

describe("choices", () => {
  it("reads bf16 from /proc/cpuinfo as whole words", () => {
    expect(hasBf16("model name : x\nflags\t\t: fpu avx512_bf16 amx_tile\n")).toBe(true);
    expect(hasBf16("flags : fpu amx_bf16")).toBe(true);
    expect(hasBf16("flags : fpu avx512f avx512_bf16x\n")).toBe(false);
    expect(hasBf16("Features : fp asimd bf16")).toBe(false); // Arm: TensorFlow's kernels there are not ours to promise
    expect(hasBf16("")).toBe(false);
  });

  it("uses no bf16 where the user holds oneDNN to older instructions, where TensorFlow would end the process", () => {
    for (const limit of ["AVX2", "AVX512_CORE", "avx512_core_vnni", "SSE41"])
      expect(bf16Allowed({ ONEDNN_MAX_CPU_ISA: limit })).toBe(false);
    for (const limit of ["ALL", "AVX512_CORE_BF16", "AVX512_CORE_AMX", "AVX10_1_512", ""])
      expect(bf16Allowed({ ONEDNN_MAX_CPU_ISA: limit })).toBe(true);
    expect(bf16Allowed({ DNNL_MAX_CPU_ISA: "AVX2" })).toBe(false);
    expect(bf16Allowed({})).toBe(true);
    const gemm =
      "import('rewardbook').then(async (m) => { await m.initBackend(); process.stdout.write(JSON.stringify(m.measureGemm())); })";
    const child = spawnSync(process.execPath, ["-e", gemm], {
      env: { ...process.env, ONEDNN_MAX_CPU_ISA: "AVX2" },
      encoding: "utf8",
    });
    expect(child.status, child.stderr).toBe(0);
    expect(JSON.parse(child.stdout)).toEqual({ f32: expect.any(Number) as number, bf16: null });
  });

  it("turns oneDNN's products on where TensorFlow would leave them off: with AVX2 and no instructions for networks", () => {
    const zen3 = "flags\t\t: fpu sse4_2 avx f16c avx2 fma vaes\n"; // no avx512_vnni, avx_vnni, avx512_bf16, amx_tile
    expect(oneDnnSwitch(zen3, {})).toBe("1");
    expect(oneDnnSwitch(zen3, { TF_ENABLE_ONEDNN_OPTS: "0" })).toBe("0"); // the user's word
    expect(oneDnnSwitch("flags : fpu sse4_2 avx\n", {})).toBeUndefined();
    expect(oneDnnSwitch("Features : fp asimd bf16\n", {})).toBeUndefined();
    expect(oneDnnSwitch("", {})).toBeUndefined();
    expect(process.env.TF_ENABLE_ONEDNN_OPTS).toBe(oneDnnSwitch(readFileSync("/proc/cpuinfo", "utf8"), {})); // initBackend ran
  });

  it("takes f32 with XLA without bf16 instructions, and TensorFlow's kernels on a GPU", () => {
    expect(chooseExecution({ gpu: false, bf16: true })).toEqual({ precision: "bf16", xla: true });
    expect(chooseExecution({ gpu: false, bf16: false })).toEqual({ precision: "f32", xla: true });
    expect(chooseExecution({ gpu: true, bf16: true })).toEqual({ precision: "bf16", xla: false });
  });

  it.each([
    ["no driver", { driver: null, cudaBuild: true }, false, /no NVIDIA driver/],
    [
      "too old",
      { driver: "NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.82.01  Wed Oct 27", cudaBuild: true },
      false,
      /470\.82\.01 is older than 525\.60\.13/,
    ],
    [
      "just old enough",
      { driver: "NVRM version: NVIDIA UNIX x86_64 Kernel Module  525.60.13  Wed", cudaBuild: true },
      true,
      /525/,
    ],
    [
      "hidden",
      { driver: "Kernel Module  550.54.15", cudaBuild: true, visibleDevices: "-1" },
      false,
      /CUDA_VISIBLE_DEVICES/,
    ],
    ["processor build", { driver: "Kernel Module  550.54.15", cudaBuild: false }, false, /no CUDA kernels/],
    [
      "open module",
      { driver: "NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release", cudaBuild: true },
      true,
      /570/,
    ],
    ["unreadable", { driver: "nouveau", cudaBuild: true }, false, /cannot be read/],
  ] as const)("GPU: %s", (_, facts, usable, reason) => {
    const verdict = judgeGpu(facts);
    expect(verdict.usable).toBe(usable);
    expect(verdict.reason).toMatch(reason);
  });

  it("describes the backend and measures it", async () => {
    const info = await initBackend();
    expect(info).toMatchObject({ name: "tensorflow", compiled: true });
    expect(info.version).toMatch(/^\d+\.\d+/);
    expect(measureGemm().f32).toBeGreaterThan(1);
  });
});

describe("dropout", () => {
  const seed = (a: number, b: number) => tf.tensor1d([a, b], "int32");
  const x = () => tf.ones([64, 100]);

  it("keeps the share and the mean, and repeats with its seed and salt only", () => {
    const [a, b, c, d] = [
      [1, 7, 3],
      [1, 7, 3],
      [2, 7, 3],
      [1, 7, 4],
    ].map(([s, t, salt]) => dropout(x(), 0.25, seed(s, t), salt).dataSync());
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
    expect(a).not.toEqual(d);
    const zeros = a.filter((v) => v === 0).length / a.length;
    expect(Math.abs(zeros - 0.25)).toBeLessThan(0.025); // 4.6 standard deviations
    expect(Math.max(...a)).toBeCloseTo(4 / 3, 6);
  });

  it("makes the same mask in a graph as in eager code, from a seed that is an argument", () => {
    const f = compile((t, s) => dropout(t, 0.5, s as tf.Tensor1D, 9));
    for (const s of [seed(1, 2), seed(3, 4)])
      expect(f(x(), s)[0].dataSync()).toEqual(dropout(x(), 0.5, s, 9).dataSync());
    expect(f.graphs()).toHaveLength(1);
  });
});

describe("WebAssembly", () => {
  it("trains the tiny model to the same losses as TensorFlow's graphs", async () => {
    const losses = async (backend: "tensorflow" | "wasm"): Promise<number[]> => {
      await initBackend({ backend });
      const model = bertLike({ layers: 1, width: 16, heads: 2, inner: 32, vocabulary: 40, scale: 0.3 });
      // the seeded generators of tfjs are the same on every backend
      const [ids, mask] = batch(4, 8, 40);
      const gradients = compile(model.gradients, { precision: "f32" });
      const adamw = createAdamW(model.parameters, {
        weightDecay: 0.01,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        gradClip: 1,
        decays: () => true,
      });
      return Array.from({ length: 8 }, () => {
        const [loss, ...g] = gradients(ids, mask);
        adamw.step(g, 1e-2);
        return loss.dataSync()[0];
      });
    };
    const expected = await losses("tensorflow");
    const got = await losses("wasm");
    expect(got.at(-1)!).toBeLessThan(got[0] - 0.05); // it does learn
    got.forEach((loss, i) => expect(Math.abs(loss / expected[i] - 1)).toBeLessThan(1e-3));
  });
});
