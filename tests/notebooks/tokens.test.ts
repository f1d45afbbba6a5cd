// Coloured tokens: data stays text, and the place the head reads is marked.
import { expect, test } from "vitest";
import { coloredTokens } from "../../lib/notebooks/tokens";

test("tokens are escaped, and the one that is read is named", () => {
  const bundle = coloredTokens(["[CLS]", "<b>", "\u001b[31m"], [0]).toMimeBundle();
  const html = String(bundle["text/html"]);
  expect(html).toContain("&#60;b&#62;");
  expect(html).not.toContain("<b>");
  expect(html).toMatch(/background:#0072B2[^>]*>\[CLS\]</);
  expect(html).toContain("the head reads [CLS] (place 0)");
  expect(bundle["text/plain"]).toBe("»[CLS]« <b> \\x1b[31m");
});
