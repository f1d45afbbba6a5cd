// One call of an operation: the arithmetic of this processor, the threads that share the work, tensors and faults through
// TensorFlow's C API.
#pragma once
#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include <sched.h>

#include "kernels.h"
#include "tensorflow/c/kernels.h"
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

  /** An input as an output: what is written to it, whoever else holds it sees. */
  TF_Tensor* pass(int index, TF_Tensor* input) {
    TF_SetOutput(context_, index, input, status_);
    check(nullptr);
    return input;
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

}  // namespace
}  // namespace rewardbook
