// The operations of attention: what TensorFlow hands over, checked, for the arithmetic.
#pragma once
#include "call.h"

namespace rewardbook {
namespace {

struct AttentionAttributes {
  int64_t heads, keyValueHeads;
  unsigned char causal;
};

void* createAttention(TF_OpKernelConstruction* construction) {
  TF_Status* status = TF_NewStatus();
  auto* attributes = new AttentionAttributes;
  TF_OpKernelConstruction_GetAttrInt64(construction, "heads", &attributes->heads, status);
  if (TF_GetCode(status) == TF_OK)
    TF_OpKernelConstruction_GetAttrInt64(construction, "key_value_heads", &attributes->keyValueHeads, status);
  if (TF_GetCode(status) == TF_OK) TF_OpKernelConstruction_GetAttrBool(construction, "causal", &attributes->causal, status);
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(construction, status);
  TF_DeleteStatus(status);
  return attributes;
}

/** batch·length tokens of heads of one size, as `texts` [batch, length] or [batch, 2, length] and a query of `width` numbers a row have them. */
AttentionShape shapeOf(const AttentionAttributes& attributes, TF_Tensor* texts, int64_t width) {
  const auto& [heads, keyValueHeads, causal] = attributes;
  return {TF_Dim(texts, 0), TF_Dim(texts, TF_NumDims(texts) - 1), heads, keyValueHeads, width / heads, causal != 0};
}

/** Which texts there are and, in the second row of each where there are two, which they go on from. */
template <class Element>
bool readTexts(Call& call, TF_Tensor* texts, Attention<Element>* to) {
  const int rank = TF_NumDims(texts);
  if (rank == 3 && (TF_Dim(texts, 1) != 2 || !to->shape.causal)) {
    call.fail("attention: expected texts [batch, length], or, where tokens see none that come later, [batch, 2, length]");
    return false;
  }
  to->texts = data<float>(texts);
  to->before = rank == 3 ? to->texts + to->shape.length : nullptr;
  to->stride = rank == 3 ? 2 * to->shape.length : to->shape.length;
  return true;
}

/** Reads query, key, value and texts, and looks whether their shapes fit. */
template <class Element>
bool readAttention(Call& call, const AttentionAttributes& attributes, Attention<Element>* to) {
  TF_Tensor* in[4];
  for (int i = 0; i < 4; i++) in[i] = call.input(i);
  if (call.failed()) return false;
  to->shape = shapeOf(attributes, in[3], TF_Dim(in[0], 1));
  const int64_t rows = to->shape.batch * to->shape.length, size = to->shape.size;
  const auto fits = [&](TF_Tensor* x, int64_t heads) { return TF_NumDims(x) == 2 && TF_Dim(x, 0) == rows && TF_Dim(x, 1) == heads * size; };
  if (!fits(in[0], attributes.heads) || !fits(in[1], attributes.keyValueHeads) || !fits(in[2], attributes.keyValueHeads)) {
    call.fail("attention: expected query [batch*length, heads*size], key and value [batch*length, key_value_heads*size], texts [batch, length]");
    return false;
  }
  to->query = {data<Element>(in[0]), TF_Dim(in[0], 1), nullptr};
  to->key = {data<Element>(in[1]), TF_Dim(in[1], 1), nullptr};
  to->value = {data<Element>(in[2]), TF_Dim(in[2], 1), nullptr};
  return readTexts(call, in[3], to);
}

/** The same where query, key and value lie side by side in one product, and their biases in one vector. */
template <class Element>
bool readSelfAttention(Call& call, const AttentionAttributes& attributes, Attention<Element>* to) {
  TF_Tensor *product = call.input(0), *bias = call.input(1), *texts = call.input(2);
  if (call.failed()) return false;
  const int64_t width = TF_Dim(product, 1), all = attributes.heads + 2 * attributes.keyValueHeads;
  to->shape = shapeOf(attributes, texts, width / all * attributes.heads);
  if (width % all != 0 || TF_Dim(product, 0) != to->shape.batch * to->shape.length || TF_TensorElementCount(bias) != width) {
    call.fail("self-attention: expected product [batch*length, (heads + 2*key_value_heads)*size], bias as wide, texts [batch, length]");
    return false;
  }
  const int64_t key = attributes.heads * to->shape.size, value = key + attributes.keyValueHeads * to->shape.size;
  Element* const first = data<Element>(product);
  to->query = {first, width, data<float>(bias)};
  to->key = {first + key, width, nullptr};  // its bias would add one number to all scores of a query: softmax is the same
  to->value = {first + value, width, data<float>(bias) + value};
  return readTexts(call, texts, to);
}

/** `read` is one of the two above. */
template <class Element, bool read(Call&, const AttentionAttributes&, Attention<Element>*)>
void computeAttention(void* kernel, TF_OpKernelContext* context) {
  Call call(context);
  Attention<Element> attention;
  if (!read(call, *static_cast<AttentionAttributes*>(kernel), &attention)) return;
  const auto& shape = attention.shape;
  const int64_t rows = shape.batch * shape.length;
  TF_Tensor* mixed = call.output(0, TF_TensorType(call.input(0)), {rows, shape.heads * shape.size});
  TF_Tensor* logSum = call.output(1, TF_FLOAT, {rows, shape.heads});
  if (call.failed()) return;
  attention.mixed = data<Element>(mixed);
  attention.logSum = data<float>(logSum);
  arithmetic().attention(attention, threads());
}

/** What the forward pass made, from input `from` on: mixed, log_sum, then the gradient of mixed. */
template <class Element>
bool readMixed(Call& call, int from, AttentionGradient<Element>* to) {
  TF_Tensor *mixed = call.input(from), *logSum = call.input(from + 1), *gradient = call.input(from + 2);
  if (call.failed()) return false;
  to->forward.mixed = data<Element>(mixed);
  to->forward.logSum = data<float>(logSum);
  to->gradient = data<Element>(gradient);
  return true;
}

template <class Element>
void computeAttentionGradient(void* kernel, TF_OpKernelContext* context) {
  Call call(context);
  AttentionGradient<Element> gradient;
  if (!readAttention(call, *static_cast<AttentionAttributes*>(kernel), &gradient.forward) || !readMixed(call, 4, &gradient)) return;
  TF_Tensor* out[3];
  for (int i = 0; i < 3; i++) out[i] = call.output(i, call.input(i));
  if (call.failed()) return;
  gradient.query = {data<Element>(out[0]), TF_Dim(out[0], 1), nullptr};
  gradient.key = {data<Element>(out[1]), TF_Dim(out[1], 1), nullptr};
  gradient.value = {data<Element>(out[2]), TF_Dim(out[2], 1), nullptr};
  arithmetic().attentionGradient(gradient, threads());
}

template <class Element>
void computeSelfAttentionGradient(void* kernel, TF_OpKernelContext* context) {
  Call call(context);
  AttentionGradient<Element> gradient;
  auto& forward = gradient.forward;
  if (!readSelfAttention(call, *static_cast<AttentionAttributes*>(kernel), &forward) || !readMixed(call, 3, &gradient)) return;
  TF_Tensor *product = call.output(0, call.input(0)), *bias = call.output(1, call.input(1));
  if (call.failed()) return;
  const auto target = [&](const Operand<Element>& operand) {
    const int64_t from = operand.base - forward.query.base;
    return Target<Element>{data<Element>(product) + from, operand.width, data<float>(bias) + from};
  };
  gradient.query = target(forward.query);
  gradient.key = target(forward.key);
  gradient.value = target(forward.value);
  arithmetic().attentionGradient(gradient, threads());
}

}  // namespace
}  // namespace rewardbook
