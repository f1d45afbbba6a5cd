import { join } from "node:path";
import { expect, test } from "vitest";
import { placeInProject, projectPath } from "../../lib/files/paths";

test("a place inside the project is told without where the project lies; every other stays as it is", () => {
  expect(placeInProject(projectPath("models", "m"))).toBe(join("models", "m"));
  for (const other of ["models/m", projectPath(), join(projectPath(), "..", "else"), "", "distilbert-base-uncased"])
    expect(placeInProject(other)).toBe(other);
});
