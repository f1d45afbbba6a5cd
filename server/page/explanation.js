// In: a prompt and an answer. Out, drawn: what each sentence adds to the score, and each word of one sentence: the score minus the score without it.
import { partsOf, runsOf, without } from "/page/parts.js";
import { scoresOf } from "/page/scores.js";

/** Words that are left out one at a time; of a longer answer those of one sentence. */
const MOST_WORDS = 120;
const LISTED = 8;

const signed = (value) => `${value >= 0 ? "+" : "−"}${Math.abs(value).toFixed(4)}`;
const element = (tag, className, text) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};

/** Score of the text minus the score without each part. */
async function contributions(prompt, text, parts, options) {
  const { scores } = await scoresOf(prompt, [text, ...parts.map((part) => without(text, part))], options);
  return scores.slice(1).map((score) => scores[0] - score);
}

export async function drawExplanation(box, prompt, text, options) {
  const [legend, sentencesBox, wordsBox, list] = [".legend", ".sentences", ".words", ".strongest"].map((name) =>
    box.querySelector(name),
  );
  const sentences = partsOf(text, "sentence");
  const allWords = partsOf(text, "word");
  box.hidden = false;
  for (const part of [sentencesBox, wordsBox, list]) part.replaceChildren();
  if (allWords.length === 0) {
    legend.textContent = "There is no word to leave out.";
    return;
  }
  legend.textContent = "Blue parts raise the score, orange ones lower it: the score minus the score without the part.";
  const drawWords = async (range) => {
    const words = partsOf(text, "word", range).slice(0, MOST_WORDS);
    const values = await contributions(prompt, text, words, options);
    draw(wordsBox, runsOf(text, words, range), values);
    listStrongest(list, text, words, values);
  };
  sentencesBox.hidden = sentences.length < 2;
  if (sentences.length < 2) return drawWords([0, text.length]);
  const values = await contributions(prompt, text, sentences, options);
  const choose = async (chosen) => {
    [...sentencesBox.querySelectorAll("button")].forEach((button, i) =>
      button.setAttribute("aria-pressed", String(i === chosen)),
    );
    await drawWords([sentences[chosen].start, sentences[chosen].end]);
  };
  draw(sentencesBox, runsOf(text, sentences), values, choose);
  if (allWords.length <= MOST_WORDS) return drawWords([0, text.length]);
  await choose(values.indexOf(values.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a))));
}

/** The text, its parts coloured by what they add; with `choose` they are buttons. */
function draw(box, runs, values, choose) {
  const most = Math.max(...values.map(Math.abs), 1e-12);
  box.replaceChildren(
    ...runs.map(({ text, part }) => {
      if (part === null) return document.createTextNode(text);
      const made = element(choose ? "button" : "span", "part", text);
      const colour = values[part] >= 0 ? "--up" : "--down";
      made.style.backgroundColor = `rgba(var(${colour}), ${(0.65 * Math.abs(values[part])) / most})`;
      made.title = signed(values[part]);
      if (choose) {
        made.type = "button";
        made.addEventListener("click", () => void choose(part).catch(() => {}));
      }
      return made;
    }),
  );
}

/** Bars to the right raise the score, to the left lower it. */
function listStrongest(list, text, parts, values) {
  const order = [...values.keys()].sort((a, b) => Math.abs(values[b]) - Math.abs(values[a])).slice(0, LISTED);
  const most = Math.max(...values.map(Math.abs), 1e-12);
  list.replaceChildren(
    ...order.map((i) => {
      const row = element("li");
      const track = element("div", "track");
      const bar = element("div");
      const width = (50 * Math.abs(values[i])) / most;
      bar.style.width = `${width}%`;
      bar.style.left = `${values[i] >= 0 ? 50 : 50 - width}%`;
      bar.style.backgroundColor = `rgb(var(${values[i] >= 0 ? "--up" : "--down"}))`;
      track.append(bar);
      row.append(
        element("span", "piece", text.slice(parts[i].start, parts[i].end)),
        element("span", "value", signed(values[i])),
        track,
      );
      return row;
    }),
  );
}
