// What the operations (operations.cc) ask of the arithmetic (attention.cc, adamw.cc), which is compiled once for each
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

/**
 * Element is float or Bfloat16; all arrays are dense.
 * query, mixed and their gradients [batch·length, heads·size]; key, value likewise with keyValueHeads.
 * texts [batch, length]: 0 on padding, else the number of the text that a token belongs to; tokens see their own text.
 * logSum [batch·length, heads]: log2 of the sum that each softmax divides by.
 */
template <class Element>
struct Attention {
  AttentionShape shape;
  const Element *query, *key, *value;
  const float* texts;
  Element* mixed;
  float* logSum;
};

template <class Element>
struct AttentionGradient {
  Attention<Element> forward;
  const Element* gradient;
  Element *queryGradient, *keyGradient, *valueGradient;
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

/** The arithmetic for one instruction set. */
struct Arithmetic {
  const char* name;
  void (*attention)(const Attention<float>&, Pool&);
  void (*attentionBfloat16)(const Attention<Bfloat16>&, Pool&);
  void (*attentionGradient)(const AttentionGradient<float>&, Pool&);
  void (*attentionGradientBfloat16)(const AttentionGradient<Bfloat16>&, Pool&);
  void (*adamw)(const AdamW&, int64_t from, int64_t to);
};

extern const Arithmetic baseline;
#ifdef REWARDBOOK_X86
extern const Arithmetic avx2;
extern const Arithmetic avx512;
extern const Arithmetic avx512bf16;
#endif

}  // namespace rewardbook
