// In: a prompt and answers. Out: what the server says of them; too much at once is asked for in parts, and again when the server is busy.

let key = "";
export const useKey = (given) => (key = given);

/** What went wrong, with the status that says what to do. */
export class ScoreError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const TRIES = 5;
/** Texts asked for at a time: others get their turn in between. */
const AT_A_TIME = 32;

async function ask(path, init, signal) {
  const headers = { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) };
  for (let left = TRIES; ; left--) {
    const response = await fetch(path, { ...init, headers, signal });
    if (response.ok) return response.json();
    const message = await response.json().then(
      (body) => body.error?.message ?? String(response.status),
      () => String(response.status),
    );
    if (left <= 1 || (response.status !== 429 && response.status !== 503))
      throw new ScoreError(response.status, message);
    const seconds = Number(response.headers.get("retry-after")) || 1;
    await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  }
}

export const modelInfo = () => ask("/info", { method: "GET" });

/** Scores, tokens and cut tokens of all answers; probabilities where they fit into one request. */
export async function scoresOf(prompt, responses, { signal, limit = AT_A_TIME, onProgress } = {}) {
  const size = Math.min(limit, AT_A_TIME);
  const whole = { scores: [], tokens: [], truncated_tokens: [], probabilities: undefined, temperature: undefined };
  for (let from = 0; from < responses.length; from += size) {
    const some = responses.slice(from, from + size);
    const body = JSON.stringify({ prompt, responses: some, probability: true });
    const answer = await ask("/score", { method: "POST", body }, signal);
    for (const field of ["scores", "tokens", "truncated_tokens"]) whole[field].push(...answer[field]);
    if (some.length === responses.length)
      Object.assign(whole, { probabilities: answer.probabilities, temperature: answer.temperature });
    onProgress?.(whole.scores.length, responses.length);
  }
  return whole;
}
