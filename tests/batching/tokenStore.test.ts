// Token ids on disk against plain lists: which texts are equal, how long they are, with what a prompt's texts begin.
import { describe, expect, it } from "vitest";
import { TokenStore } from "../../lib/batching/tokenStore";
import { createRandom } from "../../lib/random";

describe("a store of token ids", () => {
  it("knows equal texts, lengths, ids and common beginnings as comparing the lists does", () => {
    const random = createRandom(9);
    const store = new TokenStore();
    const texts: { ids: number[]; family: string }[] = [];
    for (let i = 0; i < 3000; i++) {
      const prompt = random.integer(400);
      const again = i > 0 && random.next() < 0.3 ? texts[random.integer(i)] : null;
      const begin = Array.from({ length: prompt % 7 }, (_, k) => prompt * 10 + k);
      const end = Array.from({ length: 1 + random.integer(6) }, () => random.integer(5));
      texts.push(again ?? { ids: [...begin, ...end], family: `prompt ${prompt}` });
      store.push(Uint32Array.from(texts[i].ids), texts[i].family);
    }
    const keys = texts.map(({ ids }) => ids.join());
    const firstOf = new Map<string, number>();
    keys.forEach((key, i) => firstOf.has(key) || firstOf.set(key, i));
    // Equal texts of two prompts count for the prompt that had them first.
    const families = new Map<string, number[][]>();
    for (const [key, i] of firstOf) {
      const { ids, family } = texts[i];
      families.set(family, [...(families.get(family) ?? []), ids]);
      expect(keys[store.same(i)]).toBe(key);
    }
    const sharedOf = (all: number[][]): number => {
      let shared = Math.min(...all.map(({ length }) => length - 1));
      while (all.some((ids) => all.some((other) => ids.slice(0, shared).join() !== other.slice(0, shared).join())))
        shared--;
      return all.length > 1 ? Math.max(0, shared) : 0;
    };
    texts.forEach(({ ids }, i) => {
      const first = firstOf.get(keys[i])!;
      expect([store.same(i), store.length(i), [...store.ids(i)]]).toEqual([first, ids.length, ids]);
      expect(store.shared(i)).toBe(sharedOf(families.get(texts[first].family)!));
      expect(store.family(i)).toBe(store.family(first));
    });
    expect(store.size).toBe(3000);
    store.close();
  });
});
