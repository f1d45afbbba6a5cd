// In: an executed notebook. Out: the same with a picture beside each figure, for viewers that do not run Plotly.
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { InputError } from "../errors";
import { writeFileAtomically } from "../files/atomic";
import { BrowserMissing } from "./browser";
import { closePng, renderPng } from "./png";
import { withPalette } from "./pngPalette";

const PLOTLY = "application/vnd.plotly.v1+json";
/** Sharp on a screen, small in a file. */
const DPI = 110;

const drawn = z.object({ data: z.array(z.record(z.string(), z.unknown())), layout: z.record(z.string(), z.unknown()) });
const output = z.looseObject({ data: z.record(z.string(), z.unknown()).optional() });
const notebook = z.looseObject({
  cells: z.array(z.looseObject({ outputs: z.array(output).optional() })),
});

/**
 * Writes a PNG into each figure output of a notebook that has none yet.
 *
 * @returns how many were added, and why pictures are missing where they could not be drawn
 * @throws InputError for a file that is no notebook
 */
export async function addPictures(file: string): Promise<{ added: number; leftOut: string | null }> {
  const parsed = notebook.safeParse(JSON.parse(await readFile(file, "utf8")));
  if (!parsed.success) throw new InputError(`${file}: expected a notebook, got no list of cells; give an .ipynb file`);
  const figures = parsed.data.cells
    .flatMap(({ outputs = [] }) => outputs)
    .flatMap(({ data }) => (data?.[PLOTLY] !== undefined && data["image/png"] === undefined ? [data] : []));
  let added = 0;
  try {
    for (const data of figures) {
      data["image/png"] = await picture(data[PLOTLY]);
      added++;
    }
    return { added, leftOut: null };
  } catch (error) {
    if (error instanceof BrowserMissing) return { added, leftOut: error.message };
    throw error;
  } finally {
    await closePng();
    if (added > 0) await writeFileAtomically(file, `${JSON.stringify(parsed.data, null, 1)}\n`);
  }
}

async function picture(value: unknown): Promise<string> {
  const { data, layout } = drawn.parse(value);
  return withPalette(await renderPng({ data, layout, description: "" }, { dpi: DPI })).toString("base64");
}
