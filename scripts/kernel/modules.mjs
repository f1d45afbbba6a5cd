// In: tslab's display functions and the project's root. Out: the `require` of cells: tslab, local TypeScript, packages of any kind.
import { createRequire } from "node:module";
import path from "node:path";
import vm from "node:vm";

/** @returns `{require, resolves(name), addLocal(files), preload(code)}` */
export function createCellModules({ root, tslab }) {
  const fromRoot = createRequire(path.join(root, "cells.js"));
  const compiled = new Map(); // path of a local TypeScript file, as .js → its JavaScript
  const loaded = new Map();
  const namespaces = new Map(); // packages that only `import` may load

  const requireFrom = (folder, plain) => {
    const find = (name) => {
      if (name === "tslab") return tslab();
      if (namespaces.has(name)) return namespaces.get(name);
      const file = path.join(folder, name) + (path.extname(name) ? "" : ".js");
      return loaded.get(file)?.exports ?? (compiled.has(file) ? load(file) : plain(name));
    };
    return Object.assign(find, { resolve: plain.resolve, cache: plain.cache, main: undefined });
  };
  const load = (file) => {
    const module = { exports: {}, filename: file, id: file };
    loaded.set(file, module); // before it runs: circles find it
    const body = vm.compileFunction(compiled.get(file), ["exports", "require", "module"], { filename: file });
    body(module.exports, requireFrom(path.dirname(file), createRequire(file)), module);
    return module.exports;
  };

  const resolves = (name) => {
    try {
      return Boolean(fromRoot.resolve(name));
    } catch (error) {
      return error.code === "ERR_PACKAGE_PATH_NOT_EXPORTED";
    }
  };
  return {
    require: requireFrom(root, fromRoot),
    resolves,
    /** Compiled files of the project that a cell imports; changed ones are loaded anew. */
    addLocal(files) {
      for (const { path: file, data } of files) {
        compiled.set(file, data);
        loaded.delete(file);
      }
    },
    /** Loads the packages in a cell's code that exist for `import` alone. */
    async preload(code) {
      for (const [, name] of code.matchAll(/\brequire\(["']([^"']+)["']\)/g)) {
        if (namespaces.has(name) || name === "tslab" || name.startsWith(".")) continue;
        try {
          fromRoot.resolve(name);
        } catch (error) {
          if (error.code === "ERR_PACKAGE_PATH_NOT_EXPORTED") namespaces.set(name, await import(name));
        }
      }
    },
  };
}
