// In: a cell's text and the cursor. Out: completions, and what is known of the name or call under the cursor.
import { createRequire } from "node:module";
import { inRoot } from "../setup/steps.mjs";

const NEVER_CANCELLED = { isCancellationRequested: () => false, throwIfCancellationRequested: () => {} };
const LARGEST = 8000; // characters of an inspection; a type may print as pages

/** The protocol counts code points, JavaScript UTF-16 units. */
const toUnits = (text, points) => [...text].slice(0, points).join("").length;
const toPoints = (text, units) => [...text.slice(0, units)].length;

/** @param declarations of the earlier cells */
export function createLanguage({ compiler, converter, printQuickInfo, declarations }) {
  const { ts } = compiler;
  const prefix = `export {};${ts.sys.newLine}`;

  const complete = (code, cursor) => {
    const { start, end, candidates } = converter.complete(declarations(), code, toUnits(code, cursor));
    return {
      status: "ok",
      matches: [...new Set(candidates)],
      cursor_start: toPoints(code, start),
      cursor_end: toPoints(code, end),
      metadata: {},
    };
  };

  const inspect = (code, cursor) => {
    const at = toUnits(code, cursor);
    const text = aboutName(code, at) ?? aboutName(code, at - 1) ?? aboutCall(code, at);
    if (!text) return { status: "ok", found: false, data: {}, metadata: {} };
    const shown = text.length > LARGEST ? `${text.slice(0, LARGEST)} …` : text;
    return { status: "ok", found: true, data: { "text/plain": shown }, metadata: {} };
  };

  const sourceFile = () => {
    const program = compiler.program();
    const file = program.getRootFileNames().find((name) => name.endsWith("__tslab__.ts"));
    return { program, file: program.getSourceFile(file) };
  };

  function aboutName(code, at) {
    if (at < 0 || !/[\p{ID_Continue}$]/u.test(code[at] ?? "")) return null;
    const info = converter.inspect(declarations(), code, at);
    if (!info) return null;
    const text = printQuickInfo(info);
    const described = info.documentation?.length ? null : fieldDescription(code, at);
    return described ? `${text}\n\n${described}` : text;
  }

  /** The settings of a run are declared by a schema, which carries their descriptions. */
  function fieldDescription(code, at) {
    const { program, file } = sourceFile();
    const checker = program.getTypeChecker();
    const node = ts.getTouchingPropertyName(file, at + prefix.length);
    const inObject =
      node.parent && (ts.isPropertyAssignment(node.parent) || ts.isShorthandPropertyAssignment(node.parent));
    const object = inObject ? node.parent.parent : null; // a field whose value is not yet written looks like a shorthand
    const symbol =
      (object && checker.getContextualType(object)?.getProperty(node.text)) || checker.getSymbolAtLocation(node);
    const declared = symbol?.declarations?.[0]?.getSourceFile().fileName ?? "";
    if (!/\/dist\/lib\/(config|notebooks\/\w+)\.d\.ts$/.test(declared)) return null;
    return descriptionOf(symbol.name);
  }

  /** The signature of the call around the cursor, its documentation, and the parameter that stands there. */
  function aboutCall(code, at) {
    converter.inspect(declarations(), code, at);
    const { program, file } = sourceFile();
    const help = ts.SignatureHelp.getSignatureHelpItems(
      program,
      file,
      at + prefix.length,
      { kind: "invoked" },
      NEVER_CANCELLED,
    );
    if (!help) return null;
    const item = help.items[help.selectedItemIndex] ?? help.items[0];
    const plain = (parts) => ts.displayPartsToString(parts ?? []);
    const parameters = item.parameters.map(({ displayParts }) => plain(displayParts));
    const signature =
      plain(item.prefixDisplayParts) +
      parameters.join(plain(item.separatorDisplayParts)) +
      plain(item.suffixDisplayParts);
    const parameter = item.parameters[help.argumentIndex];
    return [
      signature,
      plain(item.documentation),
      parameter && [plain(parameter.displayParts), plain(parameter.documentation)].filter(Boolean).join("\n  "),
      ...item.tags.filter(({ name }) => name !== "param").map(({ name, text }) => `@${name} ${plain(text)}`),
    ]
      .filter(Boolean)
      .join("\n\n");
  }

  return { complete, inspect };
}

/** Read when first asked for: a kernel that never inspects needs no schema. */
function descriptionOf(field) {
  const require = createRequire(inRoot("package.json"));
  const { trainingSchema } = require(inRoot("dist/lib/config.js"));
  const { notebookFlags } = require(inRoot("dist/lib/notebooks/support.js"));
  const ofNotebooks = notebookFlags.find(([flag]) => flag.startsWith(`--${field} `));
  return trainingSchema.shape[field]?.description ?? ofNotebooks?.[1] ?? null;
}
