// The DALI operator `posterize`: keeps the highest bits of every byte, so that few colours remain.
#include <stdexcept>
#include <string>
#include <vector>

#include "dali/pipeline/operator/checkpointing/stateless_operator.h"
#include "dali/pipeline/operator/operator.h"

// no state from batch to batch, so DALI's checkpoints and our resume work
class Posterize : public dali::StatelessOperator<dali::CPUBackend> {
 public:
  explicit Posterize(const dali::OpSpec& spec)
      : dali::StatelessOperator<dali::CPUBackend>(spec), bits_(spec.GetArgument<int>("bits")) {
    if (bits_ < 1 || bits_ > 8)
      throw std::invalid_argument("posterize: found bits=" + std::to_string(bits_) +
                                  ", expected 1 to 8");
  }

 protected:
  // Says what comes out, before it is computed: DALI then has the memory ready.
  bool SetupImpl(std::vector<dali::OutputDesc>& outputs, const dali::Workspace& ws) override {
    const auto& input = ws.Input<dali::CPUBackend>(0);
    if (input.type() != DALI_UINT8)
      throw std::invalid_argument("posterize: expected an input of type uint8");
    outputs.resize(1);
    outputs[0] = {input.shape(), DALI_UINT8};
    return true;
  }

  // One batch: a piece of work for each sample, largest first, on the pipeline's threads.
  void RunImpl(dali::Workspace& ws) override {
    const auto& input = ws.Input<dali::CPUBackend>(0);
    auto& output = ws.Output<dali::CPUBackend>(0);
    output.SetLayout(input.GetLayout());
    const auto mask = static_cast<uint8_t>(0xff << (8 - bits_));
    auto& threads = ws.GetThreadPool();
    for (int i = 0; i < input.num_samples(); i++) {
      const int64_t size = input.shape().tensor_size(i);
      threads.AddWork(
          [&, i, size, mask](int) {
            const uint8_t* from = input.tensor<uint8_t>(i);
            uint8_t* to = output.mutable_tensor<uint8_t>(i);
            for (int64_t k = 0; k < size; k++) to[k] = from[k] & mask;
          },
          size);
    }
    threads.RunAll();
  }

 private:
  int bits_;
};

DALI_REGISTER_OPERATOR(posterize, Posterize, dali::CPU);

DALI_SCHEMA(posterize)
    .DocStr("Keeps the highest bits of every byte.")
    .NumInput(1)
    .NumOutput(1)
    .AddOptionalArg("bits", "How many bits to keep, 1 to 8.", 3);
