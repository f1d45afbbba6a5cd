// The backward pass of attention: the softmax computed again, block by block, from the saved log of its sum.
#pragma once
#include <vector>

#include "attention.h"

namespace rewardbook {
namespace {

/** P and dS of one row of a block: P = exp2(scale·s − logSum), dS = P·(dP − delta)/√size, 0 from `valid` on. */
struct BackRow {
  const float *scores, *gradientScores;
  float logSum, delta;
  int64_t valid;
};

template <class Number>
inline void backVector(const BackRow& row, int64_t j, float scale, Vector* weight, Vector* gradient) {
  Vector p = exp2<Number>(load(row.scores + j) * scale - row.logSum);
  if (j + LANES > row.valid)
    for (int lane = 0; lane < LANES; lane++)
      if (j + lane >= row.valid) p[lane] = 0;
  *weight = p;
  *gradient = p * (load(row.gradientScores + j) - row.delta) * (scale / LOG2_E);
}

/** The rows of a block, in both orders in which they are multiplied: `across` over the rows, `along` over the columns. */
inline void backRows(const BackRow* row, int64_t columns, float scale, float* weights, float* gradients, float*, Single) {
  for (int64_t j = 0; j < columns; j += LANES) {
    Vector p, d;
    backVector<float>(*row, j, scale, &p, &d);
    store(weights + j, p);
    store(gradients + j, d);
  }
}

#ifdef __AVX512BF16__
inline void backRows(const BackRow* row, int64_t columns, float scale, uint32_t* weights, uint32_t* gradients, uint32_t* along, Pair) {
  const auto interleave = [](__m256i first, __m256i second, uint32_t* to) {
    const __m512i low = _mm512_cvtepu16_epi32(first), high = _mm512_slli_epi32(_mm512_cvtepu16_epi32(second), 16);
    _mm512_storeu_si512(to, _mm512_or_si512(low, high));
  };
  for (int64_t j = 0; j < columns; j += LANES) {
    Vector p0, d0, p1, d1;
    backVector<Bfloat16>(row[0], j, scale, &p0, &d0);
    backVector<Bfloat16>(row[1], j, scale, &p1, &d1);
    interleave(halves(p0), halves(p1), weights + j);
    const __m256i first = halves(d0), second = halves(d1);
    interleave(first, second, gradients + j);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(along + j / 2), first);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(along + (columns + j) / 2), second);
  }
}
#endif

/** Adds up `count` rows of f32 numbers. */
inline void addRows(const float* rows, int64_t count, int64_t width, float* sums) {
  for (int64_t i = 0; i < count; i++)
    for (int64_t d = 0; d < width; d += LANES) store(sums + d, load(sums + d) + load(rows + i * width + d));
}

/** Adds numbers to others, a whole number of vectors. */
inline void addNumbers(const float* from, int64_t count, float* to) {
  for (int64_t d = 0; d < count; d += LANES) store(to + d, load(to + d) + load(from + d));
}

/** Numbers of a head, padded: rows of the sums below. */
inline int64_t paddedSize(const AttentionShape& shape) { return roundUp(shape.size, TILE_COLUMNS); }

/**
 * The gradients of one head of keys and values of one text, and of the queries that share it.
 *
 * @param later what the texts that go on from a text bring to the gradients of its keys, then of its values; such a text adds
 *   to it, and the text itself, which comes last, takes it. Null where no text goes on from another
 * @param sums where not null, gets the sum of the gradient's rows of each query head, of the key and of the value
 */
template <class Element>
void attendHeadBack(const AttentionGradient<Element>& call, const Text& text, int64_t kv, float* later, float* sums) {
  using P = typename Choose<Element>::Type;
  using Word = typename P::Word;
  const auto& [batch, length, heads, keyValueHeads, size, causal] = call.forward.shape;
  const int64_t count = static_cast<int64_t>(text.queries.size()), all = static_cast<int64_t>(text.keys.size());
  const int64_t group = heads / keyValueHeads, shared = text.shared;
  const int64_t columns = roundUp(all, std::max(TILE_COLUMNS, ROWS)), rows = roundUp(count, ROWS);
  const int64_t padded = paddedSize(call.forward.shape), words = padded / P::NUMBERS, apart = spread(columns);
  auto& space = workspace<Word>();
  Word* keys = space.keys.zeros(words * apart);
  Word* keysJoined = space.keysJoined.zeros(columns / P::NUMBERS * padded);
  Word* values = space.values.zeros(words * apart);
  const auto key = rowsOf(call.forward.key, kv, size, text.keys, space.biasedKey);
  packColumns<P>(key, keys, apart, space.lines, words);
  packJoined<P>(key, keysJoined, padded);
  packColumns<P>(rowsOf(call.forward.value, kv, size, text.keys, space.biasedValue), values, apart, space.lines, words);
  float* keyGradient = space.keyGradient.zeros(columns * padded);
  float* valueGradient = space.valueGradient.zeros(columns * padded);
  float* scores = space.scores.get(QUERIES_BACK * KEYS_BACK);
  float* gradientScores = space.gradientScores.get(QUERIES_BACK * KEYS_BACK);
  Word* weights = space.weights.get(QUERIES_BACK * KEYS_BACK / P::NUMBERS);
  Word* back = space.back.get(QUERIES_BACK * KEYS_BACK / P::NUMBERS);
  Word* backAlong = space.backAlong.get(QUERIES_BACK * KEYS_BACK / P::NUMBERS);
  float* queryGradient = space.queryGradient.get(QUERIES_BACK * padded);
  const float scale = LOG2_E / std::sqrt(static_cast<float>(size));
  for (int64_t head = kv * group; head < (kv + 1) * group; head++) {
    const auto query = rowsOf(call.forward.query, head, size, text.queries, space.biasedQuery);
    const auto gradient = rowsOf(call.gradient, heads * size, head, size, text.queries);
    const auto mixed = rowsOf<const Element>(call.forward.mixed, heads * size, head, size, text.queries);
    Word* queries = space.queries.zeros(rows * words);
    Word* queriesJoined = space.queriesJoined.zeros(rows / P::NUMBERS * padded);
    Word* gradients = space.gradients.zeros(rows * words);
    Word* gradientsJoined = space.gradientsJoined.zeros(rows / P::NUMBERS * padded);
    packRows<P>(query, queries, words);
    packJoined<P>(query, queriesJoined, padded);
    packRows<P>(gradient, gradients, words);
    packJoined<P>(gradient, gradientsJoined, padded);
    float* logSum = space.logSum.get(rows);
    float* delta = space.delta.get(rows);
    for (int64_t i = 0; i < rows; i++) {
      mixed.prefetch(i);
      logSum[i] = i < count ? call.forward.logSum[text.queries[i] * heads + head] : 0;
      delta[i] = i < count ? dot(gradient.row(i), mixed.row(i), size) : 0;
    }
    for (int64_t i = 0; i < count; i += QUERIES_BACK) {
      const int64_t here = std::min(QUERIES_BACK, count - i), hereRows = roundUp(here, ROWS);
      const int64_t seen = causal ? roundUp(shared + i + here, TILE_COLUMNS) : columns;
      for (int64_t j = 0; j < seen; j += KEYS_BACK) {
        const int64_t width = std::min(KEYS_BACK, seen - j);
        product<P>(hereRows, width, words, queries + i * words, words, 1, keys + j, apart, scores, width, false);
        product<P>(hereRows, width, words, gradients + i * words, words, 1, values + j, apart, gradientScores, width, false);
        for (int64_t r = 0; r < hereRows; r += P::NUMBERS) {
          BackRow block[P::NUMBERS];
          for (int64_t n = 0; n < P::NUMBERS; n++) {
            const int64_t at = r + n, end = at < here ? std::min(all, causal ? shared + i + at + 1 : all) - j : 0;
            block[n] = {scores + at * width, gradientScores + at * width, logSum[i + at], delta[i + at], end};
          }
          const int64_t line = r / P::NUMBERS * width;
          backRows(block, width, scale, weights + line, back + line, backAlong + r * width / P::NUMBERS, P{});
        }
        const int64_t inner = hereRows / P::NUMBERS, first = i / P::NUMBERS * padded;
        product<P>(width, padded, inner, weights, 1, width, gradientsJoined + first, padded, valueGradient + j * padded, padded, true);
        product<P>(width, padded, inner, back, 1, width, queriesJoined + first, padded, keyGradient + j * padded, padded, true);
        const Word* along = P::NUMBERS == 1 ? back : backAlong;
        product<P>(hereRows, padded, width / P::NUMBERS, along, width / P::NUMBERS, 1, keysJoined + j / P::NUMBERS * padded, padded,
                   queryGradient, padded, j > 0);
      }
      if (sums) addRows(queryGradient, here, padded, sums + (head - kv * group) * padded);
      unpack(queryGradient, padded, 1, rowsOf(call.query.base, call.query.width, head, size, text.queries), i, here);
    }
  }
  if (later && shared > 0) {
    addNumbers(keyGradient, shared * padded, later);
    addNumbers(valueGradient, shared * padded, later + shared * padded);
  } else if (later) {
    addNumbers(later, count * padded, keyGradient);
    addNumbers(later + count * padded, count * padded, valueGradient);
  }
  const float *ownKeys = keyGradient + shared * padded, *ownValues = valueGradient + shared * padded;
  if (sums) {
    addRows(ownKeys, count, padded, sums + group * padded);
    addRows(ownValues, count, padded, sums + (group + 1) * padded);
  }
  unpack(ownKeys, padded, 1, rowsOf(call.key.base, call.key.width, kv, size, text.queries), 0, count);
  unpack(ownValues, padded, 1, rowsOf(call.value.base, call.value.width, kv, size, text.queries), 0, count);
}

/** The same for a text and all that go on from it: these first, since they bring something to its gradients. */
template <class Element>
void attendFamilyBack(const AttentionGradient<Element>& call, const std::vector<Text>& family, int64_t kv, float* sums, int64_t numbers) {
  if (family.size() == 1) return attendHeadBack(call, family[0], kv, nullptr, sums);
  thread_local Buffer<float> space;
  float* const later = space.zeros(2 * static_cast<int64_t>(family[0].queries.size()) * paddedSize(call.forward.shape));
  for (size_t member = family.size(); member-- > 0;)
    attendHeadBack(call, family[member], kv, later, sums ? sums + static_cast<int64_t>(member) * call.forward.shape.keyValueHeads * numbers : nullptr);
}

/** The rows' sums of all texts, [texts, keyValueHeads, group + 2, padded size], added up for each operand in the order of the texts. */
template <class Element>
void addSums(const AttentionGradient<Element>& call, const float* sums, int64_t texts) {
  const auto& [batch, length, heads, keyValueHeads, size, causal] = call.forward.shape;
  const int64_t group = heads / keyValueHeads, padded = paddedSize(call.forward.shape);
  std::fill_n(call.query.sums, heads * size, 0.0f);
  std::fill_n(call.key.sums, keyValueHeads * size, 0.0f);
  std::fill_n(call.value.sums, keyValueHeads * size, 0.0f);
  for (int64_t item = 0; item < texts * keyValueHeads; item++)
    for (int64_t part = 0; part < group + 2; part++, sums += padded) {
      const int64_t kv = item % keyValueHeads;
      float* const to = part < group ? call.query.sums + (kv * group + part) * size : (part == group ? call.key.sums : call.value.sums) + kv * size;
      for (int64_t d = 0; d < size; d++) to[d] += sums[d];
    }
}

template <class Element>
void attentionGradient(const AttentionGradient<Element>& call, Pool& pool) {
  const auto& shape = call.forward.shape;
  const Texts found = findTexts(call.forward);
  zeroRows(call.query.base, call.query.width, shape.heads * shape.size, found.padding);
  zeroRows(call.key.base, call.key.width, shape.keyValueHeads * shape.size, found.padding);
  zeroRows(call.value.base, call.value.width, shape.keyValueHeads * shape.size, found.padding);
  const int64_t numbers = (shape.heads / shape.keyValueHeads + 2) * paddedSize(shape);
  std::vector<float> sums(call.query.sums ? found.texts * shape.keyValueHeads * numbers : 0);
  std::vector<int64_t> before;  // texts of the families before each
  int64_t count = 0;
  for (const auto& family : found.families) {
    before.push_back(count);
    count += static_cast<int64_t>(family.size());
  }
  pool.forEach(static_cast<int64_t>(found.families.size()) * shape.keyValueHeads, [&](int64_t item) {
    const int64_t family = item / shape.keyValueHeads, kv = item % shape.keyValueHeads;
    float* const own = call.query.sums ? sums.data() + (before[family] * shape.keyValueHeads + kv) * numbers : nullptr;
    attendFamilyBack(call, found.families[family], kv, own, numbers);
  });
  if (call.query.sums) addSums(call, sums.data(), found.texts);
}

}  // namespace
}  // namespace rewardbook
