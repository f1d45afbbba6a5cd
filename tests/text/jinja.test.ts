import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Message } from "../../lib/pairs/pair";
import { applyChatTemplate } from "../../lib/text/chatTemplate";
import { fixedClock, formatFixedDate } from "../../lib/text/clock";

type Rendered = string | { readonly error: string };
interface Golden {
  readonly tokens: Record<string, string>;
  readonly tools: unknown[];
  readonly conversations: Record<string, Message[]>;
  readonly rows: { name: string; package: string; template: string; rendered: Record<string, Rendered> }[];
}
const packed = readFileSync(join(__dirname, "..", "goldens", "text", "chat_templates.json.gz"));
const golden = JSON.parse(gunzipSync(packed).toString("utf8")) as Golden;

function render(template: string, conversation: string): Rendered {
  const variables = { ...golden.tokens, tools: conversation === "tools" ? golden.tools : null };
  try {
    return applyChatTemplate(golden.conversations[conversation], { template, variables });
  } catch (error) {
    return { error: (error as Error).message };
  }
}

// Expected: transformers' render_jinja_template (tests/goldens/chat_templates.py).
describe("published chat templates", () => {
  it("are many, of many houses", () => {
    expect(golden.rows.length).toBeGreaterThan(100);
    const families = [
      "llama",
      "qwen",
      "mistral",
      "gemma",
      "phi",
      "deepseek",
      "glm",
      "yi",
      "cohere",
      "internlm",
      "baichuan",
    ];
    const names = golden.rows.map(({ name }) => name.toLowerCase()).join(" ");
    for (const family of families) expect(names).toContain(family);
  });

  it.each(golden.rows.map((row) => [`${row.name} (${row.package})`, row] as const))(
    "%s",
    (_, { template, rendered }) => {
      for (const [conversation, expected] of Object.entries(rendered)) {
        const actual = render(template, conversation);
        if (typeof expected === "string") expect(actual, conversation).toBe(expected);
        else {
          // Python refuses: so do we, in its words where they are not Python's own
          expect(actual, `${conversation}: ${expected.error}`).toHaveProperty("error");
          const [, said] = /^(?:TemplateError|UndefinedError): (.*)$/s.exec(expected.error) ?? [];
          if (said) expect((actual as { error: string }).error, conversation).toContain(said);
        }
      }
    },
  );
});

describe("the clock", () => {
  it("stands still", () => {
    const template = "{{ strftime_now('%d %b %Y') }} {{ date_string }}";
    expect(applyChatTemplate([], { template })).toBe("26 Jul 2024 26 Jul 2024");
    expect(formatFixedDate("%-d.%-m.%Y %H:%M, %A")).toBe("26.7.2024 00:00, Friday");
  });

  it("is told to Python's Jinja by a macro in front, whatever the template's first line is", () => {
    const template = "\n  {% if true %}{{ strftime_now('%Y-%m-%d') }}{% endif %}";
    const macro = fixedClock(template);
    expect(applyChatTemplate([], { template: macro + template })).toBe(applyChatTemplate([], { template }));
    expect(macro).toContain('"2024-07-26"');
    expect(fixedClock("{{ messages }}")).toBe("");
  });
});
