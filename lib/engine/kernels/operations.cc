// Registers the fused kernels as TensorFlow operations, through TensorFlow's C API, when Node loads this module.
#include <cstdio>
#include <initializer_list>
#include <mutex>
#include <vector>

#include <node_api.h>

#include "attentionOperations.h"
#include "tensorflow/c/ops.h"

namespace rewardbook {
namespace {

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

/** A kernel that is one attribute, yes or no. */
void* createFlag(TF_OpKernelConstruction* construction, const char* name) {
  TF_Status* status = TF_NewStatus();
  auto* flag = new unsigned char;
  TF_OpKernelConstruction_GetAttrBool(construction, name, flag, status);
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(construction, status);
  TF_DeleteStatus(status);
  return flag;
}

void deleteFlag(void* kernel) { delete static_cast<unsigned char*>(kernel); }

/** Whether gelu's result is asked for as well. */
void* createGeluGradient(TF_OpKernelConstruction* construction) { return createFlag(construction, "again"); }

/** Whether parameter and moments may be written over. */
void* createAdamW(TF_OpKernelConstruction* construction) { return createFlag(construction, "in_place"); }

template <class Element>
void computeGeluGradient(void* kernel, TF_OpKernelContext* context) {
  Call call(context);
  const bool again = *static_cast<unsigned char*>(kernel) != 0;
  GeluGradient<Element> gelu;
  if (!readRows(call, {2}, {1}, &gelu.rows, &gelu.width)) return;
  TF_Tensor* product = call.output(0, call.input(0));
  TF_Tensor* bias = call.output(1, TF_FLOAT, {gelu.width});
  TF_Tensor* activated = again ? call.output(2, call.input(0)) : call.output(2, TF_TensorType(call.input(0)), {0});
  if (call.failed()) return;
  gelu.activated = again ? data<Element>(activated) : nullptr;
  gelu.product = data<Element>(call.input(0));
  gelu.bias = data<float>(call.input(1));
  gelu.gradient = data<Element>(call.input(2));
  gelu.productGradient = data<Element>(product);
  gelu.biasGradient = data<float>(bias);
  arithmetic().geluGradient(gelu, threads());
}

/** As TensorFlow allocates: whole vectors can be written. */
bool isAligned(const TF_Tensor* tensor) { return reinterpret_cast<uintptr_t>(TF_TensorData(tensor)) % 64 == 0; }

/** Numbers of a parameter that one thread updates at a time. */
constexpr int64_t CHUNK = 1 << 16;

void computeAdamW(void* kernel, TF_OpKernelContext* context) {
  Call call(context);
  const bool inPlace = *static_cast<unsigned char*>(kernel) != 0;
  TF_Tensor* in[5];
  for (int i = 0; i < 5; i++) in[i] = call.input(i);
  if (call.failed()) return;
  if (TF_TensorElementCount(in[4]) * sizeof(float) != sizeof(AdamWCoefficients)) return call.fail("adamw: expected 8 coefficients");
  const int64_t count = TF_TensorElementCount(in[0]);
  for (int i = 1; i < 4; i++)
    if (TF_TensorElementCount(in[i]) != count) return call.fail("adamw: expected parameter, moments and gradient of one shape");
  TF_Tensor* out[3];
  for (int i = 0; i < 3; i++) out[i] = inPlace && isAligned(in[i]) ? call.pass(i, in[i]) : call.output(i, in[0]);
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

/** Of the operations below: lib/engine/fusedOps.ts has the same number, and leaves alone what was compiled before. */
constexpr uint32_t REVISION = 2;

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
  defineOperation("RewardbookAdamW", {"T: {float}", "in_place: bool = false"}, {"parameter: T", "average: T", "square: T", "gradient: T", "coefficients: T"},
                  {"new_parameter: T", "new_average: T", "new_square: T"});
  const std::vector<const char*> norm = {"T: {float, bfloat16}", "epsilon: float"};
  defineOperation("RewardbookAddNorm", norm, {"product: T", "bias: float", "residual: float", "weight: float", "beta: float"},
                  {"normed: float", "narrow: T", "statistics: float"});
  defineOperation("RewardbookAddNormGradient", norm,
                  {"product: T", "bias: float", "residual: float", "weight: float", "beta: float", "statistics: float", "gradient: float"},
                  {"input_gradient: float", "narrow: T", "bias_gradient: float", "weight_gradient: float", "beta_gradient: float"});
  defineOperation("RewardbookGelu", {"T: {float, bfloat16}"}, {"product: T", "bias: float"}, {"activated: T"});
  defineOperation("RewardbookGeluGradient", {"T: {float, bfloat16}", "again: bool = false"}, {"product: T", "bias: float", "gradient: T"},
                  {"product_gradient: T", "bias_gradient: float", "activated: T"});
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
  both("RewardbookGeluGradient", createGeluGradient, computeGeluGradient<float>, computeGeluGradient<Bfloat16>, deleteFlag);
  registerKernel("RewardbookAdamW", TF_FLOAT, createAdamW, computeAdamW, deleteFlag);
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
  napi_value revision;
  if (napi_create_uint32(env, rewardbook::REVISION, &revision) != napi_ok) return nullptr;
  if (napi_set_named_property(env, exports, "revision", revision) != napi_ok) return nullptr;
  return exports;
}
