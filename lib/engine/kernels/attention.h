// Attention, forward and backward. It never writes the [length, length] matrices to memory: a block of queries meets its
// keys in a buffer that fits the cache, and the backward pass computes the softmax again from the saved log of its sum (Dao
// et al. 2022, FlashAttention, arXiv 2205.14135). Texts that share a row are separate problems, so padding and the other
// texts cost nothing.
#pragma once
#include <limits>
#include <utility>
#include <vector>

#include "tiles.h"

namespace rewardbook {
namespace {

/** Queries that meet their keys at a time, forward and backward; keys at a time, backward. */
constexpr int64_t QUERIES = 32;
constexpr int64_t QUERIES_BACK = 64;
constexpr int64_t KEYS_BACK = 128;

/** A text: the places of the tokens that ask, and of those they see: the first `shared` belong to a text that it goes on from. */
struct Text {
  std::vector<int32_t> queries, keys;
  int64_t shared = 0;
};

/** The texts of all rows of a batch. A family is a text and those that go on from it, which come after it. */
struct Texts {
  std::vector<std::vector<Text>> families;
  std::vector<int32_t> padding;
  int64_t texts = 0;
};

/** Where a text is found. */
struct TextPlace {
  float number;
  size_t family, member;
};

template <class Element>
Texts findTexts(const Attention<Element>& call) {
  const auto& [batch, length, heads, keyValueHeads, size, causal] = call.shape;
  Texts found;
  for (int64_t b = 0; b < batch; b++) {
    std::vector<TextPlace> known;  // few texts share a row
    const auto find = [&](float number) {
      return std::find_if(known.rbegin(), known.rend(), [&](const TextPlace& one) { return one.number == number; });
    };
    for (int64_t t = 0; t < length; t++) {
      const float number = call.texts[b * call.stride + t], before = call.before ? call.before[b * call.stride + t] : 0;
      const int32_t place = static_cast<int32_t>(b * length + t);
      if (number == 0) {
        found.padding.push_back(place);
        continue;
      }
      auto at = find(number);
      if (at == known.rend()) {
        const auto first = before == 0 ? known.rend() : find(before);
        if (first == known.rend()) {
          known.push_back({number, found.families.size(), 0});
          found.families.emplace_back(1);
        } else {
          auto& family = found.families[first->family];
          const auto& shared = family[first->member].queries;
          known.push_back({number, first->family, family.size()});
          family.push_back({{}, shared, static_cast<int64_t>(shared.size())});
        }
        found.texts++;
        at = known.rbegin();
      }
      Text& text = found.families[at->family][at->member];
      text.queries.push_back(place);
      text.keys.push_back(place);
    }
  }
  return found;
}

/** The first `count` numbers of rows of `width`. */
template <class Element>
void zeroRows(Element* x, int64_t width, int64_t count, const std::vector<int32_t>& places) {
  for (const int32_t place : places) std::fill_n(x + place * width, count, Element{});
}

/** One head of one text. */
template <class Element>
Rows<Element> rowsOf(Element* base, int64_t width, int64_t head, int64_t size, const std::vector<int32_t>& places) {
  return {base + head * size, width, places.data(), static_cast<int64_t>(places.size()), size};
}

/** The same of an operand, its bias added. */
template <class Element>
Rows<const Element> rowsOf(const Operand<Element>& x, int64_t head, int64_t size, const std::vector<int32_t>& places, Buffer<float>& space) {
  const auto rows = rowsOf(x.base, x.width, head, size, places);
  if (!x.bias) return rows;
  auto* const sums = reinterpret_cast<Element*>(space.get(rows.count * size));
  for (int64_t i = 0; i < rows.count; i++) {
    rows.prefetch(i);
    for (int64_t d = 0; d < size; d += LANES) put(at(rows.row(i), d, size) + at(x.bias + head * size, d, size), sums + i * size, d, size);
  }
  return {sums, size, nullptr, rows.count, size};
}

template <class Word>
struct Workspace {
  Buffer<Word> queries, queriesJoined, gradients, gradientsJoined, keys, keysJoined, values, valuesJoined, lines, weights, back, backAlong;
  Buffer<float> scores, mixed, gradientScores, queryGradient, keyGradient, valueGradient, logSum, delta;
  Buffer<float> biasedQuery, biasedKey, biasedValue;
};

template <class Word>
Workspace<Word>& workspace() {
  thread_local Workspace<Word> space;
  return space;
}

constexpr float LOG2_E = 1.44269504088896341f;

/** exp2(scale·s − its largest) of a row's first `valid` numbers, zeros behind. @returns the sum, and the largest through `top` */
template <class Number>
float softmaxRow(float* s, int64_t valid, int64_t columns, float scale, Number* to, float* top) {
  for (int64_t j = valid; j < columns; j++) s[j] = -std::numeric_limits<float>::infinity();
  Vector most = load(s);
  for (int64_t j = LANES; j < columns; j += LANES) most = larger(most, load(s + j));
  const float largest = largestOf(most) * scale;
  Vector sums{};
  for (int64_t j = 0; j < columns; j += LANES) {
    const Vector weight = exp2<Number>(load(s + j) * scale - largest);
    sums += weight;
    narrow(weight, to + j);
  }
  for (int64_t j = valid; j < columns; j++) to[j] = Number{};
  *top = largest;
  return sumOf(sums);
}

/** What one head of one text sees. */
template <class Element>
void attendHead(const Attention<Element>& call, const Text& text, int64_t head) {
  using P = typename Choose<Element>::Type;
  const auto& [batch, length, heads, keyValueHeads, size, causal] = call.shape;
  const int64_t kv = head / (heads / keyValueHeads);
  auto& space = workspace<typename P::Word>();
  const auto query = rowsOf(call.query, head, size, text.queries, space.biasedQuery);
  const auto key = rowsOf(call.key, kv, size, text.keys, space.biasedKey);
  const auto value = rowsOf(call.value, kv, size, text.keys, space.biasedValue);
  const auto mixed = rowsOf(call.mixed, heads * size, head, size, text.queries);
  const int64_t count = query.count, all = key.count, columns = roundUp(all, TILE_COLUMNS), rows = roundUp(count, ROWS);
  const int64_t padded = roundUp(size, TILE_COLUMNS), words = padded / P::NUMBERS, apart = spread(columns);
  auto* queries = space.queries.zeros(rows * words);
  auto* keys = space.keys.zeros(words * apart);
  auto* values = space.valuesJoined.zeros(columns / P::NUMBERS * padded);
  packRows<P>(query, queries, words);
  packColumns<P>(key, keys, apart, space.lines, words);
  packJoined<P>(value, values, padded);
  float* scores = space.scores.get(QUERIES * columns);
  auto* weights = space.weights.get(QUERIES * columns / P::NUMBERS);
  float* out = space.mixed.get(QUERIES * padded);
  const float scale = LOG2_E / std::sqrt(static_cast<float>(size));
  for (int64_t i = 0; i < count; i += QUERIES) {
    const int64_t here = std::min(QUERIES, count - i), hereRows = roundUp(here, ROWS);
    const int64_t seen = causal ? roundUp(text.shared + i + here, TILE_COLUMNS) : columns;
    product<P>(hereRows, seen, words, queries + i * words, words, 1, keys, apart, scores, seen, false);
    float sums[QUERIES];
    for (int64_t r = 0; r < hereRows; r++) {
      float top;
      const int64_t valid = std::min(all, causal ? text.shared + i + r + 1 : all);
      const float sum = softmaxRow(scores + r * seen, valid, seen, scale, numbers(weights) + r * seen, &top);
      sums[r] = sum;
      if (r < here) call.logSum[text.queries[i + r] * heads + head] = top + std::log2(sum);
    }
    product<P>(hereRows, padded, seen / P::NUMBERS, weights, seen / P::NUMBERS, 1, values, padded, out, padded, false);
    for (int64_t r = 0; r < here; r++) unpack(out + r * padded, padded, 1 / sums[r], mixed, i + r, 1);
  }
}

template <class Element>
void attention(const Attention<Element>& call, Pool& pool) {
  const auto& shape = call.shape;
  const Texts found = findTexts(call);
  zeroRows(call.mixed, shape.heads * shape.size, shape.heads * shape.size, found.padding);
  zeroRows(call.logSum, shape.heads, shape.heads, found.padding);
  std::vector<const Text*> texts;
  for (const auto& family : found.families)
    for (const Text& text : family) texts.push_back(&text);
  pool.forEach(found.texts * shape.heads, [&](int64_t item) { attendHead(call, *texts[item / shape.heads], item % shape.heads); });
}

}  // namespace
}  // namespace rewardbook
