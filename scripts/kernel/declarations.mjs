// In: what cells declared before and after one that threw. Out: the declarations of the names that exist.

/**
 * The declarations after a cell that stopped half-way: its own of the names it reached, the earlier ones of all others.
 *
 * @param ts the compiler
 * @param reached names that the cell had assigned when it stopped
 */
export function declarationsReached(ts, { before, after, reached }) {
  const kept = [
    ...split(ts, after).filter(({ name, kind }) => kind !== "value" || reached.has(name)),
    ...split(ts, before).filter(({ name, kind }) => kind === "value" && !reached.has(name)),
  ];
  return `${[...new Set(kept.map(({ text }) => text))].join("\n")}\n`;
}

/** Declarations one name at a time: `{name, kind: "value" | "other", text}`; types and imports are `other`. */
function split(ts, text) {
  const file = ts.createSourceFile("declarations.d.ts", text, ts.ScriptTarget.Latest, true);
  return file.statements.flatMap((statement) => {
    const whole = (kind) => ({ name: statement.name?.text ?? "", kind, text: statement.getText(file) });
    if (ts.isVariableStatement(statement)) {
      const { declarations } = statement.declarationList;
      return declarations.map((declaration) => ({
        name: declaration.name.getText(file),
        kind: "value",
        text: `declare let ${declaration.getText(file)};`,
      }));
    }
    const isValue =
      ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement) || ts.isEnumDeclaration(statement);
    return [whole(isValue ? "value" : "other")];
  });
}
