// In: nothing. Out: the headless Chromium that draws PNGs and checks reports, found or plainly missed.
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import type { Browser } from "playwright-core";
import { limitsAddresses } from "../engine/memory";
import { projectPath } from "../files/paths";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"];
/** A busy machine takes its time. */
const START_TIMEOUT_MS = 120_000;
const MAC = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** No browser, or one that does not start: PNGs cannot be drawn; everything else goes on. The message says what to do. */
export class BrowserMissing extends Error {
  override readonly name = "BrowserMissing";
  constructor(why: string) {
    super(
      `browser: expected Chromium or Chrome, got none (${why}); ` +
        "run npm run setup, which brings one for Linux on x64; else install one (Debian, Ubuntu: sudo apt-get install chromium) or set CHROMIUM to the path of its program",
    );
  }
}

/** The folder into which set-up unpacks a Chromium where the machine has none (scripts/setup/browser.mjs). */
const carriedFolder = (): string => projectPath(".cache", "browser");

/**
 * Path of a Chromium: $CHROMIUM, else the first of the usual names on PATH, else the one set-up brought.
 *
 * @throws BrowserMissing
 */
export function findBrowser(environment: NodeJS.ProcessEnv = process.env, carried = carriedFolder()): string {
  const wanted = environment.CHROMIUM;
  if (wanted) {
    if (runnable(wanted)) return wanted;
    throw new BrowserMissing(`CHROMIUM=${wanted} is no program`);
  }
  const folders = (environment.PATH ?? "").split(delimiter).filter(Boolean);
  const paths = [
    ...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))),
    ...MAC,
    join(carried, "chromium"),
  ];
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

/** What a browser in a folder of its own needs to find its libraries and fonts; nothing for one of the machine's. */
function environmentOf(program: string): NodeJS.ProcessEnv {
  const folder = dirname(program);
  if (!existsSync(join(folder, "fonts.conf"))) return process.env;
  const libraries = [join(folder, "lib"), process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter);
  return { ...process.env, LD_LIBRARY_PATH: libraries, FONTCONFIG_FILE: join(folder, "fonts.conf") };
}

/** Starts it, quiet and without talking to any network. @throws BrowserMissing */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  if (limitsAddresses()) throw new BrowserMissing("it does not run under a limit of the address space, ulimit -v");
  const { chromium } = await import("playwright-core");
  const launched = chromium.launch({
    executablePath,
    env: environmentOf(executablePath) as Record<string, string>,
    timeout: START_TIMEOUT_MS,
    // Playwright would end the process on Ctrl-C; training and the notebook kernel have their own say in that.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
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
  return launched.catch((error: Error) => {
    throw new BrowserMissing(`${executablePath} did not start: ${error.message.split("\n")[0]}`);
  });
}
