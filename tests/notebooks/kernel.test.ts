// Reference: Jupyter messaging protocol 5.3 (execute_input, error, execute_reply); driven by Python's own jupyter_client.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";

const root = join(__dirname, "..", "..");
interface Message {
  type: string;
  content: {
    code?: string;
    execution_count?: number;
    text?: string;
    ename?: string;
    evalue?: string;
    traceback?: string[];
    data?: Record<string, string>;
  };
}
interface Cell {
  messages: Message[];
  reply: { status: string; execution_count: number; ename?: string; evalue?: string };
  seconds: number;
}
interface Queue {
  states: [string, string][];
  replies: string[];
}
interface Rest {
  many: { count: number; reply: Cell["reply"] };
  firstTab: { matches: string[] };
  afterSmiley: { matches: string[]; cursor_start: number };
  inCall: string;
  field: string;
  unfinishedField: string;
  idleMegabytes: number | null;
  usedMegabytes: number | null;
  queue: Queue;
  broken: Queue;
}
let cells: Record<string, Cell> & Rest;

beforeAll(() => {
  const probe = join(__dirname, "kernelProbe.py");
  const printed = execFileSync(join(root, ".venv", "bin", "python"), [probe], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  cells = JSON.parse(printed);
});

const types = (cell: Cell) => cell.messages.map((message) => message.type);

describe("the kernel", () => {
  test("numbers its cells and prints a last expression", () => {
    expect(types(cells.number)).toEqual(["execute_input", "stream"]);
    expect(cells.number.messages[0].content.execution_count).toBe(1);
    expect(cells.number.messages[1].content.text).toBe("42\n");
  });

  test("sends an error output, and runs the next cell", () => {
    expect(types(cells.thrown)).toEqual(["execute_input", "error"]);
    expect(cells.thrown.messages[1].content).toMatchObject({ ename: "RangeError", evalue: "too far" });
    expect(cells.thrown.reply.status).toBe("error");
    expect(cells.afterThrown.messages[1].content.text).toBe("43\n");
  });

  test("names cell, line and column of an error, and shows the line", () => {
    expect(cells.thrown.messages[1].content.traceback).toEqual([
      "RangeError: too far",
      "    at fail (cell [2]:1:25)",
      "    at cell [2]:2:1",
      "",
      "  1 | function fail() { throw new RangeError('too far'); }",
      "    |                         ^",
    ]);
  });

  test("keeps what a cell defined before it threw, types as well, and nothing it did not reach", () => {
    expect(cells.half.messages[1].content.traceback).toContain("    at cell [4]:4:26");
    expect(cells.names.messages[1].content.text).toBe("8\n");
    expect(cells.underscores.messages[1].content.text).toBe("5\n");
    expect(cells.underscoresLater.messages[1].content.text).toBe("2\n");
    expect(cells.notReached.reply.evalue).toContain("Cannot find name 'after'");
  });

  // tslab takes property names for variables of earlier cells, and the variable in `{ near }` for none.
  test("variables of earlier cells stand in patterns and shorthands", () => {
    const [, said] = cells.shorthand.messages;
    expect(JSON.parse(said.content.text!)).toEqual({ near: 3, far: 4, nearest: 3, others: { far: 4, rest: 5 } });
  });

  test("reports a wrong type with its place before running the cell", () => {
    expect(cells.wrongType.reply.ename).toBe("TypeScriptError");
    expect(cells.wrongType.messages[1].content.traceback).toEqual([
      "cell [9]:2:7 - Type 'string' is not assignable to type 'number'. (TS2322)",
      "  2 | const wrong: number = 'text';",
      "    |       ^^^^^",
    ]);
  });

  test("completes and explains: the first Tab, behind a smiley, inside a call, a field of the configuration", () => {
    expect(cells.firstTab.matches).toContain("splitPairs");
    // 15 letters before the smiley, which the protocol counts as one, and 9 behind it
    expect(cells.afterSmiley).toMatchObject({ matches: ["max"], cursor_start: 25 });
    expect(cells.inCall).toMatch(/^splitPairs\(pairs: .*\n\nSplits by question/);
    for (const text of [cells.field, cells.unfinishedField]) expect(text).toContain("passes over the training pairs");
  });

  test("imports tslab itself, and packages of one's own that only `import` may load", () => {
    expect(cells.tslab.messages[1].content.data).toEqual({ "text/plain": "shown" });
    expect(cells.package.messages[1].content.text).toBe("7\n");
  });

  test("shows a returned figure and data frame as such, hostile text as text", () => {
    const figure = cells.figure.messages[1].content.data!;
    expect(figure["application/vnd.plotly.v1+json"]).toMatchObject({ data: [{ y: [1, 2] }] });
    expect(figure["text/plain"]).toBe("Two points");
    expect(cells.frame.messages.at(-1)!.content.data!["text/html"]).toContain("&#60;b&#62;High");
  });

  test("is busy while a cell runs, whatever it answers meanwhile, and runs the cells of a queue in turn", () => {
    expect(cells.queue).toEqual({
      states: [
        ["cell 1", "busy"],
        ["tab", "busy"],
        ["tab", "idle"],
        ["cell 1", "busy"],
        ...["cell 1", "cell 2", "cell 3"].flatMap((cell) =>
          cell === "cell 1"
            ? [[cell, "idle"]]
            : [
                [cell, "busy"],
                [cell, "idle"],
              ],
        ),
      ],
      replies: ["ok", "ok", "ok"],
    });
    expect(cells.broken.replies).toEqual(["error", "aborted", "aborted"]);
  });

  test("holds little memory while it waits, the library loaded and its types read", () => {
    if (cells.idleMegabytes === null || cells.usedMegabytes === null) return;
    expect(cells.idleMegabytes).toBeLessThan(300);
    // Node collects what a cell dropped only while code runs; the cell before made 200 MB of it.
    expect(cells.usedMegabytes).toBeLessThan(300);
  });

  test("shows a last expression through toMimeBundle", () => {
    expect(cells.bundle.messages[1].content.data).toEqual({ "text/html": "<b>bold</b>", "text/plain": "bold" });
  });

  // zeromq.js refuses a second send while one is under way: unqueued, about 500 of a burst arrive.
  test("loses none of 1500 messages", () => {
    expect(cells.many.count).toBe(1500);
  });

  test("an interrupt stops a loop of ours after its step and keeps its variables", () => {
    expect(cells.loop.reply.status).toBe("ok");
    expect(cells.loop.seconds).toBeLessThan(3);
    expect(cells.afterLoop.messages[1].content.text).toBe("true\n");
  });

  test("an interrupt breaks any other cell and keeps the kernel", () => {
    for (const cell of [cells.endless, cells.busy, cells.busyAtOnce, cells.busyLater, cells.busyDrawn]) {
      expect(cell.reply.ename).toBe("Interrupted");
      expect(cell.seconds).toBeLessThan(3);
    }
    expect(cells.afterBusy.messages[1].content.text).toBe("7\n");
    // The browser's driver would have async hooks turned on, with which Node aborts here.
    expect(cells.drawn.messages[1].content.data).toHaveProperty(["image/png"]);
    expect(cells.afterDrawn.messages[1].content.text).toBe("7\n");
  });

  test("an interrupt stops scoring between two graph runs; the next scoring goes on from there", () => {
    expect(cells.load.reply.status).toBe("ok");
    const [, done] = /^scoring: stopped at (\d+) of 3000 texts; run it again/.exec(cells.scoring.reply.evalue!)!;
    // these are known: none is computed, so no progress is told
    expect(cells.resumed.messages.at(-1)!.content.text).toBe(`${done}\n`);
    expect(cells.firstTicks.messages.at(-1)!.content.text).toBe(`${done}\n`);
  });

  // tests/longWork.test.ts holds what is kept to work that was never stopped; here, that the kernel hears of it in time.
  test.each([
    ["evaluation", "scoring", "of 6000 texts", ["evaluation", "evaluatedOn"]],
    ["generation", "answers", "of 3000 answers", ["sampling", "sampledOn"]],
    ["fine-tuning", "policy", "of 2000 steps", ["fitting", "fittedOn"]],
  ])("an interrupt stops %s; run again and stopped again, it has come further", (_, label, unit, names) => {
    const done = names.map((name) => {
      const { reply, seconds, messages } = cells[name];
      expect(seconds).toBeLessThan(10); // half a second on a free machine
      expect(messages.at(-2)!.content.data!["text/plain"]).toMatch(/stopped; run it again to go on from there$/);
      const [, found] = new RegExp(`^${label}: stopped at (\\d+) ${unit}; run it again`).exec(reply.evalue!)!;
      return Number(found);
    });
    expect(done[1]).toBeGreaterThan(done[0]);
  });

  test("an interrupt stops check; run again, it ends with what a whole one finds", () => {
    expect(cells.check.reply.evalue).toMatch(/^check: stopped at \d+ pairs; run it again to go on from there$/);
    expect(cells.check.seconds).toBeLessThan(10);
    expect(cells.checked.messages.at(-1)!.content.text).toBe("60000\n");
  });
});
