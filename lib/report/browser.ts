// In: nothing. Out: the headless Chromium that draws PNGs and checks reports, found or plainly missed.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Browser } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"];
const MAC = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** No browser: PNGs cannot be drawn; everything else goes on. The message says how to get one. */
export class BrowserMissing extends Error {
  override readonly name = "BrowserMissing";
  constructor(looked: string) {
    super(
      `browser: expected Chromium or Chrome, got none (${looked}); install one (Debian, Ubuntu: sudo apt-get install chromium) ` +
        "or set CHROMIUM to the path of its program",
    );
  }
}

/** Path of a Chromium: $CHROMIUM, else the first of the usual names on PATH. @throws BrowserMissing */
export function findBrowser(environment: NodeJS.ProcessEnv = process.env): string {
  const wanted = environment.CHROMIUM;
  if (wanted) {
    if (runnable(wanted)) return wanted;
    throw new BrowserMissing(`CHROMIUM=${wanted} is no program`);
  }
  const folders = (environment.PATH ?? "").split(delimiter).filter(Boolean);
  const paths = [...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))), ...MAC];
  const found = paths.find(runnable);
  if (!found) throw new BrowserMissing(`looked for ${NAMES.slice(0, 3).join(", ")} on PATH`);
  return found;
}

function runnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Starts it, quiet and without talking to any network. @throws BrowserMissing */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  const { chromium } = await import("playwright-core");
  return chromium.launch({
    executablePath,
    args: [
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--font-render-hinting=none",
    ],
  });
}
