// What the operations (operations.cc) ask of the arithmetic (arithmetic.cc), which is compiled once for each
// instruction set.
#pragma once
#include <cstddef>
#include <cstdint>

namespace rewardbook {

using Bfloat16 = uint16_t;

/** Runs work(0) … work(count − 1) on all processors. */
class Pool {
 public:
  virtual void run(int64_t count, void (*work)(void* context, int64_t index), void* context) = 0;

  template <class Work>
  void forEach(int64_t count, const Work& work) {
    run(count, [](void* context, int64_t index) { (*static_cast<const Work*>(context))(index); }, const_cast<Work*>(&work));
  }
};

struct AttentionShape {
  int64_t batch, length, heads, keyValueHeads, size;
  bool causal;
};

/** What a head reads: its numbers in rows of `width`, the first head's at `base`; `bias`, where not null, is added to each row. */
template <class Element>
struct Operand {
  const Element* base;
  int64_t width;
  const float* bias;
};

/** Where a gradient goes, laid out as its operand; `sums`, where not null, gets the sum of its rows. */
template <class Element>
struct Target {
  Element* base;
  int64_t width;
  float* sums;
};

/**
 * Element is float or Bfloat16. Rows are the batch·length tokens; query has heads·size numbers a row, key and value
 * keyValueHeads·size. texts [batch, length]: 0 on padding, else the number of the text that a token belongs to; tokens see
 * their own text. before, where not null, is laid out alike: 0, else the number of a text of the same row that comes before the
 * token's and that it goes on from; tokens see all of that, too. Rows of both lie `stride` numbers apart. mixed [batch·length, heads·size]; logSum [batch·length, heads]: log2 of the sum that each softmax divides by.
 */
template <class Element>
struct Attention {
  AttentionShape shape;
  Operand<Element> query, key, value;
  const float *texts, *before;
  int64_t stride;
  Element* mixed;
  float* logSum;
};

template <class Element>
struct AttentionGradient {
  Attention<Element> forward;
  const Element* gradient;
  Target<Element> query, key, value;
};

/** One number each for all parameters; see lib/engine/adamw.ts. */
struct AdamWCoefficients {
  float finite, keep1, keep2, take1, take2, rate, floor, shrink;
};

struct AdamW {
  AdamWCoefficients coefficients;
  const float *parameter, *average, *square, *gradient;
  float *newParameter, *newAverage, *newSquare;
};

/**
 * normed = (x − mean)/√(variance + ε)·weight + beta over the rows of x = product + bias + residual, all [rows, width].
 * statistics [rows, 2]: mean and 1/√(variance + ε). `narrow`, where not null, gets the result in the element's type as well.
 */
template <class Element>
struct AddNorm {
  int64_t rows, width;
  float epsilon;
  const Element* product;
  const float *bias, *residual, *weight, *beta;
  float* normed;
  Element* narrow;
  float* statistics;
};

/** inputGradient is that of the product and of the residual alike. */
template <class Element>
struct AddNormGradient {
  AddNorm<Element> forward;
  const float* gradient;
  float* inputGradient;
  Element* narrow;
  float *biasGradient, *weightGradient, *betaGradient;
};

/** activated = x·Φ(x), x = product + bias, [rows, width]. */
template <class Element>
struct Gelu {
  int64_t rows, width;
  const Element* product;
  const float* bias;
  Element* activated;
};

/** `activated`, where not null, gets gelu's result once more. */
template <class Element>
struct GeluGradient {
  int64_t rows, width;
  const Element* product;
  const float* bias;
  const Element* gradient;
  Element *productGradient, *activated;
  float* biasGradient;
};

template <template <class> class Call>
struct Both {
  void (*single)(const Call<float>&, Pool&);
  void (*half)(const Call<Bfloat16>&, Pool&);

  void operator()(const Call<float>& call, Pool& pool) const { single(call, pool); }
  void operator()(const Call<Bfloat16>& call, Pool& pool) const { half(call, pool); }
};

/** The arithmetic for one instruction set. */
struct Arithmetic {
  const char* name;
  Both<Attention> attention;
  Both<AttentionGradient> attentionGradient;
  Both<AddNorm> addNorm;
  Both<AddNormGradient> addNormGradient;
  Both<Gelu> gelu;
  Both<GeluGradient> geluGradient;
  void (*adamw)(const AdamW&, int64_t from, int64_t to);
};

extern const Arithmetic baseline;
#ifdef REWARDBOOK_X86
extern const Arithmetic avx2;
extern const Arithmetic avx512;
extern const Arithmetic avx512bf16;
#endif

}  // namespace rewardbook
