// In: any text. Out: the same text made inert for HTML and for a JSON script element.

/** Characters that are not seen, or that turn the direction of writing, so that a page shows other text than it holds. */
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** The same text with such characters shown by their code: `[U+202E]`. */
export function markTurning(text: string): string {
  const code = (character: string) => character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
  return text.replace(HIDDEN, (character) => `[U+${code(character)}]`);
}

/** Text for HTML content and quoted attributes. */
export function escapeHtml(text: string): string {
  return markTurning(text).replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** JSON that can stand inside `<script type="application/json">`: no `<` can close it, no line separator can break it. */
export function scriptJson(value: unknown): string {
  return markTurning(JSON.stringify(value)).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
