import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A folder that goes away after the tests of the file, and a way to put files there. */
export function scratch() {
  const directory = mkdtempSync(join(tmpdir(), "rewardbook-pairs-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const write = (name: string, content: string | Buffer): string => {
    const path = join(directory, name);
    writeFileSync(path, content);
    return path;
  };
  const lines = (name: string, rows: readonly unknown[]): string =>
    write(name, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return { directory, write, lines };
}

export const golden = (...parts: string[]): string => join(__dirname, "..", "goldens", "pairs", ...parts);

/** The message of what a promise is rejected with. */
export async function failure(work: Promise<unknown>): Promise<{ name: string; message: string }> {
  try {
    await work;
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected a failure, got none");
}

/** One message of each role. */
export const user = (content: string) => ({ role: "user", content });
export const system = (content: string) => ({ role: "system", content });
export const assistant = (content: string) => ({ role: "assistant", content });
