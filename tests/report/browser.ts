// The browser for tests that need one; without it they are skipped and say so in the report.
import { BrowserMissing, findBrowser } from "../../lib/report/browser";

export function hasBrowser(): boolean {
  try {
    findBrowser();
    return true;
  } catch (error) {
    if (error instanceof BrowserMissing) return false;
    throw error;
  }
}
