// In: tslab's TypeScript. Out: the same with our options: where cells' compiled lines come from, packages resolved as bundlers do.
import { createRequire } from "node:module";

/** Findings that concern only the declarations handed on to later cells: an unnameable type becomes `any` there. */
const isAboutDeclarations = (code) => (code >= 4000 && code < 4200) || code === 2742 || code === 7056;
const MODULE_NOT_FOUND = 2307;
const INLINE_MAP = /\n?\/\/# sourceMappingURL=data:application\/json;base64,([A-Za-z0-9+/=]+)\s*$/;
const MAP_COMMENT = /\n?\/\/# sourceMappingURL=\S+\s*$/;

/**
 * Puts the changed compiler in the place from which tslab takes it, before tslab's converter is loaded.
 *
 * @param resolves whether Node finds a package: one without types is `any`, not an error
 * @returns `{ts, program(), takeMaps(output)}`: the compiler, the program of the last converted text, and the source maps
 *   of a converted output, last one first
 */
export function adaptTypeScript(tslabRequire, { resolves }) {
  const file = tslabRequire.resolve("@tslab/typescript-for-tslab");
  const original = tslabRequire(file);
  const maps = new Map();
  let builder = null;

  // tslab watches every file it type-checks; after a rebuild of the library each later cell would fail. A changed library
  // needs a new kernel anyway: Node keeps the loaded one.
  original.sys.watchFile = original.sys.watchDirectory = () => ({ close() {} });

  const ts = {
    ...original,
    createWatchCompilerHost(roots, options, sys, ...rest) {
      const readFile = sys.readFile;
      sys.readFile = (path, encoding) => exportedAsWritten(path, readFile.call(sys, path, encoding));
      return original.createWatchCompilerHost(
        roots,
        { ...options, moduleResolution: original.ModuleResolutionKind.Bundler, inlineSourceMap: true },
        sys,
        ...rest,
      );
    },
    createWatchProgram(host) {
      const created = host.afterProgramCreate;
      host.afterProgramCreate = (next) => {
        builder = next;
        next.emit = emitWhole(original, next);
        created.call(host, next);
      };
      return original.createWatchProgram(host);
    },
    // tslab takes every name declared by an earlier cell for a variable, the `a` of `const { a: b } = earlier` as well.
    isIdentifier: (node) =>
      original.isIdentifier(node) &&
      !(node.parent && original.isBindingElement(node.parent) && node.parent.propertyName === node),
    getPreEmitDiagnosticsOfFiles: (program, files) =>
      original.getPreEmitDiagnosticsOfFiles(program, files).filter(({ code, messageText }) => {
        if (isAboutDeclarations(code)) return false;
        const name = code === MODULE_NOT_FOUND && /'([^']+)'/.exec(String(messageText))?.[1];
        return !(name && resolves(name));
      }),
    transpileModule(source, options) {
      const [, encoded] = INLINE_MAP.exec(source) ?? [];
      const compilerOptions = { ...options.compilerOptions, sourceMap: true };
      const result = original.transpileModule(source.replace(INLINE_MAP, ""), { ...options, compilerOptions });
      const outputText = result.outputText.replace(MAP_COMMENT, "\n");
      if (encoded) maps.set(outputText, [result.sourceMapText, Buffer.from(encoded, "base64").toString()]);
      return { ...result, outputText };
    },
  };
  createRequire(file).cache[file].exports = ts;
  return {
    ts,
    program: () => builder.getProgram(),
    takeMaps(output) {
      const found = maps.get(output) ?? [];
      maps.clear();
      return found.map((text) => JSON.parse(text));
    },
  };
}

/** tslab ends a cell with an export of its names, in which TypeScript's inner spelling of `__name` has one underscore more. */
function exportedAsWritten(path, text) {
  if (!path.endsWith("__tslab__.ts") || !text) return text;
  return text.replace(/\nexport \{([^{}]*)\}$/, (_, names) => `\nexport {${names.replace(/\b___/g, "__")}}`);
}

/**
 * Emits a cell with what tslab leaves out: variables of earlier cells in `{ name }`, and declarations where a type cannot
 * be named (later cells would know none of the cell's names).
 */
function emitWhole(ts, builder) {
  const emit = builder.emit.bind(builder);
  const program = builder.getProgram();
  const before = [(context) => expandShorthands(ts, context, program)];
  return (sourceFile, write, token, onlyDeclarations, given) => {
    const transformers = { ...given, before };
    let declared = false;
    const noting = (name, ...rest) => {
      declared ||= name.endsWith(".d.ts");
      write(name, ...rest);
    };
    const result = emit(sourceFile, noting, token, onlyDeclarations, transformers);
    if (!declared) program.emit(sourceFile, write, token, true, transformers, true);
    return result;
  };
}

/** `{ name }` and `({ name } = …)` with a variable of an earlier cell: `{ name: exports.name }`. */
function expandShorthands(ts, context, program) {
  const { factory } = context;
  const checker = program.getTypeChecker();
  const isEarlier = (node) =>
    checker
      .getShorthandAssignmentValueSymbol(node)
      ?.declarations?.some((declaration) => declaration.getSourceFile().fileName.endsWith("__prev__.d.ts"));
  const visit = (node) => {
    const seen = ts.visitEachChild(node, visit, context);
    if (!ts.isShorthandPropertyAssignment(node) || !isEarlier(node)) return seen;
    const variable = factory.createPropertyAccessExpression(factory.createIdentifier("exports"), node.name.text);
    const { objectAssignmentInitializer: initial } = seen;
    const value = initial ? factory.createAssignment(variable, initial) : variable;
    return ts.setTextRange(factory.createPropertyAssignment(node.name.text, value), node);
  };
  return (file) => ts.visitEachChild(file, visit, context);
}
