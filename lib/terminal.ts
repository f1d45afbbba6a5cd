// In: any text. Out: the same text made inert for a terminal: what would steer it is shown instead.

/** Control characters (C0 without the line end, DEL, C1), line separators, and characters that turn the direction of writing. */
const STEERING =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu;

const shown = (character: string): string => {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
};

/** Text of several lines; everything else that steers a terminal is spelt out, such as `\x1b` and `\u202e`. */
export const printable = (text: string): string => text.replace(STEERING, shown);

/** JSON on one line that says the same and steers nothing: such characters are spelt as JSON spells them, `\u202e`. */
export const printableJson = (value: unknown): string =>
  JSON.stringify(value).replace(STEERING, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Text that must stay one line: line ends are spelt out as well. */
export const printableLine = (text: string): string => printable(text.replaceAll("\r\n", "\n")).replaceAll("\n", "\\n");
