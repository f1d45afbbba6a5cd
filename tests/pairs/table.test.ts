// The README's table of fields is the one in code.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { acceptedFieldsTable } from "../../lib/pairs/formats/table";
import { projectPath } from "../../lib/files/paths";

it("README: the fields of every format", () => {
  const readme = readFileSync(projectPath("README.md"), "utf8");
  expect(readme).toContain(acceptedFieldsTable());
});
