// In: what is typed. Out: its rewards, computed here. Text goes into the page as text only.
import { createReward } from "./reward.js";
import { Tokenizer } from "./runtime/tokenizers.js";
import * as ort from "./runtime/ort.js";

const byId = (id) => document.getElementById(id);
const [status, answers, scoreButton] = [byId("status"), byId("answers"), byId("score")];
const say = (text) => (status.textContent = text);
const here = (path) => new URL(path, import.meta.url).href;

async function get(path, read) {
  const response = await fetch(here(path));
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return response[read]();
}

async function openReward() {
  ort.env.wasm.numThreads = 1; // several need headers that static hosts do not send
  ort.env.wasm.wasmPaths = { mjs: here("runtime/ort-wasm.js"), wasm: here("runtime/ort-wasm.wasm") };
  const [texts, definition, settings, model] = await Promise.all([
    get("texts.json", "json"),
    get("tokenizer.json", "json"),
    get("tokenizer_config.json", "json"),
    get("onnx/model_quantized.onnx", "arrayBuffer"),
  ]);
  const session = await ort.InferenceSession.create(new Uint8Array(model), { executionProviders: ["wasm"] });
  const tokenizer = new Tokenizer(definition, settings);
  return { reward: createReward({ tokenizer, session, Tensor: ort.Tensor, texts }), temperature: texts.temperature };
}

function addAnswer() {
  const item = byId("answer").content.cloneNode(true).firstElementChild;
  item.querySelector(".remove").addEventListener("click", () => {
    item.remove();
    number();
  });
  answers.append(item);
  number();
}

/** Labels say which answer is which; two answers at least remain. */
function number() {
  const items = [...answers.children];
  items.forEach((item, i) => {
    const [label, area] = [item.querySelector("label"), item.querySelector("textarea")];
    area.id = `answer-${i + 1}`;
    label.htmlFor = area.id;
    label.textContent = `Answer ${i + 1}`;
    item.querySelector(".remove").hidden = items.length <= 2;
  });
}

/** P(best answer is preferred to this one) = σ(Δ / T), where a temperature was fitted. */
function detailOf({ reward, tokens, cut }, best, temperature) {
  const below = best - reward;
  const chance =
    temperature && below > 0 ? `, the best is preferred with ${percent(1 / (1 + Math.exp(-below / temperature)))}` : "";
  return `${tokens} tokens${cut > 0 ? `, ${cut} more were cut` : ""}${chance}`;
}
const percent = (share) => `${(100 * share).toFixed(0)}%`;

async function scoreAll({ reward, temperature }) {
  const items = [...answers.children];
  const started = performance.now();
  const results = [];
  for (const [i, item] of items.entries()) {
    say(`scoring answer ${i + 1} of ${items.length} …`);
    await new Promise((resolve) => setTimeout(resolve)); // the page shows it
    results.push(await reward(byId("prompt").value, item.querySelector("textarea").value));
  }
  const best = Math.max(...results.map((result) => result.reward));
  items.forEach((item, i) => {
    item.classList.toggle("best", results[i].reward === best);
    item.querySelector(".reward").textContent = results[i].reward.toFixed(4);
    item.querySelector(".detail").textContent = detailOf(results[i], best, temperature);
  });
  say(`${items.length} answers scored in ${((performance.now() - started) / 1000).toFixed(2)} s`);
}

/** Keeps everything for later visits without a network, where the browser may. */
async function keepOffline() {
  if (!("serviceWorker" in navigator)) return "";
  await navigator.serviceWorker.register(here("sw.js"));
  await navigator.serviceWorker.ready;
  return "; it works without a network now";
}

addAnswer();
addAnswer();
byId("add").addEventListener("click", addAnswer);
try {
  const scorer = await openReward();
  scoreButton.addEventListener("click", async () => {
    scoreButton.disabled = true;
    await scoreAll(scorer).catch((error) => say(`no scores: ${error.message}`));
    scoreButton.disabled = false;
  });
  scoreButton.disabled = false;
  say("the model is ready");
  say(`the model is ready${await keepOffline().catch(() => "")}`);
} catch (error) {
  say(`the model could not be loaded: ${error.message}`);
}
