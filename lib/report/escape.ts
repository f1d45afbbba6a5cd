// In: any text. Out: the same text made inert for HTML and for a JSON script element.

/** Characters that turn the direction of writing, so that a page shows other text than it holds; shown by their code. */
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g;
export const markTurning = (text: string): string =>
  text.replace(TURNING, (character) => `[U+${character.charCodeAt(0).toString(16).toUpperCase()}]`);

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
