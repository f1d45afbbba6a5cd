// Attention, forward and backward. It never writes the [length, length] matrices to memory: a block of queries meets its
// keys in a buffer that fits the cache, and the backward pass computes the softmax again from the saved log of its sum (Dao
// et al. 2022, FlashAttention, arXiv 2205.14135). Texts that share a row are separate problems, so padding and the other
// texts cost nothing.
#pragma once
#include <limits>
#include <utility>
#include <vector>

#include "vectors.h"

namespace rewardbook {
namespace {

/** Rows of a tile: its sums stay in registers. */
constexpr int TILE_ROWS = LANES == 16 ? 8 : 4;
/** Columns of a tile: two vectors. All inner arrays are padded with zeros to this. */
constexpr int64_t TILE_COLUMNS = 2 * LANES;
/** Rows of all inner arrays are padded with zeros to this. */
constexpr int64_t ROWS = 8;
/** Queries that meet their keys at a time, forward and backward; keys at a time, backward. */
constexpr int64_t QUERIES = 32;
constexpr int64_t QUERIES_BACK = 64;
constexpr int64_t KEYS_BACK = 128;

/** Products of f32 numbers: a word is one number. */
struct Single {
  using Word = float;
  static constexpr int64_t NUMBERS = 1;
  static Vector multiplyAdd(Vector sum, Word a, Vector b) { return sum + splat(a) * b; }
  static Word word(float first) { return first; }
};

#ifdef __AVX512BF16__
/** Products of bf16 numbers with f32 sums: a word is two numbers that follow each other along the inner dimension. */
struct Pair {
  using Word = uint32_t;
  static constexpr int64_t NUMBERS = 2;
  static Vector multiplyAdd(Vector sum, Word a, Vector b) {
    return (Vector)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32(static_cast<int>(a)), (__m512bh)b);
  }
};
template <class Element> struct Choose { using Type = Single; };
template <> struct Choose<Bfloat16> { using Type = Pair; };
#else
template <class Element> struct Choose { using Type = Single; };
#endif

template <class P, int R>
inline void tile(const typename P::Word* a, int64_t aRow, int64_t aInner, const typename P::Word* b, int64_t bInner,
                 int64_t inner, float* c, int64_t cRow, bool add) {
  Vector left[R], right[R];
  for (int r = 0; r < R; r++) {
    left[r] = add ? load(c + r * cRow) : Vector{};
    right[r] = add ? load(c + r * cRow + LANES) : Vector{};
  }
  for (int64_t k = 0; k < inner; k++) {
    const Vector b0 = load(b + k * bInner), b1 = load(b + k * bInner + LANES);
    for (int r = 0; r < R; r++) {
      const typename P::Word word = a[r * aRow + k * aInner];
      left[r] = P::multiplyAdd(left[r], word, b0);
      right[r] = P::multiplyAdd(right[r], word, b1);
    }
  }
  for (int r = 0; r < R; r++) {
    store(c + r * cRow, left[r]);
    store(c + r * cRow + LANES, right[r]);
  }
}

/**
 * C = A·B, or C += A·B. A may have any strides; B's rows lie one after another in words.
 *
 * @param rows multiple of ROWS
 * @param columns multiple of TILE_COLUMNS
 * @param inner words, not numbers
 */
template <class P>
void product(int64_t rows, int64_t columns, int64_t inner, const typename P::Word* a, int64_t aRow, int64_t aInner,
             const typename P::Word* b, int64_t bInner, float* c, int64_t cRow, bool add) {
  for (int64_t j = 0; j < columns; j += TILE_COLUMNS)
    for (int64_t i = 0; i < rows; i += TILE_ROWS)
      tile<P, TILE_ROWS>(a + i * aRow, aRow, aInner, b + j, bInner, inner, c + i * cRow + j, cRow, add);
}

/** An array of a thread, kept between calls. */
template <class T>
class Buffer {
 public:
  T* get(int64_t count) {
    if (static_cast<int64_t>(data_.size()) < count) data_.resize(count);
    return data_.data();
  }
  T* zeros(int64_t count) {
    std::fill_n(get(count), count, T{});
    return data_.data();
  }

 private:
  std::vector<T> data_;
};

/** The rows of one head of one text: `places` of the rows of `width`, or, where null, one after another. */
template <class Element>
struct Rows {
  Element* base;
  int64_t width;
  const int32_t* places;
  int64_t count, size;
  Element* row(int64_t i) const { return base + (places ? places[i] : i) * width; }
  /** Asks for a row that comes soon: they lie too far apart for the processor to guess. */
  template <int forWriting = 0>
  void prefetch(int64_t i) const { __builtin_prefetch(row(std::min(i + 16, count - 1)), forWriting); }
};

#ifdef __AVX512BF16__
inline Bfloat16* numbers(uint32_t* words) { return reinterpret_cast<Bfloat16*>(words); }
#endif
inline float* numbers(float* words) { return words; }

/** A row's words; what lies behind `size` stays 0. */
template <class P, class Element>
inline void copyRow(const Element* row, int64_t size, typename P::Word* to) {
  if constexpr (sizeof(Element) * P::NUMBERS == sizeof *to) {
    int64_t d = 0;  // a call to copy one line of the cache takes longer than the copy
    for (constexpr int64_t step = sizeof(Vector) / sizeof *row; d + step <= size; d += step) store(numbers(to) + d, load(row + d));
    if (d < size) std::memcpy(numbers(to) + d, row + d, (size - d) * sizeof *row);
  } else {
    for (int64_t d = 0; d < size; d++) to[d] = widen(row[d]);
  }
}

/** As they are, [rows, words of the size]: the left operand of a product over the size. */
template <class P, class Element>
void packRows(const Rows<const Element>& x, typename P::Word* to, int64_t words) {
  for (int64_t i = 0; i < x.count; i++) {
    x.prefetch(i);
    copyRow<P>(x.row(i), x.size, to + i * words);
  }
}

/** Rows turned at a time: one line of the cache. */
constexpr int64_t TURNED = 16;

/** Transposed, [words of the size, columns]: the right operand of a product over the size. */
template <class P, class Element>
void packColumns(const Rows<const Element>& x, typename P::Word* to, int64_t columns, Buffer<typename P::Word>& lines, int64_t words) {
  auto* line = lines.zeros(TURNED * words);
  for (int64_t i = 0; i < x.count; i += TURNED) {
    const int64_t here = std::min(TURNED, x.count - i);
    for (int64_t k = 0; k < here; k++) copyRow<P>(x.row(i + k), x.size, line + k * words);
    for (int64_t p = 0; p < words; p++)
      for (int64_t k = 0; k < here; k++) to[p * columns + i + k] = line[k * words + p];
  }
}

/** [words of the rows, size]: the right operand of a product over the rows. */
template <class P, class Element>
void packJoined(const Rows<const Element>& x, typename P::Word* to, int64_t size) {
  for (int64_t i = 0; i < x.count; i += P::NUMBERS) {
    auto* line = to + i / P::NUMBERS * size;
    const Element* first = x.row(i);
    if constexpr (P::NUMBERS == 1) {
      for (int64_t d = 0; d < x.size; d++) line[d] = widen(first[d]);
    } else if (i + 1 < x.count) {
      const Element* second = x.row(i + 1);
      for (int64_t d = 0; d < x.size; d++) line[d] = first[d] | static_cast<uint32_t>(second[d]) << 16;
    } else {
      for (int64_t d = 0; d < x.size; d++) line[d] = first[d];
    }
  }
}

template <class Element>
float dot(const Element* x, const Element* y, int64_t size) {
  Vector sum{};
  for (int64_t d = 0; d < size; d += LANES) sum += at(x, d, size) * at(y, d, size);
  return sumOf(sum);
}

template <class Element>
void unpack(const float* from, int64_t stride, float scale, const Rows<Element>& to, int64_t first, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    to.template prefetch<1>(first + i);
    for (int64_t d = 0; d < to.size; d += LANES) put(load(from + i * stride + d) * scale, to.row(first + i), d, to.size);
  }
}

/** The texts of all rows of a batch: places of their tokens. */
struct Texts {
  std::vector<std::vector<int32_t>> places;
  std::vector<int32_t> padding;
};

Texts findTexts(const float* texts, int64_t batch, int64_t length) {
  Texts found;
  for (int64_t b = 0; b < batch; b++) {
    std::vector<std::pair<float, size_t>> known;  // few texts share a row
    for (int64_t t = 0; t < length; t++) {
      const float number = texts[b * length + t];
      const int32_t place = static_cast<int32_t>(b * length + t);
      if (number == 0) {
        found.padding.push_back(place);
        continue;
      }
      auto at = std::find_if(known.rbegin(), known.rend(), [&](const auto& one) { return one.first == number; });
      if (at == known.rend()) {
        known.emplace_back(number, found.places.size());
        found.places.emplace_back();
        at = known.rbegin();
      }
      found.places[at->second].push_back(place);
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
void attendHead(const Attention<Element>& call, const std::vector<int32_t>& places, int64_t head) {
  using P = typename Choose<Element>::Type;
  const auto& [batch, length, heads, keyValueHeads, size, causal] = call.shape;
  const int64_t kv = head / (heads / keyValueHeads);
  auto& space = workspace<typename P::Word>();
  const auto query = rowsOf(call.query, head, size, places, space.biasedQuery);
  const auto key = rowsOf(call.key, kv, size, places, space.biasedKey);
  const auto value = rowsOf(call.value, kv, size, places, space.biasedValue);
  const auto mixed = rowsOf(call.mixed, heads * size, head, size, places);
  const int64_t count = query.count, columns = roundUp(count, TILE_COLUMNS), rows = roundUp(count, ROWS);
  const int64_t padded = roundUp(size, TILE_COLUMNS), words = padded / P::NUMBERS;
  auto* queries = space.queries.zeros(rows * words);
  auto* keys = space.keys.zeros(words * columns);
  auto* values = space.valuesJoined.zeros(columns / P::NUMBERS * padded);
  packRows<P>(query, queries, words);
  packColumns<P>(key, keys, columns, space.lines, words);
  packJoined<P>(value, values, padded);
  float* scores = space.scores.get(QUERIES * columns);
  auto* weights = space.weights.get(QUERIES * columns / P::NUMBERS);
  float* out = space.mixed.get(QUERIES * padded);
  const float scale = LOG2_E / std::sqrt(static_cast<float>(size));
  for (int64_t i = 0; i < count; i += QUERIES) {
    const int64_t here = std::min(QUERIES, count - i), hereRows = roundUp(here, ROWS);
    const int64_t seen = causal ? roundUp(i + here, TILE_COLUMNS) : columns;
    product<P>(hereRows, seen, words, queries + i * words, words, 1, keys, columns, scores, seen, false);
    float sums[QUERIES];
    for (int64_t r = 0; r < hereRows; r++) {
      float top;
      const int64_t valid = std::min(count, causal ? i + r + 1 : count);
      const float sum = softmaxRow(scores + r * seen, valid, seen, scale, numbers(weights) + r * seen, &top);
      sums[r] = sum;
      if (r < here) call.logSum[places[i + r] * heads + head] = top + std::log2(sum);
    }
    product<P>(hereRows, padded, seen / P::NUMBERS, weights, seen / P::NUMBERS, 1, values, padded, out, padded, false);
    for (int64_t r = 0; r < here; r++) unpack(out + r * padded, padded, 1 / sums[r], mixed, i + r, 1);
  }
}

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

/** Numbers of a head, padded: rows of the sums below. */
inline int64_t paddedSize(const AttentionShape& shape) { return roundUp(shape.size, TILE_COLUMNS); }

/**
 * The gradients of one head of keys and values of one text, and of the queries that share it.
 *
 * @param sums where not null, gets the sum of the gradient's rows of each query head, of the key and of the value
 */
template <class Element>
void attendHeadBack(const AttentionGradient<Element>& call, const std::vector<int32_t>& places, int64_t kv, float* sums) {
  using P = typename Choose<Element>::Type;
  using Word = typename P::Word;
  const auto& [batch, length, heads, keyValueHeads, size, causal] = call.forward.shape;
  const int64_t count = static_cast<int64_t>(places.size()), group = heads / keyValueHeads;
  const int64_t columns = roundUp(count, std::max(TILE_COLUMNS, ROWS)), rows = roundUp(count, ROWS);
  const int64_t padded = paddedSize(call.forward.shape), words = padded / P::NUMBERS;
  auto& space = workspace<Word>();
  Word* keys = space.keys.zeros(words * columns);
  Word* keysJoined = space.keysJoined.zeros(columns / P::NUMBERS * padded);
  Word* values = space.values.zeros(words * columns);
  const auto key = rowsOf(call.forward.key, kv, size, places, space.biasedKey);
  packColumns<P>(key, keys, columns, space.lines, words);
  packJoined<P>(key, keysJoined, padded);
  packColumns<P>(rowsOf(call.forward.value, kv, size, places, space.biasedValue), values, columns, space.lines, words);
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
    const auto query = rowsOf(call.forward.query, head, size, places, space.biasedQuery);
    const auto gradient = rowsOf(call.gradient, heads * size, head, size, places);
    const auto mixed = rowsOf<const Element>(call.forward.mixed, heads * size, head, size, places);
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
      logSum[i] = i < count ? call.forward.logSum[places[i] * heads + head] : 0;
      delta[i] = i < count ? dot(gradient.row(i), mixed.row(i), size) : 0;
    }
    for (int64_t i = 0; i < count; i += QUERIES_BACK) {
      const int64_t here = std::min(QUERIES_BACK, count - i), hereRows = roundUp(here, ROWS);
      const int64_t seen = causal ? roundUp(i + here, TILE_COLUMNS) : columns;
      for (int64_t j = 0; j < seen; j += KEYS_BACK) {
        const int64_t width = std::min(KEYS_BACK, seen - j);
        product<P>(hereRows, width, words, queries + i * words, words, 1, keys + j, columns, scores, width, false);
        product<P>(hereRows, width, words, gradients + i * words, words, 1, values + j, columns, gradientScores, width, false);
        for (int64_t r = 0; r < hereRows; r += P::NUMBERS) {
          BackRow block[P::NUMBERS];
          for (int64_t n = 0; n < P::NUMBERS; n++) {
            const int64_t at = r + n, end = at < here ? std::min(count, causal ? i + at + 1 : count) - j : 0;
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
      unpack(queryGradient, padded, 1, rowsOf(call.query.base, call.query.width, head, size, places), i, here);
    }
  }
  if (sums) {
    addRows(keyGradient, count, padded, sums + group * padded);
    addRows(valueGradient, count, padded, sums + (group + 1) * padded);
  }
  unpack(keyGradient, padded, 1, rowsOf(call.key.base, call.key.width, kv, size, places), 0, count);
  unpack(valueGradient, padded, 1, rowsOf(call.value.base, call.value.width, kv, size, places), 0, count);
}

template <class Element>
void attention(const Attention<Element>& call, Pool& pool) {
  const auto& shape = call.shape;
  const Texts texts = findTexts(call.texts, shape.batch, shape.length);
  zeroRows(call.mixed, shape.heads * shape.size, shape.heads * shape.size, texts.padding);
  zeroRows(call.logSum, shape.heads, shape.heads, texts.padding);
  pool.forEach(static_cast<int64_t>(texts.places.size()) * shape.heads,
               [&](int64_t item) { attendHead(call, texts.places[item / shape.heads], item % shape.heads); });
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
  const Texts texts = findTexts(call.forward.texts, shape.batch, shape.length);
  zeroRows(call.query.base, call.query.width, shape.heads * shape.size, texts.padding);
  zeroRows(call.key.base, call.key.width, shape.keyValueHeads * shape.size, texts.padding);
  zeroRows(call.value.base, call.value.width, shape.keyValueHeads * shape.size, texts.padding);
  const int64_t count = static_cast<int64_t>(texts.places.size());
  const int64_t numbers = (shape.heads / shape.keyValueHeads + 2) * paddedSize(shape);
  std::vector<float> sums(call.query.sums ? count * shape.keyValueHeads * numbers : 0);
  pool.forEach(count * shape.keyValueHeads, [&](int64_t item) {
    float* const own = call.query.sums ? sums.data() + item * numbers : nullptr;
    attendHeadBack(call, texts.places[item / shape.keyValueHeads], item % shape.keyValueHeads, own);
  });
  if (call.query.sums) addSums(call, sums.data(), count);
}

}  // namespace
}  // namespace rewardbook
