import { afterEach, describe, expect, test, vi } from "vitest";
import { emptyFigure, stepLossFigure } from "../../lib/report/figures";
import {
  createLiveDisplay,
  figureBundle,
  insideNotebook,
  showBundle,
  showFigure,
  showTable,
} from "../../lib/report/show";
import { createTable } from "../../lib/report/tables";

const table = createTable([{ a: 1 }]);
const bundle = (text: string) => () => ({ "text/plain": text });

/** What tslab does: its jupyter module, loaded under this path, holds the running cell's writer. */
const MODULE = "/kernel/node_modules/tslab/dist/jupyter.js";
interface Written {
  readonly data: Record<string, unknown>;
  readonly transient: { readonly display_id: string };
  readonly update: boolean;
}
function startCell(): Written[] {
  const written: Written[] = [];
  const lastWriteDisplayData = (display: Omit<Written, "update">, update: boolean) =>
    written.push({ ...display, update });
  require.cache[MODULE] = { exports: { lastWriteDisplayData } } as unknown as NodeModule;
  return written;
}

afterEach(() => {
  delete require.cache[MODULE];
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("in a notebook", () => {
  test("a figure goes out as Plotly JSON with its words", async () => {
    const written = startCell();
    expect(insideNotebook()).toBe(true);
    await showFigure(stepLossFigure([{ step: 1, loss: 0.7 }]));
    expect(Object.keys(written[0].data)).toEqual(["application/vnd.plotly.v1+json", "text/plain"]);
    expect(written[0].data["text/plain"]).toContain("Training loss by step, 1 steps");
    expect(written[0].update).toBe(false);
  });

  test("typed arrays become lists", () => {
    const figure = { ...emptyFigure("t", "r"), data: [{ y: new Float32Array([0.5, 2]) }] };
    expect(figureBundle(figure)["application/vnd.plotly.v1+json"]).toMatchObject({ data: [{ y: [0.5, 2] }] });
  });

  test("a table brings HTML and text", () => {
    const written = startCell();
    showTable(table);
    expect(written[0].data).toEqual(table.toMimeBundle());
  });

  test("a live display stays one output, drawn at most every so often and at the end", () => {
    vi.useFakeTimers();
    const written = startCell();
    const display = createLiveDisplay({ everyMs: 100 });
    display.update(bundle("one"));
    vi.advanceTimersByTime(50);
    display.update(bundle("too soon"));
    vi.advanceTimersByTime(60);
    display.update(bundle("two"));
    display.finish(bundle("end"));
    expect(written.map(({ data }) => data["text/plain"])).toEqual(["one", "two", "end"]);
    expect(written.map(({ update }) => update)).toEqual([false, true, true]);
    expect(new Set(written.map(({ transient }) => transient.display_id)).size).toBe(1);
  });
});

describe("on a console", () => {
  test("text is printed, a live display at most every five seconds", () => {
    vi.useFakeTimers();
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    expect(insideNotebook()).toBe(false);
    showBundle({ "text/plain": "words" });
    const display = createLiveDisplay();
    display.update(bundle("a"));
    vi.advanceTimersByTime(4000);
    display.update(bundle("b"));
    vi.advanceTimersByTime(1000);
    display.update(bundle("c"));
    display.finish(bundle("d"));
    expect(log.mock.calls.flat()).toEqual(["words", "a", "c", "d"]);
  });
});
