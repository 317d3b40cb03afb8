// The operator `dali_voc.color_to_index` on a GPU.
#include <stdexcept>
#include <vector>

#include "color_to_index_base.h"
#include "gpu/color_mapper.h"
#include "gpu/dali_memory.h"

namespace dali_voc {

using dali::GPUBackend;

class ColorToIndexGpu : public ColorToIndexBase<GPUBackend> {
 public:
  explicit ColorToIndexGpu(const dali::OpSpec& spec)
      : ColorToIndexBase<GPUBackend>(spec), mapper_(colors_, classes_, unknown_) {
    // the host does not wait for the GPU, so it cannot know in time
    if (unknown_ < 0) Fail("color_to_index: on a GPU, unknown must be a class");
  }

 protected:
  void RunImpl(dali::Workspace& ws) override {
    const auto& input = ws.Input<GPUBackend>(0);
    auto& output = ws.Output<GPUBackend>(0);
    output.SetLayout("HW");
    const int n = input.num_samples();
    std::vector<ColorPicture> pictures(n);
    for (int i = 0; i < n; i++)
      pictures[i] = {input.tensor<uint8_t>(i), output.raw_mutable_tensor(i),
                     output.shape()[i].num_elements()};
    try {
      DaliMemory memory(ws.stream());
      mapper_.Run(pictures, static_cast<int>(dali::TypeTable::GetTypeInfo(dtype_).size()),
                  Counts(ws, n, &memory), &memory);
    } catch (const std::runtime_error& e) {
      Fail(std::string("color_to_index: ") + e.what());
    }
  }

 private:
  UnknownColors* Counts(dali::Workspace& ws, int n, LaunchMemory* memory) const {
    if (!counts_) return static_cast<UnknownColors*>(memory->Device(n * sizeof(UnknownColors)));
    auto& unknown = ws.Output<GPUBackend>(1);
    // as they are allocated, unless somebody has wished otherwise
    if (!unknown.IsContiguous()) Fail("color_to_index: the counts do not lie side by side");
    return static_cast<UnknownColors*>(unknown.raw_mutable_tensor(0));
  }

  ColorMapper mapper_;
};

}  // namespace dali_voc

DALI_REGISTER_OPERATOR(dali_voc__ColorToIndex, dali_voc::ColorToIndexGpu, dali::GPU);
