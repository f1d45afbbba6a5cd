// In: the path of a JSON file. Out: its value, or an error that names the file.
import { readFileSync } from "node:fs";
import { InputError } from "../errors";

/** @throws InputError when the file is not JSON */
export function readJsonFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new InputError(`${path}: expected JSON, got ${(error as Error).message}; fetch or save the model again`);
  }
}
