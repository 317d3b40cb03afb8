// The DALI operator `dali_voc.read_record`: the bytes of files, or of parts of files.
#include <libdeflate.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cache_arguments.h"
#include "dali/pipeline/operator/checkpointing/stateless_operator.h"
#include "dali/pipeline/operator/operator.h"
#include "open_file.h"
#include "operator_error.h"
#include "picture_arguments.h"
#include "sample_argument.h"
#include "text_argument.h"

namespace dali_voc {

using dali::CPUBackend;
using dali::OpSpec;
using dali::OutputDesc;
using dali::Workspace;

constexpr size_t kShards = 16;   // files of many records that stay open
constexpr int kHeldFiles = 128;  // loose files that stay open from their stat to their reading

class ReadRecord : public dali::StatelessOperator<CPUBackend> {
 public:
  explicit ReadRecord(const OpSpec& spec)
      : StatelessOperator<CPUBackend>(spec),
        about_(spec.GetArgument<std::string>("about")),
        record_("record", spec),
        map_("map", spec),
        picture_(spec),
        cache_(spec),
        is_label_(spec.GetArgument<bool>("is_label")),
        keeps_bytes_(spec.GetArgument<bool>("keeps_bytes")),
        tells_kept_(spec.GetArgument<bool>("tells_kept")),
        shards_(kShards) {
    if (!about_.empty()) about_ += ": ";
  }

 protected:
  bool SetupImpl(std::vector<OutputDesc>& outputs, const Workspace& ws) override {
    CheckBytes(ws, 0, "read_record: path");
    const int n = ws.GetInputBatchSize(0);
    is_part_ = record_.HasExplicitValue();
    if (is_part_) record_.Acquire(spec_, ws, n, dali::ArgValue_EnforceUniform);
    if (is_part_ && n > 0 && (record_[0].shape[0] < 2 || record_[0].shape[0] > 4))
      Fail("read_record: record must hold two to four numbers");
    map_.Acquire(spec_, ws, n);
    shards_.BeginRound();
    picture_.Acquire(ws, n);
    cache_.Acquire(ws, n);
    samples_.assign(n, {});
    ForEach(ws, [&](int i, int first) {
      if (!IsThere(i) || FindKept(i)) return;
      if (i > first && !samples_[first].is_kept())
        samples_[i].size = samples_[samples_[i].like = first].size;
      else
        Locate(Path(ws, i), i);
    });
    outputs.resize(tells_kept_ ? 2 : 1);
    if (tells_kept_) outputs[1] = {dali::uniform_list_shape(n, dali::TensorShape<0>()), DALI_INT32};
    outputs[0].type = DALI_UINT8;
    outputs[0].shape.resize(n, 1);
    for (int i = 0; i < n; i++)
      outputs[0].shape.set_tensor_shape(i, dali::TensorShape<1>(samples_[i].size));
    return true;
  }

  void RunImpl(Workspace& ws) override {
    auto& output = ws.Output<CPUBackend>(0);
    ForEach(ws, [&](int i, int) {
      Sample& sample = samples_[i];
      uint8_t* out = output.mutable_tensor<uint8_t>(i);
      if (tells_kept_)
        *ws.Output<CPUBackend>(1).mutable_tensor<int32_t>(i) = !sample.header.empty();
      if (!IsThere(i)) return;
      if (sample.kept) {
        memcpy(out, sample.kept, sample.size);
        return;
      }
      if (!sample.header.empty()) {
        memcpy(out, sample.header.data(), sample.size);
        return;
      }
      if (sample.like >= 0) {
        memcpy(out, output.tensor<uint8_t>(sample.like), sample.size);
        return;
      }
      if (!sample.file) sample.file = std::make_shared<const OpenFile>(Path(ws, i));
      sample.file->Read(sample.offset, sample.size, out);
      sample.file.reset();
      if (sample.crc >= 0 && libdeflate_crc32(0, out, sample.size) != sample.crc)
        throw FileError("damaged record: its checksum (CRC) is wrong");
      if (keeps_bytes_) Keep(i, out);
    });
    samples_.clear();
  }

 private:
  struct Sample {
    std::shared_ptr<const OpenFile> file;
    int64_t offset = 0, size = 0;
    int64_t crc = -1;
    const uint8_t* kept = nullptr;  // what the cache has
    std::string header;             // what stands for it, where that is not the file's bytes
    int like = -1;                  // the sample before it whose bytes it has, too

    bool is_kept() const { return kept || !header.empty(); }
  };

  bool IsThere(int i) const { return *map_[i].data >= 0; }

  CachePlace Place(int i) const { return is_label_ ? cache_.Label(i) : cache_.Image(i); }

  bool FindKept(int i) {
    SampleCache::Entry entry;
    if (!Place(i).Find(&entry)) return false;
    Sample& sample = samples_[i];
    if (keeps_bytes_) {
      sample.kept = entry.data;
      sample.size = entry.size;
    } else {
      // A picture in the plainest of formats, PPM, without its pixels: DALI asks for its size.
      sample.header =
          "P6\n" + std::to_string(entry.width) + " " + std::to_string(entry.height) + "\n255\n";
      sample.size = static_cast<int64_t>(sample.header.size());
    }
    return true;
  }

  void Keep(int i, const uint8_t* bytes) const {
    const CachePlace place = Place(i);
    uint8_t* to = place.Reserve(samples_[i].size);
    if (!to) return;
    memcpy(to, bytes, samples_[i].size);
    place.Publish(0, 0);
  }

  static std::string Path(const Workspace& ws, int i) {
    return std::string(TextOf(ws.Input<CPUBackend>(0), i));
  }

  // Runs `work(sample, first)` for each sample in the thread pool, for those that have the same
  // files, beginning with `first`, in one thread and in turn; what is wrong with one is said with
  // its name.
  void ForEach(const Workspace& ws, const std::function<void(int, int)>& work) {
    auto guarded = [&](int i, int first) {
      try {
        work(i, first);
      } catch (const FileError& e) {
        const std::string path = Path(ws, i);
        FailSample(i, Printable(path), about_ + e.what());
      }
    };
    auto& pool = ws.GetThreadPool();
    picture_.ForEachGroup(
        pool,
        [&](int begin, int end, int) {
          for (int i = begin; i < end; i++) guarded(i, begin);
        },
        std::max(1, picture_.groups() / (4 * pool.NumThreads())));
  }

  void Locate(const std::string& path, int i) {
    Sample& sample = samples_[i];
    if (!is_part_) {
      sample.file = std::make_shared<const OpenFile>(path);
      sample.size = sample.file->size();
      if (sample.size == 0) throw FileError("the file is empty");
      if (i >= kHeldFiles) sample.file.reset();
      return;
    }
    sample.file = shards_.Get(path);
    const int64_t* record = record_[i].data;
    const int numbers = static_cast<int>(record_[i].shape[0]);
    const int64_t file_size = sample.file->size();
    sample.offset = record[0];
    const bool is_inside = sample.offset >= 0 && sample.offset <= file_size;
    sample.size = is_inside && record[1] < 0 ? file_size - sample.offset : record[1];
    if (numbers > 2) sample.crc = record[2];
    if (numbers > 3 && record[3] >= 0 && record[3] != sample.file->modified())
      throw FileError("the file has been written to since its index was made");
    if (!is_inside || sample.size > file_size - sample.offset || sample.size < 0)
      throw FileError("a record of " + std::to_string(sample.size) + " bytes at " +
                      std::to_string(sample.offset) + " reaches past the file's end at " +
                      std::to_string(file_size));
    if (sample.size == 0) throw FileError("the file is empty");
  }

  std::string about_;
  SampleArgument<int64_t, 1> record_;
  SampleArgument<int> map_;
  PictureArguments picture_;
  CacheArguments cache_;
  bool is_label_, keeps_bytes_, tells_kept_;
  bool is_part_ = false;
  OpenFiles shards_;
  std::vector<Sample> samples_;
};

}  // namespace dali_voc

DALI_REGISTER_OPERATOR(dali_voc__ReadRecord, dali_voc::ReadRecord, dali::CPU);

DALI_SCHEMA(dali_voc__ReadRecord)
    .DocStr("Reads files, or parts of files, into memory; nothing is mapped.")
    .NumInput(1)
    .InputDox(0, "path", "1D TensorList of uint8", "The files' paths.")
    .NumOutput(1)
    .AdditionalOutputsFn([](const dali::OpSpec& spec) {
      return spec.GetArgument<bool>("tells_kept") ? 1 : 0;
    })
    .AddOptionalArg("tells_kept", "Return as well, int32: 1 where a header stands for the file.",
                    false)
    .AddOptionalArg(
        "record",
        "int64: offset and size (-1: to the end) of the part to read; then, if given, its CRC-32 "
        "and the file's modification time in nanoseconds, each -1 where it is not to be checked.",
        DALI_INT_VEC, nullptr, true)
    .AddOptionalArg("map", "Below 0 where there is no file: nothing is read then.", 0, true)
    .AddOptionalArg("about", "What errors begin with, after the file's name.", "")
    .AddOptionalArg("is_label", "The sample's label is to be read; else its image.", false)
    .AddOptionalArg("keeps_bytes",
                    "Bytes are kept in the cache; else what other operators have kept is not read "
                    "again: the header of a picture of its size, in PPM, stands for it.",
                    false)
    .AddParent("dali_voc__CacheArguments")
    .AddParent("dali_voc__PictureArguments");
