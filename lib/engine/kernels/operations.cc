// Registers the fused kernels as TensorFlow operations, through TensorFlow's C API, when Node loads this module.
#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <mutex>
#include <thread>
#include <vector>

#include <node_api.h>
#include <sched.h>

#include "kernels.h"
#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_tensor.h"

namespace rewardbook {
namespace {

/** What this processor can run, best last. */
std::vector<const Arithmetic*> available() {
  std::vector<const Arithmetic*> all = {&baseline};
#ifdef REWARDBOOK_X86
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) all.push_back(&avx2);
  if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")) all.push_back(&avx512);
  if (all.back() == &avx512 && __builtin_cpu_supports("avx512bf16")) all.push_back(&avx512bf16);
#endif
  return all;
}

/** The best, unless RB_KERNELS names another. */
const Arithmetic& arithmetic() {
  static const Arithmetic& chosen = []() -> const Arithmetic& {
    const auto all = available();
    const char* wanted = std::getenv("RB_KERNELS");
    for (const Arithmetic* one : all)
      if (wanted && std::strcmp(wanted, one->name) == 0) return *one;
    return *all.back();
  }();
  return chosen;
}

/** One thread for each processor this process may use, the caller among them. One job at a time. */
class Threads : public Pool {
 public:
  Threads() {
    cpu_set_t allowed;
    const bool known = sched_getaffinity(0, sizeof allowed, &allowed) == 0;
    const int processors = known ? CPU_COUNT(&allowed) : static_cast<int>(std::thread::hardware_concurrency());
    for (int i = 1; i < processors; i++) std::thread([this] { serve(); }).detach();
    helpers_ = processors > 1 ? processors - 1 : 0;
  }

  void run(int64_t count, void (*work)(void*, int64_t), void* context) override {
    if (helpers_ == 0 || count < 2) {
      for (int64_t i = 0; i < count; i++) work(context, i);
      return;
    }
    std::lock_guard<std::mutex> one(job_);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      work_ = work;
      context_ = context;
      count_ = count;
      next_ = 0;
      busy_ = helpers_;
      round_++;
    }
    start_.notify_all();
    take();
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
  }

 private:
  void take() {
    for (;;) {
      int64_t index;
      {
        std::lock_guard<std::mutex> lock(mutex_);
        if (next_ >= count_) return;
        index = next_++;
      }
      work_(context_, index);
    }
  }

  void serve() {
    uint64_t seen = 0;
    for (;;) {
      {
        std::unique_lock<std::mutex> lock(mutex_);
        start_.wait(lock, [&] { return round_ != seen; });
        seen = round_;
      }
      take();
      std::lock_guard<std::mutex> lock(mutex_);
      if (--busy_ == 0) done_.notify_one();
    }
  }

  std::mutex job_, mutex_;
  std::condition_variable start_, done_;
  void (*work_)(void*, int64_t) = nullptr;
  void* context_ = nullptr;
  int64_t count_ = 0, next_ = 0;
  int helpers_ = 0, busy_ = 0;
  uint64_t round_ = 0;
};

/** Never destroyed: its threads live as long as the process. */
Threads& threads() {
  static Threads* const all = new Threads;
  return *all;
}

constexpr int MOST_INPUTS = 8;

/** Inputs and outputs of one call; the first thing that goes wrong is told to TensorFlow. */
class Call {
 public:
  explicit Call(TF_OpKernelContext* context) : context_(context), status_(TF_NewStatus()) {}
  ~Call() {
    for (TF_Tensor* tensor : tensors_) TF_DeleteTensor(tensor);
    TF_DeleteStatus(status_);
  }

  TF_Tensor* input(int index) {
    TF_Tensor*& tensor = inputs_[index];
    if (!tensor) {
      TF_GetInput(context_, index, &tensor, status_);
      check(tensor);
    }
    return tensor;
  }

  /** A new output with the shape of `like`. */
  TF_Tensor* output(int index, const TF_Tensor* like) {
    std::vector<int64_t> shape;
    for (int i = 0; i < TF_NumDims(like); i++) shape.push_back(TF_Dim(like, i));
    return output(index, TF_TensorType(like), shape);
  }

  TF_Tensor* output(int index, TF_DataType type, const std::vector<int64_t>& shape) {
    size_t bytes = TF_DataTypeSize(type);
    for (const int64_t d : shape) bytes *= d;
    return check(TF_AllocateOutput(context_, index, type, shape.data(), static_cast<int>(shape.size()), bytes, status_));
  }

  bool failed() const { return failed_; }

  void fail(const char* message) {
    TF_SetStatus(status_, TF_INVALID_ARGUMENT, message);
    check(nullptr);
  }

 private:
  TF_Tensor* check(TF_Tensor* tensor) {
    if (tensor) tensors_.push_back(tensor);
    if (TF_GetCode(status_) != TF_OK && !failed_) {
      failed_ = true;
      TF_OpKernelContext_Failure(context_, status_);
    }
    return tensor;
  }

  TF_OpKernelContext* context_;
  TF_Status* status_;
  TF_Tensor* inputs_[MOST_INPUTS] = {};
  std::vector<TF_Tensor*> tensors_;
  bool failed_ = false;
};

template <class Element>
Element* data(TF_Tensor* tensor) {
  return static_cast<Element*>(TF_TensorData(tensor));
}

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

/** batch·length tokens of heads of one size, as `texts` [batch, length] and a query of `width` numbers a row have them. */
AttentionShape shapeOf(const AttentionAttributes& attributes, TF_Tensor* texts, int64_t width) {
  const auto& [heads, keyValueHeads, causal] = attributes;
  return {TF_Dim(texts, 0), TF_Dim(texts, 1), heads, keyValueHeads, width / heads, causal != 0};
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
  to->texts = data<float>(in[3]);
  return true;
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
  to->texts = data<float>(texts);
  return true;
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

/** A row-wise operation: rows and width of its first input, which all inputs from `wide` on share; the others are [width]. */
bool readRows(Call& call, std::initializer_list<int> wide, std::initializer_list<int> narrow, int64_t* rows, int64_t* width) {
  TF_Tensor* first = call.input(0);
  if (call.failed()) return false;
  *width = TF_NumDims(first) == 2 ? TF_Dim(first, 1) : -1;
  *rows = TF_NumDims(first) == 2 ? TF_Dim(first, 0) : -1;
  bool fits = *width > 0;
  for (const int i : wide) fits = fits && TF_TensorElementCount(call.input(i)) == *rows * *width;
  for (const int i : narrow) fits = fits && TF_TensorElementCount(call.input(i)) == *width;
  if (!fits) call.fail("row-wise operation: expected inputs [rows, width] and parameters [width]");
  return fits;
}

/** The result in bf16 beside the one in f32; where the element is f32 already, an empty tensor. */
template <class Element>
Element* narrowOutput(Call& call, int index, int64_t rows, int64_t width) {
  const bool half = sizeof(Element) == 2;
  TF_Tensor* tensor = half ? call.output(index, TF_BFLOAT16, {rows, width}) : call.output(index, TF_FLOAT, {0});
  return half && tensor ? data<Element>(tensor) : nullptr;
}

void* createAddNorm(TF_OpKernelConstruction* construction) {
  TF_Status* status = TF_NewStatus();
  auto* epsilon = new float;
  TF_OpKernelConstruction_GetAttrFloat(construction, "epsilon", epsilon, status);
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(construction, status);
  TF_DeleteStatus(status);
  return epsilon;
}

void deleteAddNorm(void* kernel) { delete static_cast<float*>(kernel); }

template <class Element>
bool readAddNorm(Call& call, void* kernel, AddNorm<Element>* to) {
  if (!readRows(call, {2}, {1, 3, 4}, &to->rows, &to->width)) return false;
  to->epsilon = *static_cast<float*>(kernel);
  to->product = data<Element>(call.input(0));
  to->bias = data<float>(call.input(1));
  to->residual = data<float>(call.input(2));
  to->weight = data<float>(call.input(3));
  to->beta = data<float>(call.input(4));
  return !call.failed();
}

template <class Element>
void computeAddNorm(void* kernel, TF_OpKernelContext* context) {
  Call call(context);
  AddNorm<Element> norm;
  if (!readAddNorm(call, kernel, &norm)) return;
  TF_Tensor* normed = call.output(0, call.input(2));
  norm.narrow = narrowOutput<Element>(call, 1, norm.rows, norm.width);
  TF_Tensor* statistics = call.output(2, TF_FLOAT, {norm.rows, 2});
  if (call.failed()) return;
  norm.normed = data<float>(normed);
  norm.statistics = data<float>(statistics);
  arithmetic().addNorm(norm, threads());
}

template <class Element>
void computeAddNormGradient(void* kernel, TF_OpKernelContext* context) {
  Call call(context);
  AddNormGradient<Element> back;
  if (!readAddNorm(call, kernel, &back.forward)) return;
  TF_Tensor *statistics = call.input(5), *gradient = call.input(6);
  TF_Tensor* input = call.output(0, call.input(2));
  back.narrow = narrowOutput<Element>(call, 1, back.forward.rows, back.forward.width);
  TF_Tensor* sums[3];
  for (int i = 0; i < 3; i++) sums[i] = call.output(2 + i, TF_FLOAT, {back.forward.width});
  if (call.failed()) return;
  back.forward.statistics = data<float>(statistics);
  back.gradient = data<float>(gradient);
  back.inputGradient = data<float>(input);
  back.biasGradient = data<float>(sums[0]);
  back.weightGradient = data<float>(sums[1]);
  back.betaGradient = data<float>(sums[2]);
  arithmetic().addNormGradient(back, threads());
}

template <class Element>
void computeGelu(void*, TF_OpKernelContext* context) {
  Call call(context);
  Gelu<Element> gelu;
  if (!readRows(call, {}, {1}, &gelu.rows, &gelu.width)) return;
  TF_Tensor* activated = call.output(0, call.input(0));
  if (call.failed()) return;
  gelu.product = data<Element>(call.input(0));
  gelu.bias = data<float>(call.input(1));
  gelu.activated = data<Element>(activated);
  arithmetic().gelu(gelu, threads());
}

template <class Element>
void computeGeluGradient(void*, TF_OpKernelContext* context) {
  Call call(context);
  GeluGradient<Element> gelu;
  if (!readRows(call, {2}, {1}, &gelu.rows, &gelu.width)) return;
  TF_Tensor* product = call.output(0, call.input(0));
  TF_Tensor* bias = call.output(1, TF_FLOAT, {gelu.width});
  if (call.failed()) return;
  gelu.product = data<Element>(call.input(0));
  gelu.bias = data<float>(call.input(1));
  gelu.gradient = data<Element>(call.input(2));
  gelu.productGradient = data<Element>(product);
  gelu.biasGradient = data<float>(bias);
  arithmetic().geluGradient(gelu, threads());
}

/** Numbers of a parameter that one thread updates at a time. */
constexpr int64_t CHUNK = 1 << 16;

void computeAdamW(void*, TF_OpKernelContext* context) {
  Call call(context);
  TF_Tensor* in[5];
  for (int i = 0; i < 5; i++) in[i] = call.input(i);
  if (call.failed()) return;
  if (TF_TensorElementCount(in[4]) * sizeof(float) != sizeof(AdamWCoefficients)) return call.fail("adamw: expected 8 coefficients");
  const int64_t count = TF_TensorElementCount(in[0]);
  for (int i = 1; i < 4; i++)
    if (TF_TensorElementCount(in[i]) != count) return call.fail("adamw: expected parameter, moments and gradient of one shape");
  TF_Tensor* out[3];
  for (int i = 0; i < 3; i++) out[i] = call.output(i, in[0]);
  if (call.failed()) return;
  const AdamW step{
      *data<AdamWCoefficients>(in[4]), data<float>(in[0]), data<float>(in[1]), data<float>(in[2]), data<float>(in[3]),
      data<float>(out[0]), data<float>(out[1]), data<float>(out[2]),
  };
  const auto& adamw = arithmetic().adamw;
  threads().forEach((count + CHUNK - 1) / CHUNK, [&](int64_t i) { adamw(step, i * CHUNK, std::min(count, (i + 1) * CHUNK)); });
}

void deleteAttention(void* kernel) { delete static_cast<AttentionAttributes*>(kernel); }

void unknownShape(TF_ShapeInferenceContext* context, TF_Status* status) { TF_ShapeInferenceContextSetUnknownShape(context, status); }

void defineOperation(const char* name, const std::vector<const char*>& attributes, const std::vector<const char*>& inputs,
                     const std::vector<const char*>& outputs) {
  TF_OpDefinitionBuilder* builder = TF_NewOpDefinitionBuilder(name);
  for (const char* attribute : attributes) TF_OpDefinitionBuilderAddAttr(builder, attribute);
  for (const char* input : inputs) TF_OpDefinitionBuilderAddInput(builder, input);
  for (const char* output : outputs) TF_OpDefinitionBuilderAddOutput(builder, output);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(builder, unknownShape);
  TF_Status* status = TF_NewStatus();
  TF_RegisterOpDefinition(builder, status);
  if (TF_GetCode(status) != TF_OK) std::fprintf(stderr, "rewardbook kernels: %s\n", TF_Message(status));
  TF_DeleteStatus(status);
}

void registerKernel(const char* name, TF_DataType type, void* (*create)(TF_OpKernelConstruction*), void (*compute)(void*, TF_OpKernelContext*),
                    void (*remove)(void*)) {
  TF_Status* status = TF_NewStatus();
  TF_KernelBuilder* builder = TF_NewKernelBuilder(name, "CPU", create, compute, remove);
  TF_KernelBuilder_TypeConstraint(builder, "T", type, status);
  if (TF_GetCode(status) == TF_OK) TF_RegisterKernelBuilder(name, builder, status);
  if (TF_GetCode(status) != TF_OK) std::fprintf(stderr, "rewardbook kernels: %s\n", TF_Message(status));
  TF_DeleteStatus(status);
}

void registerAll() {
  const std::vector<const char*> attributes = {"T: {float, bfloat16}", "heads: int", "key_value_heads: int", "causal: bool"};
  defineOperation("RewardbookAttention", attributes, {"query: T", "key: T", "value: T", "texts: float"}, {"mixed: T", "log_sum: float"});
  defineOperation("RewardbookAttentionGradient", attributes,
                  {"query: T", "key: T", "value: T", "texts: float", "mixed: T", "log_sum: float", "gradient: T"},
                  {"query_gradient: T", "key_gradient: T", "value_gradient: T"});
  defineOperation("RewardbookSelfAttention", attributes, {"product: T", "bias: float", "texts: float"}, {"mixed: T", "log_sum: float"});
  defineOperation("RewardbookSelfAttentionGradient", attributes,
                  {"product: T", "bias: float", "texts: float", "mixed: T", "log_sum: float", "gradient: T"},
                  {"product_gradient: T", "bias_gradient: float"});
  defineOperation("RewardbookAdamW", {"T: {float}"}, {"parameter: T", "average: T", "square: T", "gradient: T", "coefficients: T"},
                  {"new_parameter: T", "new_average: T", "new_square: T"});
  const std::vector<const char*> norm = {"T: {float, bfloat16}", "epsilon: float"};
  defineOperation("RewardbookAddNorm", norm, {"product: T", "bias: float", "residual: float", "weight: float", "beta: float"},
                  {"normed: float", "narrow: T", "statistics: float"});
  defineOperation("RewardbookAddNormGradient", norm,
                  {"product: T", "bias: float", "residual: float", "weight: float", "beta: float", "statistics: float", "gradient: float"},
                  {"input_gradient: float", "narrow: T", "bias_gradient: float", "weight_gradient: float", "beta_gradient: float"});
  defineOperation("RewardbookGelu", {"T: {float, bfloat16}"}, {"product: T", "bias: float"}, {"activated: T"});
  defineOperation("RewardbookGeluGradient", {"T: {float, bfloat16}"}, {"product: T", "bias: float", "gradient: T"},
                  {"product_gradient: T", "bias_gradient: float"});
  const auto both = [](const char* name, auto create, auto single, auto half, auto remove) {
    registerKernel(name, TF_FLOAT, create, single, remove);
    registerKernel(name, TF_BFLOAT16, create, half, remove);
  };
  both("RewardbookAttention", createAttention, computeAttention<float, readAttention<float>>, computeAttention<Bfloat16, readAttention<Bfloat16>>, deleteAttention);
  both("RewardbookAttentionGradient", createAttention, computeAttentionGradient<float>, computeAttentionGradient<Bfloat16>, deleteAttention);
  both("RewardbookSelfAttention", createAttention, computeAttention<float, readSelfAttention<float>>, computeAttention<Bfloat16, readSelfAttention<Bfloat16>>,
       deleteAttention);
  both("RewardbookSelfAttentionGradient", createAttention, computeSelfAttentionGradient<float>, computeSelfAttentionGradient<Bfloat16>,
       deleteAttention);
  both("RewardbookAddNorm", createAddNorm, computeAddNorm<float>, computeAddNorm<Bfloat16>, deleteAddNorm);
  both("RewardbookAddNormGradient", createAddNorm, computeAddNormGradient<float>, computeAddNormGradient<Bfloat16>, deleteAddNorm);
  both("RewardbookGelu", nullptr, computeGelu<float>, computeGelu<Bfloat16>, nullptr);
  both("RewardbookGeluGradient", nullptr, computeGeluGradient<float>, computeGeluGradient<Bfloat16>, nullptr);
  registerKernel("RewardbookAdamW", TF_FLOAT, nullptr, computeAdamW, nullptr);
}

}  // namespace
}  // namespace rewardbook

/** Worker threads load the module again; its operations are registered once. */
NAPI_MODULE_INIT() {
  static std::once_flag once;
  std::call_once(once, rewardbook::registerAll);
  napi_value name;
  const char* instructions = rewardbook::arithmetic().name;
  if (napi_create_string_utf8(env, instructions, NAPI_AUTO_LENGTH, &name) != napi_ok) return nullptr;
  if (napi_set_named_property(env, exports, "instructions", name) != napi_ok) return nullptr;
  return exports;
}
