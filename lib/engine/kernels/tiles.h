// Products of small blocks, and how rows of numbers are packed for them.
#pragma once
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

/**
 * The distance between packed rows of `columns` words: an odd number of tiles. With an even one, of 512 say, all rows of a tile
 * fall into a few sets of the first cache and push each other out.
 */
inline int64_t spread(int64_t columns) { return columns | TILE_COLUMNS; }

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

}  // namespace
}  // namespace rewardbook
