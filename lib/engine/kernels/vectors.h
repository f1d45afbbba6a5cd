// Vectors of whatever width the instruction set has, for arithmetic.cc, which is compiled once for each.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels.h"
#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace rewardbook {
namespace {

#if defined(__AVX512F__)
constexpr int LANES = 16;
#elif defined(__AVX2__)
constexpr int LANES = 8;
#else
constexpr int LANES = 4;
#endif

typedef float Vector __attribute__((vector_size(LANES * 4)));
typedef int32_t Integers __attribute__((vector_size(LANES * 4)));
typedef float Unaligned __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

inline Vector load(const void* from) { return *static_cast<const Unaligned*>(from); }
inline void store(void* to, Vector value) { *static_cast<Unaligned*>(to) = value; }
inline Vector splat(float value) { return value - Vector{}; }
inline Vector larger(Vector a, Vector b) { return a > b ? a : b; }

inline int64_t roundUp(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

inline float widen(float value) { return value; }
inline float widen(Bfloat16 value) {
  const uint32_t bits = static_cast<uint32_t>(value) << 16;
  float result;
  std::memcpy(&result, &bits, 4);
  return result;
}

/** To nearest, ties to even; no number here is NaN unless the step is lost anyway, and then it stays NaN. */
inline uint32_t upperHalf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  if (value != value) return 0x7fc0;
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}
inline void narrow(float value, float& to) { to = value; }
inline void narrow(float value, Bfloat16& to) { to = static_cast<Bfloat16>(upperHalf(value)); }

/**
 * 2ˣ, to 1e-7 for f32 results and to 4e-6 for bf16 ones; below −126 a number that is 0 for all that follows.
 * Element is the type of what the result goes into.
 */
template <class Element>
inline Vector exp2(Vector x) {
  x = larger(x, splat(-126.0f));
#ifdef __AVX512F__
  const Vector whole = (Vector)_mm512_roundscale_ps((__m512)x, 0);
#else
  const Vector shift = splat(12582912.0f);  // 1.5·2²³: adding it rounds to a whole number
  const Vector whole = (x + shift) - shift;
#endif
  const Vector f = x - whole;
  Vector y;
  if constexpr (sizeof(Element) == 2) {
    y = splat(9.666368515387469e-3f);
    y = y * f + splat(5.592197584225626e-2f);
    y = y * f + splat(2.4022349038020335e-1f);
    y = y * f + splat(6.93121045203427e-1f);
  } else {
    y = splat(1.535336188319500e-4f);
    y = y * f + splat(1.339887440266574e-3f);
    y = y * f + splat(9.618437357674640e-3f);
    y = y * f + splat(5.550332471162809e-2f);
    y = y * f + splat(2.402264791363012e-1f);
    y = y * f + splat(6.931472028550421e-1f);
  }
  y = y * f + splat(1.0f);
#ifdef __AVX512F__
  return (Vector)_mm512_scalef_ps((__m512)y, (__m512)whole);
#else
  Integers bits;
  std::memcpy(&bits, &y, sizeof bits);
  bits += __builtin_convertvector(whole, Integers) << 23;
  std::memcpy(&y, &bits, sizeof y);
  return y;
#endif
}

/** Lanes are combined in pairs: one after another each would wait for the one before. */
template <class Combine>
inline float combined(Vector x, const Combine& combine) {
  for (int half = LANES / 2; half > 0; half /= 2)
    for (int lane = 0; lane < half; lane++) x[lane] = combine(x[lane], x[lane + half]);
  return x[0];
}

inline float sumOf(Vector x) {
#ifdef __AVX512F__
  return _mm512_reduce_add_ps((__m512)x);
#else
  return combined(x, [](float a, float b) { return a + b; });
#endif
}

inline float largestOf(Vector x) {
#ifdef __AVX512F__
  return _mm512_reduce_max_ps((__m512)x);
#else
  return combined(x, [](float a, float b) { return std::max(a, b); });
#endif
}

inline Vector widen(const float* from) { return load(from); }
inline void narrow(Vector x, float* to) { store(to, x); }

#ifdef __AVX512F__
inline Vector widen(const Bfloat16* from) {
  const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return (Vector)_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16);
}
#else
inline Vector widen(const Bfloat16* from) {
  Vector x;
  for (int lane = 0; lane < LANES; lane++) x[lane] = widen(from[lane]);
  return x;
}
#endif

#ifdef __AVX512BF16__
inline __m256i halves(Vector x) { return (__m256i)_mm512_cvtneps_pbh((__m512)x); }
inline void narrow(Vector x, Bfloat16* to) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), halves(x)); }
#else
inline void narrow(Vector x, Bfloat16* to) {
  for (int lane = 0; lane < LANES; lane++) narrow(x[lane], to[lane]);
}
#endif

/** Numbers j … j + LANES of a row of `count`, zeros behind its end. */
template <class Element>
inline Vector at(const Element* row, int64_t j, int64_t count) {
  if (j + LANES <= count) return widen(row + j);
  Vector x{};
  for (int64_t k = j; k < count; k++) x[k - j] = widen(row[k]);
  return x;
}

template <class Element>
inline void put(Vector x, Element* row, int64_t j, int64_t count) {
  if (j + LANES <= count) return narrow(x, row + j);
  for (int64_t k = j; k < count; k++) narrow(x[k - j], row[k]);
}

/** Writes past the cache, which what is written would only push other things out of. `to` is aligned to a vector. */
inline void stream(float* to, Vector value) {
#if defined(__AVX512F__)
  _mm512_stream_ps(to, (__m512)value);
#elif defined(__AVX2__)
  _mm256_stream_ps(to, (__m256)value);
#else
  store(to, value);
#endif
}

inline Vector squareRoot(Vector x) {
#if defined(__AVX512F__)
  return (Vector)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__)
  return (Vector)_mm256_sqrt_ps((__m256)x);
#else
  for (int lane = 0; lane < LANES; lane++) x[lane] = std::sqrt(x[lane]);
  return x;
#endif
}

}  // namespace
}  // namespace rewardbook
