import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { verifyDirectory, writeFileAtomically } from "../../lib/files/atomic";
import { recoverDirectory, requireReplaceable, writeDirectoryAtomically } from "../../lib/files/directory";
import { findVerified } from "../../lib/checkpoints/checkpoint";

const root = mkdtempSync(join(tmpdir(), "atomic-"));
afterAll(() => rmSync(root, { recursive: true }));
let scratch: string, target: string;
beforeEach(() => {
  scratch = mkdtempSync(join(root, "case-"));
  target = join(scratch, "last");
});
const write = (content: string, dir = target) =>
  writeDirectoryAtomically(dir, async (temporary) => {
    writeFileSync(join(temporary, "model.safetensors"), content);
    mkdirSync(join(temporary, "inner"));
    writeFileSync(join(temporary, "inner", "state.json"), "{}");
  });
const content = (dir = target) => readFileSync(join(dir, "model.safetensors"), "utf8");
const DEAD = 2 ** 22 + 1; // above Linux' largest process id
const leave = (kind: string) => join(scratch, `.last.${kind}-${DEAD}-00000000`);

describe("writeDirectoryAtomically", () => {
  it("leaves nothing but the directory, and a manifest with the sha256 of every file", async () => {
    await write("one");
    await write("two");
    expect(readdirSync(scratch)).toEqual(["last"]);
    // sha256("two"): printf two | sha256sum
    expect(JSON.parse(readFileSync(join(target, "manifest.json"), "utf8")).files["model.safetensors"]).toEqual({
      bytes: 3,
      sha256: "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3",
    });
    expect([content(), await verifyDirectory(target)]).toEqual(["two", null]);
  });

  it("keeps the old directory when the new one fails", async () => {
    await write("one");
    await expect(
      writeDirectoryAtomically(target, async () => {
        throw new Error("disk full");
      }),
    ).rejects.toThrow("disk full");
    expect([content(), readdirSync(scratch)]).toEqual(["one", ["last"]]);
  });
});

it("what the system refuses while a directory is written names it, not its hidden sibling; other files keep their names", async () => {
  const fails = (refused: object) =>
    writeDirectoryAtomically(target, async (temporary) => {
      const error = { code: "ENOSPC", syscall: "write", ...(typeof refused === "function" && refused(temporary)) };
      throw Object.assign(new Error("ENOSPC"), error);
    });
  await expect(fails(() => ({}))).rejects.toThrow(`${target}: no space is left`);
  await expect(fails((dir: string) => ({ path: join(dir, "x") }))).rejects.toThrow(`${target}: no space is left`);
  await expect(fails(() => ({ path: "/elsewhere/base.bin" }))).rejects.toMatchObject({ path: "/elsewhere/base.bin" });
});

describe("a folder that holds something else", () => {
  it("is refused, and left as it is", async () => {
    mkdirSync(target);
    writeFileSync(join(target, "thesis.txt"), "years of work");
    await expect(write("new")).rejects.toThrow(/last: expected a new or empty folder.*thesis\.txt/);
    expect([readdirSync(scratch), readdirSync(target)]).toEqual([["last"], ["thesis.txt"]]);
  });

  it("an empty one is taken", async () => {
    mkdirSync(target);
    await write("new");
    expect(content()).toBe("new");
  });

  it("a model's is taken, whoever made it", async () => {
    mkdirSync(target);
    for (const name of ["config.json", "model-00001-of-00002.safetensors"]) writeFileSync(join(target, name), "{}");
    await write("new");
    expect(content()).toBe("new");
  });

  it("of another making is refused where the making is asked for", async () => {
    await write("a checkpoint");
    await expect(requireReplaceable(target, "onnx/")).rejects.toThrow(/earlier one of the same making/);
    await requireReplaceable(target, "inner/");
    await requireReplaceable(join(scratch, "not there"), "onnx/");
  });
});

describe("after a kill", () => {
  it("in the middle of a file, the next one of that name takes away what was left, and nothing else", async () => {
    const torn = `.a.json.writing-${DEAD}-00000000`;
    const others = [`.b.json.writing-${DEAD}-00000000`, `.a.json.writing-${process.ppid}-00000000`];
    for (const name of [torn, ...others]) writeFileSync(join(scratch, name), "half");
    await writeFileAtomically(join(scratch, "a.json"), "{}");
    expect(readdirSync(scratch).sort()).toEqual([...others, "a.json"].sort());
  });

  it("between the two renames, the complete successor takes the name", async () => {
    await write("new");
    renameSync(target, leave("next"));
    await write("old", leave("previous"));
    await recoverDirectory(target);
    expect([content(), readdirSync(scratch)]).toEqual(["new", ["last"]]);
  });

  it("with a torn successor, the predecessor comes back", async () => {
    await write("old");
    renameSync(target, leave("previous"));
    mkdirSync(leave("next"));
    writeFileSync(join(leave("next"), "model.safetensors"), "half");
    await recoverDirectory(target);
    expect([content(), readdirSync(scratch)]).toEqual(["old", ["last"]]);
  });

  it("while writing, the half-written sibling goes and the directory stays", async () => {
    await write("old");
    mkdirSync(leave("next"));
    await recoverDirectory(target);
    expect([content(), readdirSync(scratch)]).toEqual(["old", ["last"]]);
  });

  it("of another process that lives, its work is left alone", async () => {
    await write("old");
    mkdirSync(join(scratch, `.last.next-${process.ppid}-00000000`));
    await recoverDirectory(target);
    expect(readdirSync(scratch).length).toBe(2);
  });

  // Twenty kills at random moments of a process that replaces the directory again and again.
  const compiled = join(__dirname, "..", "..", "dist", "lib", "files", "directory.js");
  it.runIf(existsSync(compiled))("there is always a whole directory", async () => {
    const code = `const {writeDirectoryAtomically:w}=require(${JSON.stringify(compiled)}),fs=require("fs");(async()=>{for(let i=0;;i++){await w(${JSON.stringify(target)},async d=>{
      fs.writeFileSync(d+"/model.safetensors",String(i).repeat(50000));fs.writeFileSync(d+"/step",String(i))});if(i===0)console.log("ready")}})()`;
    let last = -1;
    for (let round = 0; round < 20; round++) {
      const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
      await new Promise((resolve) => child.stdout.once("data", resolve));
      await new Promise((resolve) => setTimeout(resolve, (round * 7) % 40));
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
      await recoverDirectory(target);
      expect(await verifyDirectory(target)).toBeNull();
      last = Number(readFileSync(join(target, "step"), "utf8"));
    }
    expect(last).toBeGreaterThanOrEqual(0);
    expect(readdirSync(scratch)).toEqual(["last"]);
  });
});

describe("verification", () => {
  it.each([
    [
      "a cut file",
      () => truncateSync(join(target, "model.safetensors"), 1),
      "model.safetensors: expected 3 bytes, got 1",
    ],
    [
      "a changed byte",
      () => writeFileSync(join(target, "model.safetensors"), "onE"),
      "model.safetensors: its content is not what was written",
    ],
    ["a lost file", () => rmSync(join(target, "inner"), { recursive: true }), "inner/state.json: missing"],
    ["no manifest", () => rmSync(join(target, "manifest.json")), "manifest.json: missing"],
    ["a torn manifest", () => truncateSync(join(target, "manifest.json"), 9), "manifest.json: unreadable"],
  ])("tells of %s", async (_, damage, expected) => {
    await write("one");
    damage();
    expect(await verifyDirectory(target)).toBe(expected);
  });

  it("findVerified takes the first whole one, whatever the files' times, and names those it skipped", async () => {
    const [a, b, c] = ["a", "b", "c"].map((name) => join(scratch, name));
    for (const [i, dir] of [a, b, c].entries()) {
      await write(`model ${i}`, dir);
      utimesSync(join(dir, "manifest.json"), 1000 - i, 1000 - i); // a copy's times say nothing
    }
    truncateSync(join(c, "model.safetensors"), 2);
    const skipped: string[] = [];
    expect(await findVerified([join(scratch, "none"), c, b, a], (dir, why) => skipped.push(`${dir}: ${why}`))).toBe(b);
    expect(skipped).toEqual([`${c}: model.safetensors: expected 7 bytes, got 2`]);
    expect(await findVerified([c])).toBeNull();
  });
});

it("writeFileAtomically replaces a file and leaves no other", async () => {
  await writeFileAtomically(join(scratch, "a.json"), "1");
  await writeFileAtomically(join(scratch, "a.json"), "2");
  expect([readFileSync(join(scratch, "a.json"), "utf8"), readdirSync(scratch)]).toEqual(["2", ["a.json"]]);
});
