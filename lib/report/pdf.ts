// In: a report's HTML file. Out: the same on paper, as a PDF beside it.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { writeFileAtomically } from "../files/atomic";
import { launchBrowser } from "./browser";

/** Drawing thousands of points on a busy machine takes its time. */
const DRAWING_MS = 120_000;

/**
 * Prints a report once all its figures are drawn and its pairs are there.
 *
 * @returns path of the PDF
 * @throws BrowserMissing
 */
export async function printPage(file: string): Promise<string> {
  const browser = await launchBrowser();
  try {
    const page = await (await browser.newContext({ offline: true, viewport: { width: 1000, height: 1400 } })).newPage();
    await page.goto(pathToFileURL(resolve(file)).href);
    await page.waitForFunction(
      () => {
        const { paper, pairs } = document.documentElement.dataset;
        return paper !== undefined && (pairs !== undefined || !document.getElementById("pairs-data"));
      },
      null,
      { timeout: DRAWING_MS },
    );
    const target = `${file.replace(/\.html?$/i, "")}.pdf`;
    await writeFileAtomically(
      target,
      await page.pdf({ format: "A4", printBackground: true, outline: true, tagged: true }),
    );
    return target;
  } finally {
    await browser.close();
  }
}
