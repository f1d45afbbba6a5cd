// Sources: the file list of tensorflow and tensorflow-cpu 2.21.0 on PyPI (which platforms have which wheel).
import { describe, expect, test } from "vitest";
import { checkNode, chooseTensorFlow, findCompiler, findPython } from "../../scripts/setup/machine.mjs";

const laptop = { platform: "linux", arch: "x64", glibc: "2.36", gpu: false, env: {} };

describe("chooseTensorFlow", () => {
  test("takes the CPU build on x64, the CUDA one beside an NVIDIA GPU, the only one on arm64", () => {
    expect(chooseTensorFlow(laptop)).toMatchObject({
      requirement: "tensorflow-cpu==2.21.0",
      platform: "manylinux_2_27_x86_64",
      cuda: false,
    });
    expect(chooseTensorFlow({ ...laptop, gpu: true })).toMatchObject({ requirement: "tensorflow==2.21.0", cuda: true });
    const arm = chooseTensorFlow({ ...laptop, arch: "arm64", gpu: true });
    expect(arm).toMatchObject({ requirement: "tensorflow==2.21.0", platform: "manylinux_2_27_aarch64", cuda: false });
    expect(arm.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  test("follows the user's word", () => {
    expect(chooseTensorFlow({ ...laptop, gpu: true, env: { RB_CUDA: "0" } }).cuda).toBe(false);
    expect(chooseTensorFlow({ ...laptop, env: { RB_CUDA: "1" } }).cuda).toBe(true);
    expect(chooseTensorFlow({ ...laptop, env: { RB_NATIVE: "0" } }).none).toContain("RB_NATIVE");
  });

  test("says why there is none", () => {
    expect(chooseTensorFlow({ ...laptop, platform: "darwin" }).none).toContain("darwin");
    expect(chooseTensorFlow({ ...laptop, arch: "ia32" }).none).toContain("ia32");
    expect(chooseTensorFlow({ ...laptop, glibc: "2.19" }).none).toContain("2.19");
    expect(chooseTensorFlow({ ...laptop, glibc: undefined }).none).toContain("another C library"); // musl
  });
});

/** Answers like spawnSync: what each program prints, and its exit status. */
const machine = (programs: Record<string, [number, string]>) => (name: string) =>
  name in programs ? { status: programs[name][0], stdout: programs[name][1] } : { status: null, stdout: null };

describe("findPython", () => {
  test("skips one that is too old", () => {
    const run = machine({ python3: [0, "3.9.2\n"], "python3.12": [0, "3.12.1\n"] });
    expect(findPython({}, run)).toEqual({ program: "python3.12", version: "3.12.1" });
  });

  test("compares numbers, not digits: 3.9 is older than 3.10", () => {
    expect(() => findPython({}, machine({ python3: [0, "3.9.18"] }))).toThrow(
      /expected Python 3\.10 or newer, found 3\.9\.18/,
    );
    expect(findPython({}, machine({ python3: [0, "3.10.0"] })).version).toBe("3.10.0");
  });

  test("names Debian's package when venv is missing", () => {
    const failure = catchIt(() => findPython({}, machine({ python3: [1, "3.11.2\n"] })));
    expect(failure.message).toContain("venv");
    expect(failure.remedy).toContain("apt-get install python3.11-venv");
  });

  test("takes only RB_PYTHON where it is set", () => {
    const run = machine({ python3: [0, "3.12.0"], other: [0, "3.13.0"] });
    expect(findPython({ RB_PYTHON: "other" }, run).program).toBe("other");
    expect(() => findPython({ RB_PYTHON: "absent" }, run)).toThrow(/found none/);
  });
});

test("checkNode names the version to install", () => {
  expect(checkNode("20.19.0")).toBe("20.19.0");
  expect(checkNode("24.1.0")).toBe("24.1.0");
  expect(catchIt(() => checkNode("20.9.1")).remedy).toContain("20.19");
});

test("findCompiler falls through to clang++ and to none", () => {
  expect(findCompiler({}, machine({ "clang++": [0, "16.0.6\n"] }))).toEqual({ program: "clang++", version: "16.0.6" });
  expect(findCompiler({}, machine({}))).toBeNull();
});

function catchIt(run: () => unknown): { message: string; remedy: string } {
  try {
    run();
  } catch (error) {
    return error as { message: string; remedy: string };
  }
  throw new Error("expected a failure");
}
