// Arguments of operators that may come per sample, with errors that name them.
#pragma once

#include <cctype>
#include <cmath>
#include <string>

#include "dali/pipeline/operator/arg_helper.h"
#include "dali/pipeline/operator/op_spec.h"
#include "dali/pipeline/workspace/workspace.h"
#include "operator_error.h"
#include "turned_row.h"

namespace dali_voc {

// As Python calls it: `decode_label` of the schema `dali_voc__DecodeLabel`.
inline std::string OperatorName(const dali::OpSpec& spec) {
  std::string name;
  for (const char letter : spec.SchemaName().substr(std::string("dali_voc__").size())) {
    if (std::isupper(letter) && !name.empty()) name += '_';
    name += static_cast<char>(std::tolower(letter));
  }
  return name;
}

// DALI's own says neither which argument nor which operator had a wrong type.
template <typename T, int ndim = 0>
class SampleArgument : public dali::ArgValue<T, ndim> {
 public:
  SampleArgument(const char* name, const dali::OpSpec& spec)
      : dali::ArgValue<T, ndim>(name, spec), name_(name) {}

  template <typename... Shape>
  void Acquire(const dali::OpSpec& spec, const dali::Workspace& ws, int n, const Shape&... shape) {
    if (spec.HasTensorArgument(name_)) {
      const auto found = ws.ArgumentInput(name_).type();
      const auto expected = dali::TypeTable::GetTypeId<T>();
      if (found != expected)
        Fail(OperatorName(spec) + ": " + name_ + " is " + Name(found) + ", expected " +
             Name(expected));
    }
    dali::ArgValue<T, ndim>::Acquire(spec, ws, n, shape...);
  }

 private:
  static std::string Name(dali::DALIDataType type) {
    return std::string(dali::TypeTable::GetTypeInfo(type).name());
  }

  std::string name_;
};

// Cosine and sine, of each sample; without it nothing is turned.
class RotationArgument {
 public:
  explicit RotationArgument(const dali::OpSpec& spec)
      : name_(OperatorName(spec)), pair_("rotation", spec) {}

  void Acquire(const dali::OpSpec& spec, const dali::Workspace& ws, int n) {
    if (pair_.HasExplicitValue()) pair_.Acquire(spec, ws, n, dali::TensorShape<1>(2));
  }

  Rotation operator[](int i) const {
    if (!pair_.HasExplicitValue()) return {};
    const Rotation found{pair_[i].data[0], pair_[i].data[1]};
    // a number alone, such as an angle, comes as two that are alike
    if (!(std::fabs(std::hypot(found.cosine, found.sine) - 1) < 1e-3))
      Fail(name_ + ": rotation of sample " + std::to_string(i) + " is (" +
           std::to_string(found.cosine) + ", " + std::to_string(found.sine) +
           "), expected cosine and sine of an angle");
    return found;
  }

 private:
  std::string name_;
  SampleArgument<float, 1> pair_;
};

}  // namespace dali_voc
