// In: a model's name. Out: the commit on the hub, its files with their checksums, and which of them are wanted.
import { InputError } from "../errors";
import type { RemoteFile } from "./download";
import { INDEX_FILE, SINGLE_FILE } from "./safetensors";

/** No code and no pickle: what Rewardbook and Python's tokenizer read, the card and the licence. */
export const WANTED = new RegExp(
  `^(${[
    "config\\.json|tokenizer(_config)?\\.json|special_tokens_map\\.json|added_tokens\\.json|chat_template\\.jinja",
    "vocab\\.(txt|json)|merges\\.txt|[\\w.-]+\\.model",
    "rewardbook\\.json|README\\.md|(LICENSE|NOTICE)[\\w.-]*",
  ].join("|")})$`,
);
export const WEIGHTS = /^model(-\d{5}-of-\d{5})?\.safetensors$/;

const DEFAULT_ENDPOINT = "https://huggingface.co";

/** Which hub is asked, and for whom. */
export interface HubAccess {
  /** Branch, tag or commit. Default `main`. */
  readonly revision?: string;
  /** Address of the hub (`HF_ENDPOINT`). */
  readonly endpoint?: string;
  /** Access token (`HF_TOKEN`), sent to the hub and to nobody it redirects to. */
  readonly token?: string;
}

/** Address of the hub, without a slash at its end. */
export const hubOf = ({ endpoint }: HubAccess): string => (endpoint ?? DEFAULT_ENDPOINT).replace(/\/+$/, "");

export interface HubFile extends RemoteFile {
  readonly path: string;
}

/** The commit a revision stands for, and the files at its top level. */
export async function listModel(name: string, options: HubAccess): Promise<{ commit: string; files: HubFile[] }> {
  const { HubApiError, listFiles, modelInfo } = await import("@huggingface/hub");
  const access = { hubUrl: hubOf(options), accessToken: options.token };
  try {
    const { sha: commit } = await modelInfo({
      name,
      revision: options.revision ?? "main",
      additionalFields: ["sha"],
      ...access,
    });
    const files: HubFile[] = [];
    for await (const { type, path, size, oid, lfs } of listFiles({
      repo: { type: "model", name },
      revision: commit,
      ...access,
    })) {
      if (
        type !== "file" ||
        !(WANTED.test(path) || WEIGHTS.test(path) || path === INDEX_FILE || /\.(bin|pt|pth|ckpt)$/.test(path))
      ) {
        continue;
      }
      const url = `${hubOf(options)}/${name}/resolve/${commit}/${encodeURIComponent(path)}`;
      files.push({
        path,
        url,
        bytes: lfs?.size ?? size,
        checksum: lfs ? { kind: "sha256", hex: lfs.oid } : { kind: "git", hex: oid! },
      });
    }
    return { commit, files };
  } catch (error) {
    if (!(error instanceof HubApiError) || error.statusCode >= 500) throw error;
    const remedy =
      error.statusCode === 404
        ? "check the name and the revision on the model's page"
        : "set HF_TOKEN to a token with access, and accept the licence on the model's page if it asks for that";
    throw new InputError(
      `pull ${name}: expected a model on ${hubOf(options)} at revision ${options.revision ?? "main"}, ` +
        `got HTTP ${error.statusCode}; ${remedy}`,
    );
  }
}

/** @throws InputError when something needed is missing, or the weights are only there as a pickle */
export function chooseFiles(name: string, files: readonly HubFile[]): HubFile[] {
  const has = (path: string) => files.some((file) => file.path === path);
  const single = has(SINGLE_FILE);
  if (!single && !has(INDEX_FILE)) {
    const pickle = files.find(({ path }) => /\.(bin|pt|pth|ckpt)$/.test(path))?.path;
    throw new InputError(
      pickle
        ? `pull ${name}: expected safetensors weights, got ${pickle}, a Python pickle, ` +
            "which can run any code when it is opened; if you trust it, convert it in Python: " +
            `AutoModelForSequenceClassification.from_pretrained("${name}").save_pretrained("models/${name}", ` +
            "safe_serialization=True)"
        : `pull ${name}: expected ${SINGLE_FILE} or ${INDEX_FILE}, got neither; ` +
            "choose a model with safetensors weights",
    );
  }
  for (const needed of ["config.json", "tokenizer.json"]) {
    if (!has(needed)) {
      throw new InputError(
        `pull ${name}: expected ${needed}, got none; ` +
          `in Python, AutoTokenizer.from_pretrained("${name}").save_pretrained("models/${name}") makes a tokenizer.json`,
      );
    }
  }
  // The configuration first: a model of an unsupported family is refused before its weights are fetched.
  const order = (path: string) => (path === "config.json" ? 0 : WEIGHTS.test(path) ? 2 : 1);
  return files
    .filter(
      ({ path }) => WANTED.test(path) || (single ? path === SINGLE_FILE : WEIGHTS.test(path) || path === INDEX_FILE),
    )
    .sort((a, b) => order(a.path) - order(b.path) || (a.path < b.path ? -1 : 1));
}
