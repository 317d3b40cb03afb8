// Opens files for reading, and keeps a few of those that hold many records.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

namespace dali_voc {

// The file is at fault. The text is a clause that completes "<file>: ...".
class FileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The process or the machine is at fault: no handle, no memory.
class ShortageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A regular file, open for reading. Any number of threads may read it.
class OpenFile {
 public:
  // Throws FileError or ShortageError.
  explicit OpenFile(const std::string& path);
  ~OpenFile();
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  // As of when it was opened.
  int64_t size() const { return stat_.st_size; }
  int64_t modified() const { return Modified(stat_); }

  // Whether the path still leads to this file, and nobody has written to it.
  bool IsCurrent(const std::string& path) const;

  // Reads exactly `size` bytes. Throws FileError where the file has become shorter.
  void Read(int64_t offset, int64_t size, uint8_t* out) const;

 private:
  // Nanoseconds since 1970.
  static int64_t Modified(const struct stat& s) {
    return int64_t{s.st_mtim.tv_sec} * 1000000000 + s.st_mtim.tv_nsec;
  }

  int handle_ = -1;
  struct stat stat_{};
};

// Keeps the files that were used last open. Any number of threads may use it.
class OpenFiles {
 public:
  explicit OpenFiles(size_t capacity) : capacity_(capacity) {}

  // Forgets which files have been looked at. Not while others call `Get`.
  void BeginRound() { round_++; }

  // Opens the file anew if it has been replaced or written to, which is looked at once in a round.
  // Throws FileError or ShortageError.
  std::shared_ptr<const OpenFile> Get(const std::string& path);

 private:
  struct Entry {
    std::string path;
    std::shared_ptr<const OpenFile> file;
    int64_t round;  // in which it was looked at
  };

  size_t capacity_;
  int64_t round_ = 0;
  std::mutex mutex_;
  std::list<Entry> entries_;  // the last used first
};

}  // namespace dali_voc
