// What lies between the matrix products: AdamW, residual with layer normalisation, gelu; each in one pass over memory.
#pragma once
#include <vector>

#include "vectors.h"

namespace rewardbook {
namespace {

/** The update of lib/engine/adamw.ts in one pass over memory. `from` is a multiple of the vectors' length. */
void adamw(const AdamW& call, int64_t from, int64_t to) {
  const AdamWCoefficients c = call.coefficients;
  const auto update = [&](Vector p, Vector m, Vector v, Vector g, Vector* next) {
    g = c.finite != 0 ? g : Vector{};
    next[1] = m * c.keep1 + g * c.take1;
    next[2] = v * c.keep2 + g * g * c.take2;
    next[0] = p * c.shrink - next[1] * c.rate / (squareRoot(next[2]) + c.floor);
  };
  const float* const in[] = {call.parameter, call.average, call.square, call.gradient};
  float* const out[] = {call.newParameter, call.newAverage, call.newSquare};
  const bool inPlace = out[0] == in[0];  // then the lines are in the cache already
  Vector next[3];
  int64_t i = from;
  for (; i + LANES <= to; i += LANES) {
    update(load(in[0] + i), load(in[1] + i), load(in[2] + i), load(in[3] + i), next);
    for (int k = 0; k < 3; k++) inPlace ? store(out[k] + i, next[k]) : stream(out[k] + i, next[k]);
  }
  if (i < to) {
    Vector rest[4] = {};
    for (int k = 0; k < 4; k++) std::copy_n(in[k] + i, to - i, reinterpret_cast<float*>(&rest[k]));
    update(rest[0], rest[1], rest[2], rest[3], next);
    for (int k = 0; k < 3; k++) std::copy_n(reinterpret_cast<float*>(&next[k]), to - i, out[k] + i);
  }
#if defined(__AVX512F__) || defined(__AVX2__)
  _mm_sfence();
#endif
}

/** Rows that a thread takes at a time; sums over columns are kept for each such part and added in order. */
constexpr int64_t PART = 64;

/** Runs rows(first, last, sums) on all parts; `sums` are `kinds` rows of zeros as wide as a vector-padded row. Adds them into `to`. */
template <class Work>
void withColumnSums(int64_t rows, int64_t width, const std::vector<float*>& to, Pool& pool, const Work& work) {
  const int64_t padded = (width + LANES - 1) / LANES * LANES, parts = (rows + PART - 1) / PART;
  const int64_t kinds = static_cast<int64_t>(to.size());
  std::vector<float> sums(parts * kinds * padded);
  pool.forEach(parts, [&](int64_t part) {
    float* own[3];
    for (int64_t kind = 0; kind < kinds; kind++) own[kind] = sums.data() + (part * kinds + kind) * padded;
    work(part * PART, std::min(rows, (part + 1) * PART), own);
  });
  for (int64_t kind = 0; kind < kinds; kind++) {
    std::fill_n(to[kind], width, 0.0f);
    for (int64_t part = 0; part < parts; part++)
      for (int64_t j = 0; j < width; j++) to[kind][j] += sums[(part * kinds + kind) * padded + j];
  }
}

/** product + bias + residual. */
template <class Element>
inline Vector summed(const AddNorm<Element>& call, int64_t row, int64_t j) {
  const int64_t width = call.width;
  return at(call.product + row * width, j, width) + at(call.bias, j, width) + at(call.residual + row * width, j, width);
}

template <class Element>
void addNorm(const AddNorm<Element>& call, Pool& pool) {
  const int64_t width = call.width, padded = (width + LANES - 1) / LANES * LANES;
  pool.forEach((call.rows + PART - 1) / PART, [&](int64_t part) {
    std::vector<float> line(padded);
    for (int64_t row = part * PART; row < std::min(call.rows, (part + 1) * PART); row++) {
      Vector total{}, squares{};
      for (int64_t j = 0; j < width; j += LANES) {
        const Vector x = summed(call, row, j);
        store(line.data() + j, x);
        total += x;
      }
      const float mean = sumOf(total) / width;
      for (int64_t j = 0; j < width; j += LANES) {
        Vector x = load(line.data() + j) - mean;
        for (int64_t k = width; k < j + LANES; k++) x[k - j] = 0;
        squares += x * x;
      }
      const float inverse = 1 / std::sqrt(sumOf(squares) / width + call.epsilon);
      for (int64_t j = 0; j < width; j += LANES) {
        const Vector y = (load(line.data() + j) - mean) * inverse * at(call.weight, j, width) + at(call.beta, j, width);
        put(y, call.normed + row * width, j, width);
        if (call.narrow) put(y, call.narrow + row * width, j, width);
      }
      call.statistics[2 * row] = mean;
      call.statistics[2 * row + 1] = inverse;
    }
  });
}

template <class Element>
void addNormGradient(const AddNormGradient<Element>& call, Pool& pool) {
  const AddNorm<Element>& forward = call.forward;
  const int64_t width = forward.width, padded = (width + LANES - 1) / LANES * LANES;
  withColumnSums(forward.rows, width, {call.biasGradient, call.weightGradient, call.betaGradient}, pool, [&](int64_t first, int64_t last, float** sums) {
    std::vector<float> units(padded), gradients(padded);
    for (int64_t row = first; row < last; row++) {
      const float mean = forward.statistics[2 * row], inverse = forward.statistics[2 * row + 1];
      Vector total{}, along{};
      for (int64_t j = 0; j < width; j += LANES) {
        const Vector unit = (summed(forward, row, j) - mean) * inverse;
        const Vector dy = at(call.gradient + row * width, j, width);
        const Vector g = dy * at(forward.weight, j, width);
        store(units.data() + j, unit);
        store(gradients.data() + j, g);
        total += g;
        along += g * unit;
        store(sums[1] + j, load(sums[1] + j) + dy * unit);
        store(sums[2] + j, load(sums[2] + j) + dy);
      }
      const float a = sumOf(total) / width, b = sumOf(along) / width;
      for (int64_t j = 0; j < width; j += LANES) {
        const Vector dx = (load(gradients.data() + j) - a - load(units.data() + j) * b) * inverse;
        put(dx, call.inputGradient + row * width, j, width);
        if (call.narrow) put(dx, call.narrow + row * width, j, width);
        store(sums[0] + j, load(sums[0] + j) + dx);
      }
    }
  });
}

template <class Element>
inline Vector reciprocal(Vector x) {
#ifdef __AVX512F__
  if constexpr (sizeof(Element) == 2) return (Vector)_mm512_rcp14_ps((__m512)x);
#endif
  return 1 / x;
}

/** Φ(x), and φ(x) by the way. Abramowitz and Stegun (1964), 7.1.26: to 1.5e-7. */
template <class Element>
inline Vector normalCdf(Vector x, Vector* density) {
  const Vector size = x < 0 ? -x : x;
  const Vector bell = exp2<Element>(x * x * -0.7213475204444817f);  // exp(−x²/2)
  const Vector t = reciprocal<Element>(1 + size * 0.23164189298500596f);
  Vector p = splat(1.061405429f);
  p = p * t + splat(-1.453152027f);
  p = p * t + splat(1.421413741f);
  p = p * t + splat(-0.284496736f);
  p = p * t + splat(0.254829592f);
  const Vector tail = p * t * bell * 0.5f;
  *density = bell * 0.3989422804014327f;
  return x < 0 ? tail : 1 - tail;
}

template <class Element>
void gelu(const Gelu<Element>& call, Pool& pool) {
  const int64_t width = call.width;
  pool.forEach((call.rows + PART - 1) / PART, [&](int64_t part) {
    for (int64_t row = part * PART; row < std::min(call.rows, (part + 1) * PART); row++)
      for (int64_t j = 0; j < width; j += LANES) {
        const Vector x = at(call.product + row * width, j, width) + at(call.bias, j, width);
        Vector density;
        put(x * normalCdf<Element>(x, &density), call.activated + row * width, j, width);
      }
  });
}

template <class Element>
void geluGradient(const GeluGradient<Element>& call, Pool& pool) {
  const int64_t width = call.width;
  withColumnSums(call.rows, width, {call.biasGradient}, pool, [&](int64_t first, int64_t last, float** sums) {
    for (int64_t row = first; row < last; row++)
      for (int64_t j = 0; j < width; j += LANES) {
        const Vector x = at(call.product + row * width, j, width) + at(call.bias, j, width);
        Vector density;
        const Vector cdf = normalCdf<Element>(x, &density);
        const Vector dx = at(call.gradient + row * width, j, width) * (cdf + x * density);
        if (call.activated) put(x * cdf, call.activated + row * width, j, width);
        put(dx, call.productGradient + row * width, j, width);
        store(sums[0] + j, load(sums[0] + j) + dx);
      }
  });
}

}  // namespace
}  // namespace rewardbook
