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
    data?: Record<string, string>;
  };
}
interface Cell {
  messages: Message[];
  reply: { status: string; execution_count: number; ename?: string };
  seconds: number;
}
let cells: Record<string, Cell> & { many: { count: number; reply: Cell["reply"] } };

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

  test("reports a wrong type before running the cell", () => {
    expect(cells.wrongType.reply.ename).toBe("TypeScriptError");
    expect(cells.wrongType.messages[1].content.evalue).toContain("Type 'string' is not assignable to type 'number'");
  });

  test("shows a last expression through toMimeBundle", () => {
    expect(cells.bundle.messages[1].content.data).toEqual({ "text/html": "<b>bold</b>", "text/plain": "bold" });
  });

  // zeromq.js refuses a second send while one is under way: unqueued, about 500 of a burst arrive.
  test("loses none of 1500 messages", () => {
    expect(cells.many.count).toBe(1500);
  });

  test("an interrupt stops a loop of ours within a second and keeps its variables", () => {
    expect(cells.loop.reply.status).toBe("ok");
    expect(cells.loop.seconds).toBeLessThan(1);
    expect(cells.afterLoop.messages[1].content.text).toBe("true\n");
  });

  test("an interrupt breaks any other cell and keeps the kernel", () => {
    for (const cell of [cells.endless, cells.busy]) {
      expect(cell.reply.ename).toBe("Interrupted");
      expect(cell.seconds).toBeLessThan(1);
    }
    expect(cells.afterBusy.messages[1].content.text).toBe("42\n");
  });
});
