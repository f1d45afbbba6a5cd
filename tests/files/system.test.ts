// What the system refuses is an error of one line with the remedy (exit 1), before the work is done; 70 is for faults of ours.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { link } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { checkMemory } from "../../lib/engine/memory";
import { InputError } from "../../lib/errors";
import { linkOrCopy, writeFileAtomically } from "../../lib/files/atomic";
import { recoverDirectory, writeDirectoryAtomically } from "../../lib/files/directory";
import { systemFault } from "../../lib/files/systemError";

const scratch = mkdtempSync(join(tmpdir(), "system-"));
afterAll(() => rmSync(scratch, { recursive: true }));
const pairs = join(scratch, "pairs.jsonl");
writeFileSync(
  pairs,
  Array.from({ length: 12 }, (_, i) => JSON.stringify({ prompt: `p${i}`, chosen: `a${i}`, rejected: `b${i}` })).join(
    "\n",
  ),
);

const refusal = (code: string, more: object = {}) =>
  Object.assign(new Error(code), { code, syscall: "write", ...more });

describe("an errno", () => {
  test.each(["ENOSPC", "EDQUOT", "EACCES", "EROFS", "ENOENT", "ENAMETOOLONG", "EMFILE", "EIO", "ENOTDIR"])(
    "%s is the input's error, with the path and a remedy",
    (code) => {
      const fault = systemFault(refusal(code, { path: "/a/b" }))!;
      expect(fault).toBeInstanceOf(InputError);
      expect(fault.message).toMatch(/^\/a\/b: .+; .+$/);
    },
  );
  test("says that a folder cannot be made, where Node's recursive way only finds none", () =>
    expect(systemFault(refusal("ENOENT", { path: "/ro/a", syscall: "mkdir" }))!.message).toMatch(
      /^\/ro\/a: the folder cannot be made there; /,
    ));
  test("is none where Node or this project is at fault", () => {
    expect(systemFault(new TypeError("x"))).toBeNull();
    expect(systemFault(Object.assign(new Error(), { code: "ERR_INVALID_ARG_TYPE" }))).toBeNull();
  });
});

describe("a command ends with 1 and one line", () => {
  const run = (args: string[], { shell = "", env = {} }: { shell?: string; env?: object } = {}) => {
    const quoted = args.map((arg) => `'${arg}'`).join(" ");
    const { stderr, status } = spawnSync("bash", ["-c", `${shell} node bin/rewardbook.cjs ${quoted}`], {
      encoding: "utf8",
      env: { ...process.env, ...env },
    });
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/^[^\n]+: [^\n]+; [^\n]+\n$/) });
    return stderr;
  };
  const score = (out: string) => ["score", "--checkpoint", "/nowhere", "--input", pairs, "--out", out];

  test("where the output is a folder, under a file, or too long a name: before the model is looked for", () => {
    expect(run(score(scratch))).toContain("folder");
    expect(run(score(join(pairs, "x.jsonl")))).toContain("a part of the path is a file");
    expect(run(score(join(scratch, "x".repeat(300))))).toContain("too long");
    expect(run(["evaluate", "--checkpoint", "/nowhere", "--pairs", pairs, "--out", "/proc/x/y.json"])).toContain(
      "/proc/x",
    );
    expect(run(["rerank", "--checkpoint", "/nowhere", "--input", pairs, "--out", scratch])).toContain(scratch);
  });
  test.runIf(existsSync("/dev/full"))(
    "where what it prints has no room: no trace; where only its progress has none, with 0",
    () => {
      const out = join(scratch, "few.jsonl");
      const words = `node bin/rewardbook.cjs generate --questions 3 --seed 1 --out '${out}'`;
      const under = (streams: string) => spawnSync("bash", ["-c", `${words} ${streams}`], { encoding: "utf8" });
      expect(under(">/dev/full")).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/^standard output: no space is left[^\n]*\n$/),
      });
      expect(under("2>/dev/full")).toMatchObject({ status: 0, stdout: expect.stringContaining("few.jsonl") });
    },
  );
  test("where two outputs are one file: usage", async () => {
    const out = join(scratch, "both.json");
    const words = [
      "evaluate",
      "--checkpoint",
      "/nowhere",
      "--pairs",
      pairs,
      "--out",
      out,
      "--scores",
      `${scratch}/./both.json`,
    ];
    expect(spawnSync("node", ["bin/rewardbook.cjs", ...words], { encoding: "utf8" })).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/both\.json: expected a file for each output/),
    });
  });
  test("where a file would be larger than the limit", () =>
    // as a full disk: the write is refused in the middle (a signal is left out of account by Node)
    expect(
      run(["generate", "--out", join(scratch, "big.jsonl"), "--questions", "400"], { shell: "ulimit -f 64;" }),
    ).toContain("ulimit -f"));
  test("where there is too little memory, before TensorFlow would end the process", () => {
    const args = [
      "score",
      "--checkpoint",
      "models/all-MiniLM-L6-v2",
      "--input",
      pairs,
      "--out",
      join(scratch, "s.jsonl"),
    ];
    expect(run(args, { shell: "ulimit -v 2200000;" })).toMatch(/^memory: .*address space.*ulimit -v/);
  });
  test("where TMPDIR is not there", () => {
    const args = ["train", "--pairs", pairs, "--run", "no-tmp", "--max-steps", "1", "--gate", "off"];
    const said = spawnSync("node", [join(process.cwd(), "bin/rewardbook.cjs"), ...args], {
      cwd: scratch,
      encoding: "utf8",
      env: { ...process.env, TMPDIR: "/nowhere/tmp" },
    });
    expect({ status: said.status, stderr: said.stderr }).toEqual({
      status: 1,
      stderr: expect.stringContaining("set TMPDIR"),
    });
    expect(said.stderr).not.toContain("our fault");
  });
});

test("memory is judged by what is left", () => {
  const room = { free: 1e9, addresses: 5e9 };
  expect(() => checkMemory("x", { free: 0.9e9, addresses: 4e9 }, room)).not.toThrow();
  expect(() => checkMemory("x", { free: 2e9 }, room)).toThrow("expected 2.0 GB free for x, got 1.0 GB");
  expect(() => checkMemory("x", { addresses: 6e9 }, room)).toThrow("ulimit -v");
});

describe("names of up to 255 bytes", () => {
  const long = "é".repeat(125) + ".json";
  test("are written, and leave nothing beside them", async () => {
    const path = join(scratch, "long", long);
    await writeFileAtomically(path, "{}");
    expect(readFileSync(path, "utf8")).toBe("{}");
    const dir = join(scratch, "long", "d".repeat(255));
    for (const text of ["one", "two"])
      await writeDirectoryAtomically(dir, async (to) => writeFileSync(join(to, "f"), text));
    await recoverDirectory(dir);
    expect(readFileSync(join(dir, "f"), "utf8")).toBe("two");
  });
});

describe("a file that gets a second name", () => {
  const from = join(scratch, "weights");
  writeFileSync(from, "weights");
  test("is linked where links can be", async () => {
    await linkOrCopy(from, join(scratch, "linked"));
    expect(statSync(join(scratch, "linked")).ino).toBe(statSync(from).ino);
  });
  test.each(["EPERM", "EXDEV", "ENOTSUP", "EMLINK", "EOPNOTSUPP"])(
    "is copied where link() answers %s",
    async (code) => {
      const to = join(scratch, code);
      await linkOrCopy(from, to, () => Promise.reject(refusal(code)));
      expect(readFileSync(to, "utf8")).toBe("weights");
      expect(statSync(to).ino).not.toBe(statSync(from).ino);
    },
  );
  test("is an error where nothing can be written", async () => {
    await expect(linkOrCopy(from, join(scratch, "x"), () => Promise.reject(refusal("ENOSPC")))).rejects.toThrow(
      "ENOSPC",
    );
    await expect(linkOrCopy(join(scratch, "none"), join(scratch, "x"), link)).rejects.toThrow("ENOENT");
    expect(existsSync(join(scratch, "x"))).toBe(false);
  });
});

// As root every folder can be written.
test.skipIf(process.getuid?.() === 0)("a folder that may not be written", async () => {
  const dir = join(scratch, "closed");
  mkdirSync(dir);
  chmodSync(dir, 0o500);
  await expect(writeFileAtomically(join(dir, "x"), "")).rejects.toThrow("access is denied");
});
