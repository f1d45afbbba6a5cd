// In: facts about the machine. Out: how to compute on it. Reads nothing itself, so that every case has a test.
import { createHash } from "node:crypto";

export interface Execution {
  /** Element type of the matrix products. */
  readonly precision: "bf16" | "f32";
  /** Whether element-wise ops are fused by XLA. */
  readonly xla: boolean;
}

/**
 * A processor with bf16 instructions: bf16 products and XLA. One without: f32 and XLA, since emulated bf16 is slower than
 * f32. A GPU: bf16 products and TensorFlow's own kernels; XLA would need the CUDA toolchain beside the driver.
 */
export function chooseExecution(machine: { readonly gpu: boolean; readonly bf16: boolean }): Execution {
  return { precision: machine.bf16 ? "bf16" : "f32", xla: !machine.gpu };
}

/**
 * Whether oneDNN may use bf16 instructions: ONEDNN_MAX_CPU_ISA (DNNL_MAX_CPU_ISA before it) can hold it to older ones, and
 * TensorFlow, which asks the processor alone, then ends the process at its first bf16 product.
 */
export function bf16Allowed(env: Readonly<Record<string, string | undefined>>): boolean {
  const limit = env.ONEDNN_MAX_CPU_ISA ?? env.DNNL_MAX_CPU_ISA;
  return !limit || /^(ALL|DEFAULT|AVX512_CORE_(BF16|FP16|AMX\w*)|AVX10_\w+)$/i.test(limit);
}

/** What a processor of x86 can do, by /proc/cpuinfo; Arm's lines are named otherwise. */
const flagsOf = (cpuinfo: string): string[] => /^flags\s*:(.*)$/m.exec(cpuinfo)?.[1].trim().split(/\s+/) ?? [];

/** Whether a processor (text of /proc/cpuinfo) multiplies bfloat16 in hardware. */
export function hasBf16(cpuinfo: string): boolean {
  const flags = flagsOf(cpuinfo);
  return flags.includes("avx512_bf16") || flags.includes("amx_bf16");
}

/**
 * TF_ENABLE_ONEDNN_OPTS, unless the user has set it: TensorFlow itself takes oneDNN's products only where the processor has
 * VNNI, bf16 or AMX, and Eigen's elsewhere, although with AVX2 oneDNN's are the faster ones, too.
 *
 * Reference: DefaultOneDnnPolicy in tensorflow/core/util/util.cc.
 */
export const oneDnnSwitch = (cpuinfo: string, env: Readonly<Record<string, string | undefined>>): string | undefined =>
  env.TF_ENABLE_ONEDNN_OPTS ?? (flagsOf(cpuinfo).includes("avx2") ? "1" : undefined);

/** TF_FORCE_GPU_ALLOW_GROWTH: unless the user says otherwise memory is taken as needed, not the whole GPU at once. */
export const memoryGrowth = (env: Readonly<Record<string, string | undefined>>): string =>
  env.TF_FORCE_GPU_ALLOW_GROWTH ?? "true";

/** The oldest driver that runs CUDA 12 programs (CUDA release notes, minor version compatibility). */
const OLDEST_DRIVER = [525, 60, 13];

/**
 * Whether TensorFlow can use a GPU here, and if not, why.
 *
 * @param facts.driver text of /proc/driver/nvidia/version, null without a driver
 * @param facts.cudaBuild whether the installed TensorFlow library has CUDA kernels
 * @param facts.visibleDevices CUDA_VISIBLE_DEVICES, if set
 */
export function judgeGpu(facts: {
  readonly driver: string | null;
  readonly cudaBuild: boolean;
  readonly visibleDevices?: string;
}): { readonly usable: boolean; readonly reason: string } {
  const no = (reason: string) => ({ usable: false, reason });
  if (facts.driver === null) return no("no NVIDIA driver on this machine");
  if (facts.visibleDevices !== undefined && /^(-1)?$/.test(facts.visibleDevices.trim()))
    return no("CUDA_VISIBLE_DEVICES hides every GPU");
  const version = /\b(\d{3,})\.(\d+)(?:\.(\d+))?\b/.exec(facts.driver);
  if (!version) return no("the NVIDIA driver's version cannot be read");
  const numbers = version.slice(1).map((part) => Number(part ?? 0));
  const differs = numbers.findIndex((n, i) => n !== OLDEST_DRIVER[i]);
  if (differs >= 0 && numbers[differs] < OLDEST_DRIVER[differs])
    return no(
      `NVIDIA driver ${version[0]} is older than ${OLDEST_DRIVER.join(".")}, which CUDA 12 needs; update the driver`,
    );
  if (!facts.cudaBuild) return no("the installed TensorFlow library has no CUDA kernels; run npm run setup -- --gpu");
  return { usable: true, reason: `NVIDIA driver ${version[0]}` };
}

/**
 * Name of the folder of compiled code: one for each processor, library and set of flags, since machine code for another
 * processor could crash and another library's could be wrong.
 */
export function xlaCacheKey(facts: {
  readonly cpuinfo: string;
  readonly library: string;
  readonly flags: string;
}): string {
  const processor = facts.cpuinfo.match(/^(model name|flags)\s*:.*$/gm)?.slice(0, 2) ?? facts.cpuinfo;
  return createHash("sha256")
    .update(JSON.stringify([processor, facts.library, facts.flags]))
    .digest("hex")
    .slice(0, 16);
}
