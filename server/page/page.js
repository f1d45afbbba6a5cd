// The page: one prompt, two to eight answers, their scores as one types, and which words carry them. Texts enter the page as text, never as markup.
import { drawExplanation } from "/page/explanation.js";
import { modelInfo, scoresOf, ScoreError, useKey } from "/page/scores.js";

const LEAST = 2;
const MOST = 8;
/** Pause in typing after which scores are asked for, ms. */
const PAUSE_MS = 350;

const EXAMPLE = {
  prompt: "Why is the sky blue?",
  answers: [
    "Air scatters short wavelengths of sunlight much more than long ones, so blue light reaches us from every direction. This is called Rayleigh scattering.",
    "Because it reflects the ocean.",
  ],
};

const byId = (id) => document.getElementById(id);
const prompt = byId("prompt");
const answers = byId("answers");
const status = byId("status");
const cards = () => [...answers.children];
const textOf = (card) => card.querySelector("textarea").value;

let info = { max_client_batch_size: 32, max_input_length: 0 };
let asked = null;
let timer = 0;

function addAnswer(text = "") {
  const card = byId("answer").content.cloneNode(true).firstElementChild;
  const area = card.querySelector("textarea");
  area.value = text;
  area.addEventListener("input", () => changed(card));
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void explain(card);
  });
  card.querySelector(".explain").addEventListener("click", () => void explain(card));
  card.querySelector(".remove").addEventListener("click", () => {
    const place = cards().indexOf(card);
    card.remove();
    renumber();
    cards()[Math.min(place, cards().length - 1)].querySelector("textarea").focus();
    later();
  });
  answers.append(card);
  renumber();
  return area;
}

function renumber() {
  cards().forEach((card, i) => {
    const area = card.querySelector("textarea");
    area.id = `answer-${i + 1}`;
    const label = card.querySelector("label");
    label.htmlFor = area.id;
    label.textContent = `Answer ${i + 1}`;
    card.querySelector(".remove").disabled = cards().length <= LEAST;
  });
  byId("add").disabled = cards().length >= MOST;
}

function changed(card) {
  card.querySelector(".explanation").hidden = true;
  card.explaining?.abort();
  later();
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(() => void score(), PAUSE_MS);
}

async function score() {
  asked?.abort();
  asked = new AbortController();
  const { signal } = asked;
  status.textContent = "scoring …";
  answers.setAttribute("aria-busy", "true");
  const scored = cards();
  try {
    const result = await scoresOf(prompt.value, scored.map(textOf), { signal });
    show(scored, result);
    status.textContent = "";
  } catch (error) {
    if (signal.aborted) return;
    fail(error);
  }
  answers.removeAttribute("aria-busy");
}

function show(scored, { scores, tokens, truncated_tokens: cut, probabilities }) {
  const best = scores.indexOf(Math.max(...scores));
  scored.forEach((card, i) => {
    card.querySelector(".score").textContent = scores[i].toFixed(4);
    const share = probabilities?.[i] ?? 0;
    card.querySelector(".probability").textContent = `${(100 * share).toFixed(1)}%`;
    card.querySelector(".meter > div").style.width = `${100 * share}%`;
    const length = card.querySelector(".length");
    length.textContent =
      cut[i] > 0 ? `${tokens[i]} tokens read, ${cut[i]} cut off` : `${tokens[i]} tokens of ${info.max_input_length}`;
    length.classList.toggle("cut", cut[i] > 0);
    card.classList.toggle("best", i === best);
  });
}

async function explain(card) {
  card.explaining?.abort();
  card.explaining = new AbortController();
  const { signal } = card.explaining;
  const button = card.querySelector(".explain");
  button.disabled = true;
  try {
    const limit = info.max_client_batch_size;
    const onProgress = (done, all) => (status.textContent = `leaving out one part at a time: ${done} of ${all}`);
    await drawExplanation(card.querySelector(".explanation"), prompt.value, textOf(card), {
      signal,
      limit,
      onProgress,
    });
    status.textContent = "";
  } catch (error) {
    if (!signal.aborted) fail(error);
  } finally {
    button.disabled = false;
  }
}

function fail(error) {
  if (error instanceof ScoreError && error.status === 401) {
    byId("key-form").hidden = false;
    byId("key").focus();
  }
  status.textContent = error.message;
}

async function begin() {
  try {
    info = await modelInfo();
  } catch (error) {
    byId("model").textContent = "";
    return fail(error);
  }
  byId("key-form").hidden = true;
  const temperature =
    info.temperature === null ? "no temperature fitted (1 is taken)" : `temperature ${info.temperature.toFixed(2)}`;
  byId("model").textContent =
    `${info.model_id} · ${info.architecture}, ${(info.parameters / 1e6).toFixed(1)} M parameters · up to ${info.max_input_length} tokens · ${temperature}`;
  if (info.fresh_head) {
    byId("warning").textContent = "This checkpoint has no reward head: its scores mean nothing. Train it first.";
    byId("warning").hidden = false;
  }
  await score();
}

byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useKey(byId("key").value);
  void begin();
});
byId("add").addEventListener("click", () => {
  addAnswer().focus();
  later();
});
prompt.addEventListener("input", () => cards().forEach(changed));
prompt.value = EXAMPLE.prompt;
EXAMPLE.answers.forEach((text) => addAnswer(text));
void begin();
