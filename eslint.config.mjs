import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  {
    ignores: [
      "dist/",
      "node_modules/",
      ".cache/",
      ".venv/",
      "models/",
      "tests/goldens/",
      "checkpoints/",
      "metrics/",
      "reports/",
      "data/",
    ],
  },
  tseslint.configs.recommended,
  {
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/consistent-type-imports": [
        "error",
        { fixStyle: "inline-type-imports", prefer: "type-imports" },
      ],
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-var": "error",
      "prefer-const": ["error", { destructuring: "all" }],
      "max-lines": ["error", { max: 300, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // A promise that nobody awaits hides its error.
    files: ["lib/**/*.ts", "cli/**/*.ts", "server/**/*.ts", "remote/**/*.ts", "synthetic/**/*.ts", "bench/**/*.ts"],
    languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname } },
    rules: { "@typescript-eslint/no-floating-promises": "error", "@typescript-eslint/no-misused-promises": "error" },
  },
  // Tests read goldens whose shape they know, and hold long tables of cases.
  { files: ["tests/**/*.ts"], rules: { "@typescript-eslint/no-explicit-any": "off", "max-lines": "off" } },
  // The binding and the cached kernels are CommonJS modules that are asked for only when they are there.
  {
    files: ["**/*.cjs", "lib/engine/**/*.ts", "tests/**/*.ts", "scripts/**/*.mjs"],
    rules: { "@typescript-eslint/no-require-imports": "off" },
  },
);
